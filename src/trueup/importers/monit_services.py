"""Monit's protocols as addresses and keys of services."""

import re
from typing import Any, Final
from urllib.parse import quote

from trueup.importers.carried import Carried, in_escapes, joined, lasting
from trueup.importers.credentials import headers_into, login_of, taken_out
from trueup.importers.monit_ports import PortTest
from trueup.importers.placing import NTP_QUESTION, UDP_SAYS_NOTHING, place_of
from trueup.importers.plain_patterns import literal

_SCHEMES: Final = {
    # By Monit's word: the scheme, and that over TLS.
    "": ("tcp", "tls"),
    "default": ("tcp", "tls"),
    "apache-status": ("http", "https"),
    "dns": ("dns", "dns"),
    "ftp": ("ftp", "ftp"),
    "http": ("http", "https"),
    "https": ("https", "https"),
    "imap": ("imap", "imaps"),
    "imaps": ("imaps", "imaps"),
    "ldap2": ("ldap", "ldaps"),
    "ldap3": ("ldap", "ldaps"),
    "memcache": ("memcached", "memcached"),
    "mongodb": ("mongodb", "mongodb"),
    "mqtt": ("mqtt", "mqtts"),
    "mysql": ("mysql", "mysql"),
    "mysqls": ("mysql", "mysql"),
    "pgsql": ("postgres", "postgres"),
    "pop": ("pop3", "pop3s"),
    "pops": ("pop3s", "pop3s"),
    "redis": ("redis", "rediss"),
    "smtp": ("smtp", "smtps"),
    "smtps": ("smtps", "smtps"),
    "ssh": ("ssh", "ssh"),
    "websocket": ("ws", "wss"),
}
_WITH_TLS_KEY: Final = frozenset(
    {"https", "imaps", "pop3s", "smtps", "tls", "ldaps", "mqtts", "wss", "rediss"}
)
_BY_UPGRADE: Final = frozenset({"mysql", "postgres", "mongodb", "memcached", "ftp"})
_HEXADECIMAL: Final = re.compile(r"\\0x([0-9A-Fa-f]{2})")
"""An escape of Monit's."""
_LOGINS: Final = frozenset(
    {"http", "https", "mysql", "postgres", "smtp", "smtps", "mqtt", "mqtts", "mongodb"}
)


def asked_by(carried: Carried, name: str, test: PortTest, host: str) -> tuple[str, dict[str, Any]] | None:
    """The address and the keys; None, with the reason noted, where trueup can't ask so."""
    if test.ping:
        return f"icmp://{place_of(host)}", _timing(test)
    if test.protocol == "ntp3":
        return f"udp://{place_of(host, test.port or 123)}", {"hex": NTP_QUESTION, **_timing(test)}
    schemes = _SCHEMES.get(test.protocol)
    if test.transport == "udp" and test.protocol != "dns" and not test.dialogue:
        carried.leave(f"UDP port {test.port} of {name}", UDP_SAYS_NOTHING)
        return None
    if schemes is None:
        carried.note(f"trueup doesn't speak {test.protocol}: that test of {name} became one of its port")
        schemes = ("tcp", "tls")
    scheme = schemes[test.secure]
    for part in test.unsaid:
        carried.leave(f"{part} of {name}", "there is no word for it here")
    if test.socket:
        return _by_socket(carried, name, test, scheme)
    if test.transport == "udp" and scheme != "dns":
        scheme = "udp"
    keys = _tls(test, scheme) | _timing(test)
    place = place_of(host, test.port)
    if scheme in {"http", "https", "ws", "wss"}:
        return _by_http(carried, name, test, f"{scheme}://{_shortest(scheme, place)}", keys)
    keys |= _login(carried, name, test, scheme)
    if test.dialogue:
        keys |= _said(carried, name, test, scheme)
    database = f"/{test.database}" if test.database and scheme == "postgres" else ""
    return f"{scheme}://{place}{database}", keys


def _shortest(scheme: str, place: str) -> str:
    return place.removesuffix(":443" if scheme in {"https", "wss"} else ":80")


def _timing(test: PortTest) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if test.timeout_s:
        keys["timeout"] = lasting(test.timeout_s)
    if test.slow_s:
        keys["slow"] = lasting(test.slow_s)
    return keys


def _tls(test: PortTest, scheme: str) -> dict[str, Any]:
    if scheme not in _WITH_TLS_KEY and not (
        scheme in _BY_UPGRADE and (test.secure or test.protocol == "mysqls")
    ):
        return {}
    tls: dict[str, Any] = {}
    if test.verify is not True and scheme in _BY_UPGRADE:
        tls["verify"] = False  # as Monit does, unless it's told
    elif test.verify is False:
        tls["verify"] = False
    if test.valid_s:
        tls["expires_within"] = lasting(test.valid_s)
    return {"tls": tls} if tls else {}


def _login(carried: Carried, name: str, test: PortTest, scheme: str) -> dict[str, Any]:
    if not test.password or scheme not in _LOGINS:
        return {}
    word = carried.secret(f"{name}_password", f"the password of {name}", test.password)
    return {"login": login_of(test.user, word)}


def _by_http(
    carried: Carried, name: str, test: PortTest, base: str, keys: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    path = test.request if test.request.startswith("/") else f"/{test.request}" if test.request else ""
    at, _ = taken_out(carried, name, base + path)
    keys |= _login(carried, name, test, "http")
    if test.method and test.method != "GET":
        keys["send"] = {"method": test.method}
    headers_into(carried, name, test.headers, keys)
    expect: dict[str, Any] = {}
    if test.status:
        expect["status"] = test.status[0]
    for key, patterns in (("contains", test.contains), ("not_contains", test.lacks)):
        texts = [literal(text) for text in patterns]
        if None in texts:
            carried.leave(
                f"content of {name}", "a pattern of several texts isn't held against answers; write the text"
            )
        known = [text for text in texts if text]
        if known:
            expect[key] = known if len(known) > 1 else known[0]
    return at, keys | ({"expect": expect} if expect else {})


def _by_socket(carried: Carried, name: str, test: PortTest, scheme: str) -> tuple[str, dict[str, Any]]:
    at = f"{scheme}+unix://{quote(test.socket, safe='')}"
    keys = _timing(test) | _login(carried, name, test, scheme)
    return joined(at + (test.request if scheme == "http" else "")), keys


def _said(carried: Carried, name: str, test: PortTest, scheme: str) -> dict[str, Any]:
    sends = [text for what, text in test.dialogue if what == "send"]
    expects = [text for what, text in test.dialogue if what == "expect"]
    texts = [literal(text) for text in expects]
    if scheme not in {"tcp", "udp"} or len(sends) > 1 or len(expects) > 1 or None in texts:
        why = "it isn't one plain text to send and one to expect; what else is asked stays"
        carried.leave(f"send and expect of {name}", why)
        return {}
    keys: dict[str, Any] = {}
    if sends:
        keys["send"] = _HEXADECIMAL.sub(r"\\x\1", sends[0])
    if texts and texts[0]:
        keys["expect"] = {"starts" if expects[0].startswith("^") else "contains": in_escapes(texts[0])}
    return keys
