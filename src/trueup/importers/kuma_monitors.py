"""Uptime Kuma's monitors as services, journeys and heartbeats."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from trueup.importers.carried import Carried, Found, joined, lasting
from trueup.importers.credentials import body_of, headers_into, login_of, taken_out
from trueup.importers.kuma_document import Document, Monitor
from trueup.importers.kuma_stores import kafka, mongodb, mqtt, mysql, postgres, rabbitmq, redis, sqlserver
from trueup.importers.lenient import listed, mapping, scalar, whole, words
from trueup.importers.placing import NTP_QUESTION, place_of

_TIMEOUT_SHARE: Final = 0.8
"""Of the interval: what Kuma waits where nobody says anything else."""
_RETRIES_NONE: Final = (
    "Uptime Kuma alerts at once where it has no retries; here two failures 30s apart confirm a state. "
    "As it was: confirm: {failures: 1}"
)
_TIMEOUT: Final = (
    "Uptime Kuma waits for 80 % of the interval where nobody says otherwise; a look here has 5s, or timeout:"
)
_FORMS: Final = {"form": "application/x-www-form-urlencoded", "xml": "text/xml; charset=utf-8"}
"""What Kuma says that a body is, by its encoding; without one it is JSON."""
_CLOSED: Final = (
    '"upside down" became internal: true: these must not be reachable from where this monitor runs, and '
    "location: {outside: true} says that it looks from outside; what is reached is exposed"
)
_CAN_BE_CLOSED: Final = frozenset({"port", "postgres", "mysql", "redis", "mongodb", "mqtt", "smtp", "ping"})
WITHOUT: Final[Mapping[str, str]] = {
    "docker": "a container is seen through the service in it: add container: NAME to that service",
    "system-service": "a unit is seen through the service in it: add unit: NAME to that service",
    "pm2": "a process is seen through the service in it: add process: NAME to that service",
    "oracledb": "trueup doesn't speak Oracle's protocol; tcp://HOST:1521 would see its listener",
    "snmp": "trueup doesn't speak SNMP",
    "radius": "trueup doesn't speak RADIUS",
    "sip-options": "trueup doesn't speak SIP; udp://HOST:5060 with send: and expect: would see an answer",
    "gamedig": "trueup doesn't speak the protocols of games",
    "steam": "trueup doesn't speak the protocols of games",
    "globalping": "it looks from Globalping's places; a trueup of its own there can, with location:",
    "manual": "nobody looks: a state set by hand is an announcement",
}


class Monitors:
    """Carries the monitors of a document over. ``channels`` are the names of channels by id."""

    def __init__(self, carried: Carried, document: Document, channels: Mapping[str, str]) -> None:
        self.carried = carried
        self._document = document
        self._channels = channels
        self._groups = {
            str(one.get("id")): str(one.get("name"))
            for one in document.monitors
            if one.get("type") == "group"
        }

    def carry(self) -> None:
        """All of them, each as its type has it."""
        for monitor in self._document.monitors:
            kind = str(monitor.get("type"))
            if kind == "group":
                self.carried.note(f'the group "{monitor.get("name")}" became a tag of its members')
            elif kind in WITHOUT:
                self.carried.leave(_what(monitor), WITHOUT[kind])
            elif kind not in TYPES:
                self.carried.leave(_what(monitor), f"its type {kind!r} isn't known here")
            elif monitor.get("upsideDown") and kind not in _CAN_BE_CLOSED:
                why = "it is upside down: say instead what it should answer, as in expect: {status: 404}"
                self.carried.leave(_what(monitor), why)
            else:
                self.carried.attempt(_what(monitor), partial(TYPES[kind], self, monitor))

    def add(self, monitor: Monitor, at: str | list[str], **keys: Any) -> None:
        """A service, with what all types have in common."""
        common = self._common(monitor)
        if monitor.get("upsideDown"):
            common["internal"] = True
            self.carried.note(_CLOSED)
        self.carried.checks.append(
            Found(
                str(monitor.get("id")),
                str(monitor.get("name")),
                [at] if isinstance(at, str) else at,
                {**common, **{key: value for key, value in keys.items() if value not in (None, {}, [])}},
                alert=self.alert(monitor),
            )
        )

    def common(self, monitor: Monitor) -> dict[str, Any]:
        """What a target of any kind has: tags, description, and whether it's looked at."""
        tags = [_tag(mapping(tag)) for tag in listed(monitor.get("tags")) if mapping(tag).get("name")]
        group = self._groups.get(str(monitor.get("parent")))
        keys: dict[str, Any] = {"tags": [*([group] if group else []), *tags]}
        if monitor.get("description"):
            keys["description"] = " ".join(str(monitor["description"]).split())
        if monitor.get("active") in (False, 0):
            keys["enabled"] = False
        return {key: value for key, value in keys.items() if value != []}

    def alone(self, monitor: Monitor) -> dict[str, Any]:
        """What a target that is no service has, with whom it alerts."""
        alert = self.alert(monitor)
        return self.common(monitor) | ({} if alert is None else {"alert": alert})

    def _common(self, monitor: Monitor) -> dict[str, Any]:
        keys = self.common(monitor)
        interval = whole(monitor.get("interval"), 60) or 60
        keys["every"] = lasting(interval)
        timeout = whole(monitor.get("timeout"))
        if timeout and timeout != round(interval * _TIMEOUT_SHARE):
            keys["timeout"] = lasting(timeout)
        else:
            self.carried.note(_TIMEOUT)
        retries = whole(monitor.get("maxretries"))
        if retries:
            apart = whole(monitor.get("retryInterval")) or interval
            keys["confirm"] = {"failures": retries + 1, "apart": lasting(apart)}
        else:
            self.carried.note(_RETRIES_NONE)
        again = whole(monitor.get("resendInterval"))
        if again:
            keys["remind"] = lasting(again * interval)
        return keys

    def alert(self, monitor: Monitor) -> list[str] | None:
        """The channels of a monitor; None where there are none at all."""
        told = [key for key, told in mapping(monitor.get("notificationIDList")).items() if told]
        return [self._channels[one] for one in told if one in self._channels] if self._channels else None

    def proxy(self, monitor: Monitor) -> str | None:
        """The address of the proxy that a monitor goes through."""
        row = self._document.proxies.get(str(monitor.get("proxyId")))
        if row is None:
            return None
        if row.get("protocol") != "http":
            self.carried.leave(
                f'proxy of "{monitor.get("name")}"', f"{row.get('protocol')} isn't spoken, http is"
            )
            return None
        place = place_of(str(row.get("host")), row.get("port"))
        if not row.get("auth"):
            return f"http://{place}"
        name = f"proxy {row.get('host')}"
        word = self.carried.secret(name, f"the password of the {name}", str(row.get("password")))
        return joined(f"http://{row.get('username')}:", word, f"@{place}")


def _what(monitor: Monitor) -> str:
    return f'"{monitor.get("name")}" ({monitor.get("type")})'


def _tag(tag: Mapping[str, Any]) -> str:
    return f"{tag['name']}={tag['value']}" if tag.get("value") else str(tag["name"])


def _http(monitors: Monitors, monitor: Monitor) -> None:
    carried, name = monitors.carried, str(monitor.get("name"))
    url, login = taken_out(carried, name, str(monitor.get("url") or ""))
    keys: dict[str, Any] = {"login": login} if login else {}
    method = str(monitor.get("method") or "GET").upper()
    if method != "GET":
        keys["send"] = {"method": method}
    headers_into(carried, name, _headers(carried, monitor), keys)
    if monitor.get("body"):
        keys.setdefault("send", {}).update(body_of(carried, name, str(monitor["body"])))
    keys["expect"] = {"status": _statuses(carried, monitor)}
    keys["tls"] = _tls(carried, monitor) if url.startswith("https") else None
    _authentication(monitors, monitor, keys)
    proxy = monitors.proxy(monitor)
    if proxy is not None:
        keys.setdefault("http", {})["proxy"] = proxy
    _expectation(carried, monitor, keys["expect"])
    monitors.add(monitor, url, **keys)


def _statuses(carried: Carried, monitor: Monitor) -> Any:
    statuses = [int(one) if one.isdecimal() else one for one in words(monitor.get("accepted_statuscodes"))]
    statuses = statuses or ["200-299"]
    redirects = whole(monitor.get("maxredirects"), 10)
    if redirects == 0 and not any(str(one).startswith("3") for one in statuses):
        carried.leave(
            f'maxredirects 0 of "{monitor.get("name")}"', "a redirect is followed unless it's expected"
        )
    return statuses if len(statuses) > 1 else statuses[0]


def _tls(carried: Carried, monitor: Monitor) -> dict[str, Any] | None:
    if monitor.get("tlsCert") or monitor.get("tlsKey") or monitor.get("tlsCa"):
        why = "it is kept as text there: save it as files, and name them in tls: {ca:, cert:, key:}"
        carried.leave(f'certificate of "{monitor.get("name")}"', why)
    return {"verify": False} if monitor.get("ignoreTls") else None


def _authentication(monitors: Monitors, monitor: Monitor, keys: dict[str, Any]) -> None:
    carried, name = monitors.carried, str(monitor.get("name"))
    how = str(monitor.get("authMethod") or ("basic" if monitor.get("basic_auth_user") else ""))
    if how == "basic" and monitor.get("basic_auth_pass"):
        word = carried.secret(f"{name}_password", f"the password of {name}", str(monitor["basic_auth_pass"]))
        keys["login"] = login_of(str(monitor.get("basic_auth_user") or ""), word)
    elif how == "oauth2-cc":
        secret = carried.secret(
            f"{name}_client", f"the client secret of {name}", monitor.get("oauth_client_secret")
        )
        oauth2 = {
            "token_url": str(monitor.get("oauth_token_url")),
            "client_id": str(monitor.get("oauth_client_id")),
            "client_secret": secret,
        }
        if monitor.get("oauth_scopes"):
            oauth2["scope"] = str(monitor["oauth_scopes"])
        keys.setdefault("http", {})["oauth2"] = oauth2
    elif how == "ntlm":
        carried.leave(f'login of "{name}"', "trueup doesn't log in by NTLM")


_PATH: Final = re.compile(r"\$?\.?([A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*)", re.ASCII)


def _expectation(carried: Carried, monitor: Monitor, expect: dict[str, Any]) -> None:
    if monitor.get("type") == "keyword" and monitor.get("keyword"):
        expect["not_contains" if monitor.get("invertKeyword") else "contains"] = str(monitor["keyword"])
    if monitor.get("type") != "json-query":
        return
    path, operator = str(monitor.get("jsonPath") or ""), str(monitor.get("jsonPathOperator") or "==")
    found = _PATH.fullmatch(path)
    if found is None or operator != "==":
        carried.leave(
            f'expectation of "{monitor.get("name")}"', f"{path} {operator} isn't a path and a value"
        )
        return
    expect["json"] = {found[1]: scalar(str(monitor.get("expectedValue")))}


def _json(carried: Carried, monitor: Monitor, key: str) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(str(monitor.get(key) or "{}")))
    except ValueError:
        carried.leave(f'{key} of "{monitor.get("name")}"', "it isn't JSON there")
        return {}


def _headers(carried: Carried, monitor: Monitor) -> Mapping[str, Any]:
    """Its own, and what Kuma says of the body."""
    headers = _json(carried, monitor, "headers")
    form = _FORMS.get(str(monitor.get("httpBodyEncoding"))) if monitor.get("body") else None
    named = any(header.lower() == "content-type" for header in headers)
    return headers if form is None or named else {"Content-Type": form, **headers}


def _port(monitors: Monitors, monitor: Monitor) -> None:
    monitors.add(monitor, f"tcp://{place_of(str(monitor.get('hostname')), monitor.get('port'))}")


def _ntp(monitors: Monitors, monitor: Monitor) -> None:
    place = place_of(str(monitor.get("hostname")), monitor.get("port") or 123)
    monitors.carried.note("NTP: whether a server answers is seen, not whether its clock is right")
    monitors.add(monitor, f"udp://{place}", hex=NTP_QUESTION)


def _ping(monitors: Monitors, monitor: Monitor) -> None:
    monitors.add(monitor, f"icmp://{place_of(str(monitor.get('hostname')))}")


def _dns(monitors: Monitors, monitor: Monitor) -> None:
    port = whole(monitor.get("port"), 53)
    servers = words(monitor.get("dns_resolve_server")) or ["1.1.1.1"]
    kind = str(monitor.get("dns_resolve_type") or "A").upper()
    name = str(monitor.get("hostname"))
    at = [f"dns://{place_of(server, None if port == 53 else port)}/{name}" for server in servers]
    if monitor.get("conditions") not in (None, "", "[]", []):
        monitors.carried.leave(
            f'conditions of "{monitor.get("name")}"', "say what is expected: expect: {records: [...]}"
        )
    monitors.add(monitor, at, send={"type": kind} if kind != "A" else None)


def _push(monitors: Monitors, monitor: Monitor) -> None:
    carried, name = monitors.carried, str(monitor.get("name"))
    interval, retries = whole(monitor.get("interval"), 60) or 60, whole(monitor.get("maxretries"))
    keys: dict[str, Any] = {"every": lasting(interval)}
    if retries:
        keys["grace"] = lasting(retries * (whole(monitor.get("retryInterval")) or interval))
    keys |= monitors.alone(monitor)
    if monitor.get("pushToken"):
        keys["token"] = carried.secret(f"{name}_token", f"the token of {name}", str(monitor["pushToken"]))
        carried.note("a job that called /api/push/TOKEN calls /api/v1/heartbeats/TOKEN now")
    known = carried.name_for(name)
    carried.heartbeats[known] = keys
    carried.names[str(monitor.get("id"))] = known


def _smtp(monitors: Monitors, monitor: Monitor) -> None:
    security = str(monitor.get("smtpSecurity") or "")
    place = place_of(str(monitor.get("hostname")), monitor.get("port"))
    scheme = (
        "smtps" if security == "secure" else "submission" if str(monitor.get("port")) == "587" else "smtp"
    )
    monitors.add(monitor, f"{scheme}://{place}", tls={"verify": True} if security == "starttls" else None)


def _grpc(monitors: Monitors, monitor: Monitor) -> None:
    scheme = "grpcs" if monitor.get("grpcEnableTls") else "grpc"
    why = "the standard health service is asked, not a method of your own; name it: grpc://HOST:PORT/SERVICE"
    monitors.carried.leave(f'method and keyword of "{monitor.get("name")}"', why)
    place = str(monitor.get("grpcUrl") or "").partition("://")[2] or str(monitor.get("grpcUrl"))
    monitors.add(monitor, f"{scheme}://{place.rstrip('/')}")


def _websocket(monitors: Monitors, monitor: Monitor) -> None:
    carried, name = monitors.carried, str(monitor.get("name"))
    url, login = taken_out(carried, name, str(monitor.get("url") or ""))
    monitors.add(monitor, url, login=login, tls=_tls(carried, monitor) if url.startswith("wss") else None)


def _browser(monitors: Monitors, monitor: Monitor) -> None:
    url, _ = taken_out(monitors.carried, str(monitor.get("name")), str(monitor.get("url") or ""))
    known = monitors.carried.name_for(str(monitor.get("name")))
    keys = monitors.alone(monitor)
    every = lasting(whole(monitor.get("interval"), 60) or 60)
    monitors.carried.journeys[known] = {**keys, "every": every, "steps": [{"browser": [{"open": url}]}]}
    monitors.carried.names[str(monitor.get("id"))] = known
    monitors.carried.note(
        "a browser is an extra: pipx install 'trueup[browser]', and Chromium itself: apt install chromium"
    )


def _store(read: Callable[[Carried, Monitor], tuple[str | list[str], dict[str, Any]] | None]) -> Any:
    def carry(monitors: Monitors, monitor: Monitor) -> None:
        found = read(monitors.carried, monitor)
        if found is None:
            monitors.carried.leave(
                _what(monitor), "its address can't be read, or names many servers by one word"
            )
            return
        at, keys = found
        monitors.add(monitor, at, **keys)

    return carry


TYPES: Final[Mapping[str, Callable[[Monitors, Monitor], None]]] = {
    "http": _http,
    "keyword": _http,
    "json-query": _http,
    "port": _port,
    "ping": _ping,
    "tailscale-ping": _ping,
    "dns": _dns,
    "ntp": _ntp,
    "push": _push,
    "smtp": _smtp,
    "grpc-keyword": _grpc,
    "websocket-upgrade": _websocket,
    "real-browser": _browser,
    "postgres": _store(postgres),
    "mysql": _store(mysql),
    "sqlserver": _store(sqlserver),
    "mongodb": _store(mongodb),
    "redis": _store(redis),
    "mqtt": _store(mqtt),
    "rabbitmq": _store(rabbitmq),
    "kafka-producer": _store(kafka),
}
