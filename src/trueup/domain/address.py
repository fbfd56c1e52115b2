"""Where a service is: ``SCHEME://[user[:password]@]host[:port][/path]``."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from trueup.domain.nearest import nearest
from trueup.domain.printable import is_text, printable
from trueup.domain.secret import HIDDEN, Secret

BARE: Final = ""
"""The scheme of a bare ``HOST:PORT``, which is looked at as whatever answers there."""

UNIX: Final = "+unix"
"""After a scheme: the path of a socket stands for the host, percent-encoded. Docker's needs no such word."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_CURLY: Final = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019")
_HOST: Final = re.compile(r"[^\s/@?#\[\]:]+")


class AddressError(ValueError):
    """An address that can't be read. ``hint`` says what would do; it may be empty."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem}; {hint}" if hint else problem)
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address.

    ``scheme`` is as written, in lower case, or ``BARE``. ``port`` is None where none was given.
    ``path`` is as written, still percent-encoded, with its query, and empty where there is none.
    ``socket_path`` is set instead of ``host`` for a unix socket. ``text`` is the address as written
    with its password as ``***``: it is the name of a target that has no other.
    """

    scheme: str
    host: str
    text: str
    port: int | None = None
    path: str = ""
    user: str | None = None
    password: Secret | None = None
    socket_path: str | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def part(self) -> str:
        """The path without its slash, decoded: a database, a virtual host, a name to ask for."""
        return unquote(self.path.removeprefix("/"))


def parse_address(text: str, schemes: Collection[str]) -> Address:
    """Read an address whose scheme is one of ``schemes``.

    Raises:
        AddressError: with the nearest known scheme as its hint where there is one.
    """
    if not is_text(text):
        raise AddressError(f"{_censored(text)!r} isn't text in UTF-8", "write other bytes as %FF")
    if text[:1] in _CURLY:
        raise AddressError(f"{_censored(text)!r} begins with a curly quote", "write straight quotes, or none")
    match = _SCHEME.match(text)
    if match is None:
        return _bare(text)
    written = match[1].lower()
    scheme = written.removesuffix(UNIX)
    if scheme not in schemes:
        close = nearest(scheme, schemes)
        raise AddressError(
            f"unknown scheme {printable(written)!r}",
            f"did you mean {close}://?" if close else "known: " + " ".join(sorted(schemes)),
        )
    rest = text[match.end() :]
    if written.endswith(UNIX) or (written == "docker" and rest.startswith("/")):
        return _unix(scheme, written, rest, text)
    authority, slash, tail = _split_authority(rest)
    user, password, place = _userinfo(authority)
    host, port = _host_port(place, text)
    return Address(
        scheme=scheme,
        host=host,
        port=port,
        path=slash + tail,
        user=user,
        password=password,
        text=_shown(text, match.end(), authority),
    )


def require_port(address: Address) -> None:
    """Of a scheme that has no port of its own.

    Raises:
        AddressError: none is given.
    """
    if address.port is None and address.socket_path is None:
        raise AddressError(f"{address.text!r} names no port", f"write {address.scheme}://{address.host}:PORT")


def unquote(text: str) -> str:
    """Percent-decoded (RFC 3986, 2.1). Most addresses have nothing to decode."""
    if "%" not in text:
        return text
    from urllib.parse import unquote as decode

    return decode(text)


def _bare(text: str) -> Address:
    host, port = _host_port(text, text)
    if port is None:
        raise AddressError(
            f"{printable(text)!r} names no port and no scheme",
            f"write {printable(text.rstrip(':'))}:PORT, or a scheme as in https://{printable(text.rstrip(':'))}",
        )
    return Address(scheme=BARE, host=host, port=port, text=printable(text))


def _split_authority(rest: str) -> tuple[str, str, str]:
    for place, char in enumerate(rest):
        if char in "/?#":
            mark = "/" if char == "/" else "/" + char
            return rest[:place], mark, rest[place + 1 :]
    return rest, "", ""


def _userinfo(authority: str) -> tuple[str | None, Secret | None, str]:
    info, at, place = authority.rpartition("@")
    if not at:
        return None, None, authority
    user, colon, password = info.partition(":")
    return unquote(user) or None, Secret(unquote(password)) if colon else None, place


def _host_port(place: str, text: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, closed, tail = place[1:].partition("]")
        if not closed or (tail and not tail.startswith(":")):
            raise AddressError(
                f"{_censored(text)!r} has no valid host", "an IPv6 address is written [::1]:PORT"
            )
        _require_ipv6(host, text)
        return host, _port(tail.removeprefix(":"), text)
    if place.count(":") > 1:
        raise AddressError(f"{_censored(text)!r} has no valid host", "an IPv6 address is written [::1]:PORT")
    host, _, port = place.partition(":")
    if not _HOST.fullmatch(host) or printable(host, 255) != host:
        raise AddressError(f"{_censored(text)!r} has no valid host", "as in redis://10.0.0.7:6379")
    return host, _port(port, text)


def _require_ipv6(host: str, text: str) -> None:
    import ipaddress

    try:
        ipaddress.IPv6Address(host)
    except ValueError as error:
        raise AddressError(f"{_censored(text)!r} has no valid IPv6 address", str(error)) from None


def _port(digits: str, text: str) -> int | None:
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal() and 1 <= int(digits[:6]) <= 65535):
        raise AddressError(f"{_censored(text)!r} has no valid port", _hint_of_port(text))
    return int(digits)


def _hint_of_port(text: str) -> str:
    """An authority ends at the first of ``/?#``, also where that's meant for a letter of the password."""
    rest = text.partition("://")[2]
    is_cut = "@" in rest and "@" not in _split_authority(rest)[0]
    return "in a password write / as %2F, ? as %3F and # as %23" if is_cut else "a port is 1 to 65535"


def _unix(scheme: str, written: str, rest: str, text: str) -> Address:
    if written == "docker":
        path, url = rest, ""
    else:
        authority, slash, tail = _split_authority(rest)
        path, url = unquote(authority), slash + tail
    if not path.startswith("/") or "\0" in path:
        raise AddressError(
            f"{_censored(text)!r} names no socket",
            "as in docker:///var/run/docker.sock or http+unix://%2Frun%2Fapp.sock/health",
        )
    return Address(scheme=scheme, host="localhost", path=url, socket_path=path, text=printable(text))


def _shown(text: str, start: int, authority: str) -> str:
    info, at, place = authority.rpartition("@")
    user, colon, _ = info.partition(":")
    hidden = f"{user}:{HIDDEN}{at}{place}" if colon else authority
    return printable(text[:start] + hidden + text[start + len(authority) :], 500)


def _censored(text: str) -> str:
    """An address that couldn't be read, with whatever stands between its user and ``@`` hidden."""
    return printable(re.sub(r"^((?:[^/:@]*://)?[^/:@]*):.*@", rf"\1:{HIDDEN}@", text, flags=re.DOTALL))
