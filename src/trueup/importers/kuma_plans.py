"""Uptime Kuma's planned maintenance."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from trueup.domain.weekly import DAYS
from trueup.importers.carried import Carried, lasting
from trueup.importers.lenient import whole

_SERVER: Final = frozenset({"", "SAME_AS_SERVER", "None"})
_DAY_S: Final = 86400


def carry_maintenance(carried: Carried, plan: Mapping[str, Any], server_zone: str) -> None:
    """Carry one over, in whatever way it recurs."""
    what = f'maintenance "{plan.get("title") or plan.get("id")}"'
    if not plan.get("active", True):
        carried.leave(what, "it isn't active there")
        return
    zone = str(plan.get("timezone") or "")
    zone = server_zone if zone in _SERVER else zone
    try:
        when = _when(plan, zone)
    except (ValueError, TypeError, KeyError, OSError):
        when = None
    if when is None:
        carried.leave(
            what, f"its way to recur ({plan.get('strategy')}) can't be said here; see trueup maintenance"
        )
    elif not plan.get("monitors"):
        carried.leave(what, "it is for no monitor")
    else:
        note = {"note": str(plan["title"])} if plan.get("title") else {}
        carried.maintenance.append({"targets": list(plan["monitors"]), **when, **note})


def _when(plan: Mapping[str, Any], zone: str) -> dict[str, Any] | None:
    strategy = str(plan.get("strategy"))
    if strategy == "single":
        start, end = (_moment(plan[key]) for key in ("start_date", "end_date"))
        aware = start.replace(tzinfo=ZoneInfo(zone))
        return {"from": aware.isoformat(timespec="minutes"), "for": lasting((end - start).total_seconds())}
    if strategy == "cron":
        return {
            "cron": str(plan["cron"]),
            "for": lasting(whole(plan.get("duration"), 3600)),
            "timezone": zone,
        }
    if not strategy.startswith("recurring-"):
        return None
    begins, ends = (_minutes(plan[key]) for key in ("start_time", "end_time"))
    lasts = {"for": lasting((ends - begins) * 60 % _DAY_S or _DAY_S), "timezone": zone}
    clock = f"{begins // 60:02}:{begins % 60:02}"
    if strategy == "recurring-weekday":
        days = [DAYS[(whole(day) - 1) % 7] for day in json.loads(str(plan["weekdays"]))]
        return {"weekly": f"{','.join(days)} {clock}", **lasts} if days else None
    if strategy == "recurring-day-of-month":
        month_days = json.loads(str(plan["days_of_month"]))
        if not month_days or any("last" in str(day) for day in month_days):
            return None
        return {
            "cron": f"{begins % 60} {begins // 60} {','.join(str(whole(day)) for day in month_days)} * *",
            **lasts,
        }
    if whole(plan.get("interval_day")) == 1:
        return {"cron": f"{begins % 60} {begins // 60} * * *", **lasts}
    return None


def _moment(text: Any) -> datetime:
    """Of the server's clock, without a zone."""
    return datetime.fromisoformat(str(text).replace("Z", "")).replace(tzinfo=None, second=0, microsecond=0)


def _minutes(clock: Any) -> int:
    if isinstance(clock, dict):
        return whole(clock.get("hours")) * 60 + whole(clock.get("minutes"))
    hours, minutes = str(clock).split(":")[:2]
    return int(hours) * 60 + int(minutes)
