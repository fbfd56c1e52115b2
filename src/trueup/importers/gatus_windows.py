"""Gatus's maintenance windows."""

from collections.abc import Mapping
from typing import Any

from trueup.domain.weekly import DAYS
from trueup.importers.carried import Carried, lasting
from trueup.importers.go_durations import go_duration_s
from trueup.importers.lenient import listed


def carry_window(carried: Carried, plan: Mapping[str, Any], targets: list[str], what: str) -> None:
    """A maintenance window: a start, a duration, and the days of the week on which it recurs."""
    lasts_s = go_duration_s(plan.get("duration"))
    start = str(plan.get("start") or "")
    days = [str(day)[:3].title() for day in listed(plan.get("every"))]
    if lasts_s is None or len(start.split(":")) != 2:
        carried.leave(what, "it has no start or no duration")
        return
    weekly = ",".join(days) if days and len(set(days)) < len(DAYS) else "Mon-Sun"
    window: dict[str, Any] = {"targets": targets, "weekly": f"{weekly} {start}", "for": lasting(lasts_s)}
    if plan.get("timezone"):
        window["timezone"] = str(plan["timezone"])
    carried.maintenance.append(window)
