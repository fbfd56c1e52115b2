"""Checks become services: those of one address are one, those of one server asked alike are a list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.domain.address import Address, AddressError, parse_address
from trueup.domain.duration import parse_duration
from trueup.importers.carried import Carried, Found, unused
from trueup.probes.registry import SCHEMES, by_scheme

_ASKED: Final = ("send", "login", "http", "query", "hex", "queue", "roundtrip", "version")
"""What makes two looks at one address different looks."""
_SILENT: Final = frozenset({"tcp", "tls"})
_SHORTEST: Final = frozenset({"every", "slow", "remind"})
_LONGEST: Final = frozenset({"timeout", "expires_within"})


@dataclass(slots=True)
class Service:
    """A service in the making, and the keys of the checks that it's made of."""

    name: str
    at: list[str]
    keys: dict[str, Any]
    needs: list[str] = field(default_factory=list)
    alert: set[str] | None = None
    made_of: list[Found] = field(default_factory=list)


def services_of(carried: Carried) -> dict[str, Service]:
    """The services by name, in the order of their first checks; what became one is noted."""
    doors: dict[str, list[Found]] = {}
    for check in carried.checks:
        doors.setdefault(_door(check), []).append(check)
    made = [service for checks in doors.values() for service in _of_one_door(checks)]
    order = {check.key: place for place, check in enumerate(carried.checks)}
    made.sort(key=lambda service: min(order[check.key] for check in service.made_of))
    services: dict[str, Service] = {}
    taken = {*carried.heartbeats, *carried.journeys}
    for service in made:
        service.name = unused(service.name, {*taken, *services})
        services[service.name] = service
        if len(service.made_of) > 1:
            names = ", ".join(f'"{check.name}"' for check in service.made_of)
            carried.note(f"{names} are one service: {service.name}")
    return services


def _address(text: str) -> Address | None:
    try:
        return parse_address(text, SCHEMES)
    except AddressError:
        return None  # it may hold a reference where a number belongs


def _door(check: Found) -> str:
    """What two checks of one server have in common: host, port, and that it must be open, or closed."""
    address = _address(check.at[0])
    if address is None:
        return check.at[0]
    closed = "closed " if check.keys.get("internal") else ""
    if address.socket_path:
        return closed + address.socket_path
    scheme = by_scheme()[address.scheme].schemes[address.scheme] if address.scheme else None
    port = address.port or (scheme.port if scheme else None)
    how = address.scheme if port is None else scheme.transport.value if scheme else "tcp"
    return f"{closed}{how} {address.host.lower()} {port}"


def _scheme(check: Found) -> str:
    return check.at[0].partition("://")[0].lower()


def _is_silent(check: Found) -> bool:
    """Whether it asks for no more than a connection or a handshake."""
    return _scheme(check) in _SILENT and not any(key in check.keys for key in ("send", "expect"))


def _of_one_door(checks: list[Found]) -> list[Service]:
    """The services that the checks of one door become."""
    made: list[Service] = []
    for check in sorted(checks, key=_is_silent):  # those that ask for more come first, and take in the others
        if not any(_take_in(service, check) for service in made):
            alert = None if check.alert is None else set(check.alert)
            made.append(
                Service(check.name, list(check.at), dict(check.keys), list(check.needs), alert, [check])
            )
    return made


def _take_in(service: Service, check: Found) -> bool:
    """Make the check a part of the service, where it can be one."""
    first = service.made_of[0]
    if _is_silent(check):
        if _scheme(check) == "tls" and not _speaks_tls(first):
            return False
        keys = _unified(service.keys, check.keys)
        if keys is None:
            return False
    else:
        same = check.at == service.at
        if not same and (len(check.at) > 1 or _scheme(first) != _scheme(check)):
            return False
        if any(service.keys.get(key) != check.keys.get(key) for key in _ASKED):
            return False
        if not same and service.keys.get("expect") != check.keys.get("expect"):
            return False
        keys = _unified(service.keys, check.keys)
        if keys is None:
            return False
        service.at += [one for one in check.at if one not in service.at]
    service.keys = keys
    service.needs += [need for need in check.needs if need not in service.needs]
    service.alert = None if service.alert is None or check.alert is None else service.alert | {*check.alert}
    service.made_of.append(check)
    return True


def _speaks_tls(check: Found) -> bool:
    address = _address(check.at[0])
    return (
        address is not None
        and bool(address.scheme)
        and by_scheme()[address.scheme].schemes[address.scheme].tls
    )


def _unified(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    """Both sets of keys as one; None where they contradict each other."""
    keys = dict(one)
    for key, value in other.items():
        if key not in keys:
            keys[key] = value
        elif keys[key] != value:
            together = _together(key, keys[key], value)
            if together is None:
                return None
            keys[key] = together
    return keys


def _together(key: str, one: Any, other: Any) -> Any:
    if key in _SHORTEST:
        return min(one, other, key=parse_duration)
    if key in _LONGEST:
        return max(one, other, key=parse_duration)
    if key == "tags":
        return [*one, *(tag for tag in other if tag not in one)]
    if key == "description":
        return f"{one}; {other}"
    if key == "confirm":  # the quicker
        return min(one, other, key=_until_confirmed_s)
    if key in {"recover", "tier"}:
        return min(one, other)
    if key == "enabled":
        return True
    if key in {"contains", "not_contains"}:
        return list(dict.fromkeys((*_many(one), *_many(other))))
    if isinstance(one, dict) and isinstance(other, dict):
        return _unified(one, other)
    return None


def _until_confirmed_s(confirm: Mapping[str, Any]) -> float:
    return (int(confirm.get("failures", 2)) - 1) * parse_duration(confirm.get("apart", "30s"))


def _many(texts: Any) -> Iterable[Any]:
    return texts if isinstance(texts, list) else (texts,)
