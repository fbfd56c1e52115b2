"""The configuration as a person would have written it: what most have in common is said once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trueup.config.tiers import DEFAULTS
from trueup.domain.tier import TIER_DEFAULT
from trueup.importers.carried import Carried
from trueup.importers.merging import Service, services_of

_ORDER: Final = (
    "at", "tier", "description", "tags", "enabled", "login", "query", "queue", "send", "hex", "expect",
    "roundtrip", "version", "tls", "http", "host", "unit", "process", "container", "internal", "needs",
    "slow", "timeout", "every", "confirm", "recover", "alert", "remind", "runbook",
)  # fmt: skip
_IN_COMMON: Final = ("every", "confirm", "recover", "alert")


def composed(carried: Carried) -> dict[str, Any]:
    """The tree of the configuration."""
    services = services_of(carried)
    names = _names(carried, services)
    written = {name: _written(carried, service, names) for name, service in services.items()}
    tiers = _tiers(written, carried)
    for keys in (*carried.heartbeats.values(), *carried.journeys.values()):
        if keys.get("alert") == list(carried.channels) and "alert" not in tiers.get(TIER_DEFAULT, {}):
            del keys["alert"]
    tree: dict[str, Any] = {
        "services": {name: _shortest(keys) for name, keys in written.items()},
        "journeys": carried.journeys,
        "heartbeats": carried.heartbeats,
        "tiers": tiers,
        "channels": carried.channels,
        "maintenance": [
            {**one, "targets": _meant(one["targets"], names)}
            for one in carried.maintenance
            if _meant(one["targets"], names)
        ],
        "uplink": carried.uplink,
        "location": {"outside": True} if any(keys.get("internal") for keys in written.values()) else {},
        "status_page": _status_page(carried, names),
    }
    return {section: value for section, value in tree.items() if value}


def _names(carried: Carried, services: Mapping[str, Service]) -> dict[str, str]:
    """The name of a target by each key that it had."""
    names = dict(carried.names)
    for name, service in services.items():
        names |= {check.key: name for check in service.made_of}
    return names


def _written(carried: Carried, service: Service, names: Mapping[str, str]) -> dict[str, Any]:
    keys = dict(service.keys)
    keys["at"] = service.at if len(service.at) > 1 else service.at[0]
    needs = []
    for need in service.needs:
        if need not in names:
            carried.leave(f'"{need}", needed by "{service.name}"', "it isn't a target here")
        elif names[need] != service.name and names[need] not in needs:
            needs.append(names[need])
    if needs:
        keys["needs"] = needs
    if service.alert is not None:
        keys["alert"] = [name for name in carried.channels if name in service.alert]
    return {
        key: keys[key] for key in _ORDER if key in keys and (keys[key] not in ({}, [], "") or key == "alert")
    }


def _tiers(written: Mapping[str, dict[str, Any]], carried: Carried) -> dict[int, dict[str, Any]]:
    """What most services of a tier have, said by the tier instead."""
    levels: dict[int, dict[str, dict[str, Any]]] = {}
    for name, keys in written.items():
        levels.setdefault(keys.get("tier", TIER_DEFAULT), {})[name] = keys
    tiers = {
        level: _in_common(level, list(services.values()), list(carried.channels))
        | _reminders(carried, services)
        for level, services in sorted(levels.items())
    }
    for level, services in levels.items():
        for keys in services.values():
            if keys.get("alert") == list(carried.channels) and "alert" not in tiers[level]:
                del keys["alert"]  # left out, it is all
    return {level: tier for level, tier in tiers.items() if tier}


def _in_common(level: int, services: list[dict[str, Any]], channels: list[str]) -> dict[str, Any]:
    tier: dict[str, Any] = {}
    for key in _IN_COMMON:
        said = [keys[key] for keys in services if key in keys]
        if len(said) < 2 or len(said) < len(services):
            continue
        most = _most(said)
        if said.count(most) > 1:
            if most != DEFAULTS[level].get(key, channels):
                tier[key] = most
            for keys in services:
                if keys[key] == most:
                    del keys[key]
    return tier


def _reminders(carried: Carried, services: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A tier's, where most of its services have the same: a service has none of its own."""
    said = {name: keys.pop("remind") for name, keys in services.items() if "remind" in keys}
    values = list(said.values())
    most = _most(values) if values else None
    if values.count(most) * 2 <= len(services):
        most = None
    for name, remind in said.items():
        if remind != most:
            carried.leave(
                f'reminder of "{name}"', f"reminders are the tier's; there it's {remind}, see tiers:"
            )
    return {"remind": most} if most else {}


def _most(values: list[Any]) -> Any:
    counted = Counter(map(repr, values))
    most, _ = counted.most_common(1)[0]
    return next(value for value in values if repr(value) == most)


def _shortest(keys: dict[str, Any]) -> Any:
    """An address alone, where nothing else is said."""
    return keys["at"] if set(keys) == {"at"} and isinstance(keys["at"], str) else keys


def _meant(words: Iterable[str], names: Mapping[str, str]) -> list[str]:
    found = [word if word == "*" else names.get(word) for word in words]
    return list(dict.fromkeys(word for word in found if word))


def _status_page(carried: Carried, names: Mapping[str, str]) -> dict[str, Any]:
    groups = {title: _meant(keys, names) for title, keys in carried.groups.items()}
    groups = {title: targets for title, targets in groups.items() if targets}
    if not groups:
        return {}
    return {"title": carried.title, "groups": groups} if carried.title else {"groups": groups}
