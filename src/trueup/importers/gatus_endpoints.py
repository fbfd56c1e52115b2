"""Gatus's endpoints as services."""

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.importers.carried import Carried, Found, Reference, in_escapes, joined, lasting, named
from trueup.importers.credentials import body_of, headers_into, taken_out
from trueup.importers.gatus_conditions import Conditions
from trueup.importers.gatus_windows import carry_window
from trueup.importers.go_durations import go_duration_s
from trueup.importers.lenient import listed, mapping, whole
from trueup.importers.placing import UDP_SAYS_NOTHING, place_of, split_url

_INTERVAL_S: Final = 60.0
_FAILURES: Final = 3
_SUCCESSES: Final = 2
_KINDS: Final = {
    "http": "http", "https": "http", "icmp": "icmp", "tcp": "tcp", "udp": "udp", "tls": "tls", "ssh": "ssh",
    "ws": "ws", "wss": "ws", "grpc": "grpc", "grpcs": "grpc", "starttls": "starttls",
}  # fmt: skip
_STARTTLS: Final = {25: "smtp", 587: "submission", 143: "imap", 110: "pop3", 389: "ldap", 21: "ftp"}
_CLIENT: Final = {
    "dns-resolver": "names are resolved as this machine does",
    "tunnel": "trueup makes no SSH tunnels",
    "identity-aware-proxy": "trueup fetches no tokens from Google",
    "network": "both families are tried where one fails",
}


def unless_enabled(written: Mapping[str, Any]) -> dict[str, Any]:
    """The key that keeps a target without looking at it."""
    return {} if written.get("enabled", True) else {"enabled": False}


class Endpoints:
    """Carries endpoints over. ``channels`` are names by alert type, ``defaults`` what its alerts have."""

    def __init__(
        self, carried: Carried, channels: Mapping[str, str], defaults: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.carried = carried
        self._channels = channels
        self._defaults = defaults

    def secret(self, words: str, meaning: str, value: Any) -> Reference:
        """A reference to a secret, which may be one already."""
        if isinstance(value, Reference):
            return value
        return self.carried.secret(words, meaning, str(value))

    def carry(self, written: Mapping[str, Any]) -> None:
        """One endpoint."""
        name, group = str(written.get("name")), str(written.get("group") or "")
        found = self._asked(written, name)
        if found is None:
            return
        at, keys = found
        every_s = go_duration_s(written.get("interval")) or _INTERVAL_S
        tags = [named(group)] if group else []
        tags += [f"{key}={value}" for key, value in mapping(written.get("extra-labels")).items()]
        keys |= {"tags": tags} if tags else {}
        keys |= unless_enabled(written) | {"every": lasting(every_s)} | self._confirmed(written, every_s)
        key = f"{group}_{name}"
        self.carried.checks.append(Found(key, name, [at], keys, alert=self.alert(written)))
        for window in listed(written.get("maintenance-windows")):
            carry_window(self.carried, mapping(window), [key], f'maintenance window of "{name}"')

    def alert(self, written: Mapping[str, Any]) -> list[str] | None:
        """The channels of its alerts; None where there are none at all."""
        told = [str(one.get("type")) for one in self._alerts(written)]
        return [self._channels[kind] for kind in told if kind in self._channels] if self._channels else None

    def _alerts(self, written: Mapping[str, Any]) -> list[dict[str, Any]]:
        alerts = [mapping(one) for one in listed(written.get("alerts"))]
        full = [{**self._defaults.get(str(one.get("type")), {}), **one} for one in alerts]
        return [one for one in full if one.get("enabled", True)]

    def _confirmed(self, written: Mapping[str, Any], every_s: float) -> dict[str, Any]:
        alerts = self._alerts(written)
        if not alerts:
            return {}
        failures = min(whole(one.get("failure-threshold"), _FAILURES) for one in alerts)
        successes = min(whole(one.get("success-threshold"), _SUCCESSES) for one in alerts)
        reminders = [
            again_s for one in alerts if (again_s := go_duration_s(one.get("minimum-reminder-interval")))
        ]
        confirm = {"failures": max(failures, 1), "apart": lasting(every_s)}
        remind = {"remind": lasting(min(reminders))} if reminders else {}
        return {"confirm": confirm, "recover": max(successes, 1), **remind}

    def _asked(self, written: Mapping[str, Any], name: str) -> tuple[str, dict[str, Any]] | None:
        url = written.get("url")
        text = url if isinstance(url, str) else ""
        scheme = text.partition("://")[0].lower() if "://" in text else ""
        dns = mapping(written.get("dns"))
        kind = "dns" if dns else _KINDS.get(scheme, "")
        if not kind:
            self.carried.leave(f'endpoint "{name}"', f"trueup doesn't speak {scheme or 'what has no scheme'}")
            return None
        if kind == "udp" and not written.get("body"):
            self.carried.leave(f'endpoint "{name}"', UDP_SAYS_NOTHING)
            return None
        keys = self._keys(written, name, kind, scheme)
        if kind == "dns":
            at, more = _dns(text, dns)
            return at, _merged(keys, more)
        at, login = taken_out(self.carried, name, text)
        if kind == "starttls":
            place = split_url(text)
            speaks = _STARTTLS.get(place.port or 0)
            if speaks is None:
                self.carried.leave(
                    f'endpoint "{name}"', "which protocol begins TLS there isn't told by its port"
                )
                return None
            at = joined(f"{speaks}://{place_of(place.hostname or '', place.port)}")
            keys.setdefault("tls", {}).setdefault("verify", True)
        if login is not None and kind in {"http", "ws"}:
            keys["login"] = login
        return at, keys

    def _keys(self, written: Mapping[str, Any], name: str, kind: str, scheme: str) -> dict[str, Any]:
        conditions = Conditions(kind, lambda what, why: self.carried.leave(f'{what} of "{name}"', why))
        for condition in listed(written.get("conditions")):
            conditions.read(condition if isinstance(condition, str) else str(condition))
        for note in conditions.notes:
            self.carried.note(note)
        keys = conditions.keys
        if kind == "http":
            self._request(written, name, keys)
        elif kind in {"tcp", "udp"} and written.get("body"):
            keys["send"] = in_escapes(written["body"])
        elif kind == "ws" and written.get("body"):
            keys["send"] = {"text": written["body"]}
        if written.get("ssh"):
            why = "SSH is asked as far as before the login; commands are a journey's step"
            self.carried.leave(f'login by SSH of "{name}"', why)
        self._client(
            mapping(written.get("client")), name, keys, secure=scheme in {"https", "wss", "tls", "starttls"}
        )
        return keys

    def _request(self, written: Mapping[str, Any], name: str, keys: dict[str, Any]) -> None:
        method = str(written.get("method") or "GET").upper()
        if method != "GET":
            keys["send"] = {"method": method}
        headers_into(self.carried, name, mapping(written.get("headers")), keys)
        body = written.get("body")
        if body and written.get("graphql"):
            keys.setdefault("send", {})["json"] = {"query": body}
        elif body:
            keys.setdefault("send", {}).update(body_of(self.carried, name, body))

    def _client(self, client: Mapping[str, Any], name: str, keys: dict[str, Any], *, secure: bool) -> None:
        for key, why in _CLIENT.items():
            if client.get(key):
                self.carried.leave(f'client.{key} of "{name}"', why)
        timeout_s = go_duration_s(client.get("timeout"))
        if timeout_s:
            keys["timeout"] = lasting(timeout_s)
        if client.get("insecure") and secure:
            keys.setdefault("tls", {})["verify"] = False
        files = mapping(client.get("tls"))
        for here, there in (("cert", "certificate-file"), ("key", "private-key-file")):
            if files.get(there) and secure:
                keys.setdefault("tls", {})[here] = files[there]
        if client.get("proxy-url"):
            keys.setdefault("http", {})["proxy"] = client["proxy-url"]
        oauth2 = mapping(client.get("oauth2"))
        if oauth2:
            secret = self.secret(
                f"{name}_client", f"the client secret of {name}", oauth2.get("client-secret")
            )
            keys.setdefault("http", {})["oauth2"] = {
                "token_url": oauth2.get("token-url"),
                "client_id": oauth2.get("client-id"),
                "client_secret": secret,
                **(
                    {"scope": " ".join(map(str, listed(oauth2.get("scopes"))))}
                    if oauth2.get("scopes")
                    else {}
                ),
            }
        if client.get("ignore-redirect") and not re.search(
            r"\b3\d\d", str(mapping(keys.get("expect")).get("status"))
        ):
            self.carried.leave(
                f'client.ignore-redirect of "{name}"', "a redirect is followed unless it's expected"
            )


def _dns(server: str, dns: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = type(server)
    query = str(dns.get("query-name") or "").rstrip(".")
    place = server.partition("://")[2] or server
    asked = str(dns.get("query-type") or "A").upper()
    at = joined(kind(f"dns://{place.rstrip('/').removesuffix(':53')}/"), query)
    return at, {"send": {"type": asked}} if asked != "A" else {}


def _merged(keys: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**keys, **more}
