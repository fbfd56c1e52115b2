"""How the days went: what each was like, and how much of the time a target was up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from trueup.web.rendering import parsed

DAYS: Final = 90
_DAY: Final = timedelta(days=1)
NO_DATA: Final = "none"


@dataclass(frozen=True, slots=True)
class Day:
    """``state``: the worst that was confirmed on it, ``none`` where nobody looked. ``down_s``: for how
    long, of the ``length_s`` that have gone by of it.
    """

    on: date
    state: str
    down_s: float
    length_s: float = 86400.0


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row that were alike, the oldest at the place ``first``; what was down stands alone."""

    first: int
    days: list[Day]


@dataclass(frozen=True, slots=True)
class Bars:
    """Days as they are drawn: run by run, for most of what is watched is up for weeks."""

    days: int
    runs: list[Run]
    says: str


def bars(some: Sequence[Day]) -> Bars:
    """The drawing of these days."""
    counts = Counter(one.state for one in some)
    says = f"{len(some)} days: {counts['down']} with something down, {counts['degraded']} degraded"
    return Bars(len(some), list(_runs(some)), f"{says}, {counts[NO_DATA]} without data")


def _runs(some: Sequence[Day]) -> Iterator[Run]:
    first = 0
    for _, alike in groupby(some, lambda day: (day.state, day.on if day.down_s else None)):
        run = Run(first, list(alike))
        first += len(run.days)
        yield run


def days(
    points: Sequence[dict[str, Any]], incidents: Sequence[dict[str, Any]], now: datetime, count: int = DAYS
) -> list[Day]:
    """The last ``count`` days in UTC, the oldest first; ``points`` are of a day each, or shorter."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    looked_on = {at.date() for point in points if (at := parsed(point["at"])) is not None}
    return [_day(midnight - _DAY * ago, looked_on, incidents, now) for ago in range(count - 1, -1, -1)]


def _day(begin: datetime, looked_on: set[date], incidents: Sequence[dict[str, Any]], now: datetime) -> Day:
    end = min(begin + _DAY, now)
    troubled = {state: _lasted_s(incidents, state, begin, end) for state in ("down", "degraded")}
    state = next((state for state, lasted_s in troubled.items() if lasted_s > 0), None)
    if state is None:
        state = "up" if begin.date() in looked_on else NO_DATA
    return Day(begin.date(), state, troubled["down"], (end - begin).total_seconds())


def _lasted_s(incidents: Sequence[dict[str, Any]], state: str, begin: datetime, end: datetime) -> float:
    total = 0.0
    for one in incidents:
        if one["state"] != state or one["confirmed_at"] is None:
            continue
        opened = parsed(one["opened_at"]) or end
        closed = parsed(one["closed_at"]) if one["closed_at"] else end
        total += max(0.0, (min(closed or end, end) - max(opened, begin)).total_seconds())
    return min(total, (end - begin).total_seconds())


def uptime(some: Sequence[Day]) -> float | None:
    """The share of time that it wasn't down, of the days on which somebody looked; None without any."""
    known = [one for one in some if one.state != NO_DATA]
    if not known:
        return None
    return 1 - sum(one.down_s for one in known) / max(1.0, sum(one.length_s for one in known))


def percent(share: float | None) -> str:
    """Cut, not rounded: what was down for a second wasn't up all the time."""
    if share is None:
        return "–"
    return "100 %" if share >= 1 else f"{int(share * 100_000) / 1000:.3f}".rstrip("0").rstrip(".") + " %"
