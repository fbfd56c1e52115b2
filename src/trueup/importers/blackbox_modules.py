"""blackbox_exporter's modules: what they ask of a target, as an address and keys.

https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.importers.blackbox_http import asked_by_http, login_of_module, tls_of
from trueup.importers.carried import Carried, in_escapes, joined, lasting
from trueup.importers.go_durations import go_duration_s
from trueup.importers.lenient import listed, mapping
from trueup.importers.placing import place_of, split_url
from trueup.importers.plain_patterns import literal

Asked = tuple[str, dict[str, Any]] | None
_PROBERS: Final = ("http", "tcp", "dns", "icmp", "grpc", "unix", "websocket")
_OPENINGS: Final = (
    # How a dialogue of query_response begins, the scheme, and that over TLS.
    (r"\^?SSH-", "ssh", "ssh"),
    (r"\^?\\?\+PONG|\^?PONG", "redis", "rediss"),
    (r"\^?\\?\+OK", "pop3", "pop3s"),
    (r"\^?\\?\* OK", "imap", "imaps"),
)
DEFAULT_MODULES: Final[Mapping[str, Any]] = {
    "http_2xx": {"prober": "http"},
    "http_post_2xx": {"prober": "http", "http": {"method": "POST"}},
    "tcp_connect": {"prober": "tcp"},
    "pop3s_banner": {"prober": "tcp", "tcp": {"query_response": [{"expect": "^+OK"}], "tls": True}},
    "grpc": {"prober": "grpc", "grpc": {"tls": True}},
    "grpc_plain": {"prober": "grpc", "grpc": {"tls": False}},
    "ssh_banner": {"prober": "tcp", "tcp": {"query_response": [{"expect": "^SSH-2.0-"}]}},
    "icmp": {"prober": "icmp"},
}


class Modules:
    """The modules of a configuration, by name."""

    def __init__(self, carried: Carried, modules: Mapping[str, Any]) -> None:
        self._carried = carried
        self._modules = modules

    def asked(self, name: str, target: str) -> Asked:
        """What the module asks of the target; None, with the reason noted, where trueup can't."""
        module = mapping(self._modules.get(name))
        prober = str(module.get("prober") or "")
        if prober not in _PROBERS:
            why = (
                f"the module {name} isn't in blackbox.yml"
                if not module
                else f"trueup has no prober {prober!r}"
            )
            self._carried.leave(f'"{target}"', why)
            return None
        settings = mapping(module.get(prober))
        if settings.get("preferred_ip_protocol") or "ip_protocol_fallback" in settings:
            why = "trueup tries each address of a name, of both families, where one fails"
            self._carried.leave(f"preferred_ip_protocol of the module {name}", why)
        if settings.get("source_ip_address"):
            self._carried.leave(f"source_ip_address of the module {name}", "this machine's routes choose it")
        asked: Asked = getattr(self, f"_{prober}")(name, target, settings)
        timeout_s = go_duration_s(module.get("timeout"))
        if asked is not None and timeout_s:
            asked[1]["timeout"] = lasting(timeout_s)
        return asked

    def _http(self, name: str, target: str, settings: Mapping[str, Any]) -> Asked:
        return asked_by_http(self._carried, name, target, settings)

    def _icmp(self, _name: str, target: str, _settings: Mapping[str, Any]) -> Asked:
        return joined(f"icmp://{place_of(target)}"), {}

    def _grpc(self, name: str, target: str, settings: Mapping[str, Any]) -> Asked:
        service = f"/{settings['service']}" if settings.get("service") else ""
        tls = tls_of(self._carried, name, settings) if settings.get("tls") else {}
        return joined(f"grpc{'s' if settings.get('tls') else ''}://{target}{service}"), {
            "tls": tls
        } if tls else {}

    def _websocket(self, name: str, target: str, settings: Mapping[str, Any]) -> Asked:
        url = target if "://" in target else f"ws://{target}"
        keys: dict[str, Any] = {"tls": tls_of(self._carried, name, settings)} if url.startswith("wss") else {}
        said = self._one_each(name, [mapping(one) for one in listed(settings.get("query_response"))])
        if said is not None:
            keys["send"] = {"text": said[0]} if said[0] else {}
            keys["expect"] = {"contains": literal(said[1])} if said[1] else {}
        return joined(url), {key: value for key, value in keys.items() if value}

    def _unix(self, _name: str, target: str, _settings: Mapping[str, Any]) -> Asked:
        why = "a socket is asked in its protocol, as in http+unix://%2Frun%2Fapp.sock/health"
        self._carried.leave(f'"{target}"', why)
        return None

    def _dns(self, name: str, target: str, settings: Mapping[str, Any]) -> Asked:
        if settings.get("dns_over_tls"):
            self._carried.leave(f"dns_over_tls of the module {name}", "DNS is asked over UDP and TCP")
        for key in ("validate_answer_rrs", "validate_authority_rrs", "validate_additional_rrs"):
            if settings.get(key):
                why = "patterns aren't held against records; see expect: {records: [...]}"
                self._carried.leave(f"{key} of the module {name}", why)
        expect: dict[str, Any] = {}
        codes = listed(settings.get("valid_rcodes"))
        if len(codes) == 1 and codes[0] != "NOERROR":
            expect["rcode"] = codes[0]
        elif len(codes) > 1:
            self._carried.leave(
                f"valid_rcodes of the module {name}", "one of them can be expected, not several"
            )
        if settings.get("transport_protocol") == "tcp":
            expect["tcp"] = True
        kind = str(settings.get("query_type") or "ANY").upper()
        if kind == "ANY":
            self._carried.note(f"the module {name} asks for ANY, which few servers answer: here for A")
        keys: dict[str, Any] = {"send": {"type": kind}} if kind not in {"A", "ANY"} else {}
        keys |= {"expect": expect} if expect else {}
        place = split_url(f"//{target}")
        server = place_of(place.hostname or target, place.port if place.port != 53 else None)
        return joined(f"dns://{server}/{str(settings.get('query_name') or '').rstrip('.')}"), keys

    def _tcp(self, name: str, target: str, settings: Mapping[str, Any]) -> Asked:
        dialogue = [mapping(one) for one in listed(settings.get("query_response"))]
        secure = bool(settings.get("tls"))
        keys: dict[str, Any] = {}
        scheme = _scheme(target, dialogue, secure=secure)
        starts_tls = any(one.get("starttls") for one in dialogue)
        if secure or (starts_tls and scheme != "tcp"):
            tls = tls_of(self._carried, name, settings)
            keys["tls"] = tls or ({"verify": True} if starts_tls else {})
        if scheme == "tcp" and dialogue:
            keys |= self._said(name, dialogue)
        if scheme == "tls" and dialogue:
            self._carried.leave(
                f"query_response of the module {name}", "inside TLS only known protocols are spoken"
            )
        login = login_of_module(self._carried, name, settings)
        keys |= {"login": login} if login else {}
        return joined(f"{scheme}://{target}"), {key: value for key, value in keys.items() if value}

    def _said(self, name: str, dialogue: list[Mapping[str, Any]]) -> dict[str, Any]:
        said = self._one_each(name, dialogue)
        if said is None:
            return {}
        send, expect = said
        keys: dict[str, Any] = {"send": in_escapes(f"{send}\n")} if send else {}
        if text := literal(expect):
            keys["expect"] = {"starts" if expect.startswith("^") else "contains": in_escapes(text)}
        return keys

    def _one_each(self, name: str, dialogue: list[Mapping[str, Any]]) -> tuple[str, str] | None:
        """What is sent and the pattern that is expected; None where more is said than can be said here."""
        sends = [str(one["send"]) for one in dialogue if one.get("send")]
        expects = [str(one["expect"]) for one in dialogue if one.get("expect")]
        if len(sends) > 1 or len(expects) > 1 or None in map(literal, expects):
            why = "it isn't one plain text to send and one to expect; it became a check of the connection"
            self._carried.leave(f"query_response of the module {name}", why)
            return None
        return (sends or [""])[0], (expects or [""])[0]


def _scheme(target: str, dialogue: list[Mapping[str, Any]], *, secure: bool) -> str:
    """Who is spoken to, by the words of the dialogue."""
    said = [str(one.get("expect") or "") for one in dialogue if one.get("expect")]
    asks = " ".join(str(one.get("send") or "") for one in dialogue).upper()
    port = target.rpartition(":")[2]
    if re.search(r"\. ?(STARTTLS|CAPABILITY)", asks):
        return "imaps" if secure else "imap"
    if "STLS" in asks.split():
        return "pop3"
    for opening, plain, over_tls in _OPENINGS:
        if said and re.match(opening, said[0]):
            return over_tls if secure else plain
    if said and re.match(r"\^?220", said[0]) and not secure:
        if "EHLO" in asks or "HELO" in asks or port in {"25", "587"}:
            return "submission" if port == "587" else "smtp"
        return "ftp" if port == "21" else "smtp" if "SMTP" in said[0] else "tcp"
    if said and re.match(r"\^?220", said[0]) and ("EHLO" in asks or "HELO" in asks or port == "465"):
        return "smtps"
    return "tls" if secure else "tcp"
