"""Documents as the API answers them, for reviews of a week that never was."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from trueup.reports.material import Material

START = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
END = START + timedelta(days=7)
_NUMBERS = count(1)


def at(hours: float) -> str:
    """So many hours after the week's beginning."""
    return (START + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def incident(target: str, cause: str, hours: float, lasts_h: float | None, **keys: Any) -> dict[str, Any]:
    """One that began so many hours into the week; None lasts still."""
    told = keys.pop("told", True)
    found = {
        "id": next(_NUMBERS),
        "target": target,
        "tier": 2,
        "state": "down",
        "layer": "service",
        "cause": cause,
        "blame": target,
        "summary": f"{target} is {cause}",
        "next": [],
        "opened_at": at(hours),
        "confirmed_at": at(hours + 0.01),
        "closed_at": None if lasts_h is None else at(hours + lasts_h),
        "acknowledged_by": None,
        "timeline": [{"at": at(hours), "what": "failed for the first time"}],
        "notifications": [
            {"channel": "hook", "event": "opened", "sent_at": at(hours + 0.02), "result": "200 OK"}
        ]
        if told
        else [],
    }
    return found | keys


def target(name: str, at_: str, **keys: Any) -> dict[str, Any]:
    found = {"name": name, "kind": "service", "at": at_, "state": "up", "tier": 2, "observations": []}
    return found | keys


def history(name: str, p50s_ms: Sequence[float], layer: str = "service", **counts: int) -> dict[str, Any]:
    """One point an hour; ``counts`` are those of the tenth."""
    points = [
        {
            "at": at(hour),
            "state": "up",
            "layers": {layer: {"p50_ms": ms, "p95_ms": ms * 2, "max_ms": ms * 3, "n": 60}},
            "counts": {"up": 60},
        }
        for hour, ms in enumerate(p50s_ms)
    ]
    if counts:
        points[10]["counts"] = counts
    return {"target": name, "step_s": 3600, "points": points}


def listener(port: int, speaks: str | None, **keys: Any) -> dict[str, Any]:
    found = {
        "address": "0.0.0.0",
        "port": port,
        "protocol": "tcp",
        "speaks": speaks,
        "pid": 1,
        "process": speaks,
        "user": "root",
        "unit": None,
        "container": None,
    }
    return found | keys


def machine(host: str, *listeners: dict[str, Any], here: bool = True) -> dict[str, Any]:
    names = ["127.0.0.1", "localhost", host] if here else [host]
    return {"host": host, "here": here, "fresh": True, "names": names, "listeners": list(listeners)}


def material(**keys: Any) -> Material:
    return Material(START, END, **({"channels": ["hook"]} | keys))
