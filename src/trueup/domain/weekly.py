"""Days of the week and hours of the day as people write them: ``Mon-Fri``, ``09:00-18:00``, ``Sun 02:00``."""

import re
from dataclasses import dataclass
from typing import Final

from trueup.domain.cron import Cron
from trueup.domain.nearest import nearest
from trueup.domain.understood import NotUnderstood, quoted

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEVERAL: Final = {
    **dict.fromkeys(("weekday", "weekdays", "workdays"), "Mon-Fri"),
    **dict.fromkeys(("weekend", "weekends"), "Sat,Sun"),
    **dict.fromkeys(("all", "daily", "everyday"), "Mon-Sun"),
}
"""What people write for several days."""
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_MINUTES_OF_DAY: Final = 24 * 60


class WeeklyError(NotUnderstood):
    """A text that is no time of the week."""


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of the week; 0 is Monday, as in ``datetime.weekday``."""

    text: str
    days: frozenset[int]


@dataclass(frozen=True, slots=True)
class DayHours:
    """A part of the day, in minutes since midnight. ``end`` before ``start`` is on the next day."""

    text: str
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Weekly(Cron):
    """A time that comes each week, on one day or several."""


def parse_weekdays(text: str) -> Weekdays:
    """Read ``Mon-Fri`` or ``Sat,Sun``; a range may run over Sunday.

    Raises:
        WeeklyError: with the nearest day.
    """
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        start = _day(first.strip())
        end = _day(last.strip()) if dash else start
        days |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return Weekdays(text, frozenset(days))


def _day(word: str) -> int:
    lowered = word.lower()
    for place, (short, long) in enumerate(zip(DAYS, _LONG, strict=True)):
        if lowered in {short.lower(), long}:
            return place
    if lowered in _SEVERAL:
        raise WeeklyError(f"{quoted(word)} is no day", f"write {_SEVERAL[lowered]}")
    close = nearest(lowered, [day.lower() for day in DAYS]) or nearest(lowered, _LONG)
    raise WeeklyError(
        f"{quoted(word)} is no day",
        f"did you mean {close[:3].title()}?" if close else "days are " + " ".join(DAYS),
    )


def parse_hours(text: str) -> DayHours:
    """Read ``09:00-18:00``; ``22:00-06:00`` runs over midnight; ``24:00`` is the day's end.

    Raises:
        WeeklyError: with what to write instead.
    """
    first, dash, last = text.partition("-")
    start = _minutes(first.strip())
    end = _MINUTES_OF_DAY if last.strip() == "24:00" else _minutes(last.strip())
    if not dash or start is None or end is None:
        raise WeeklyError(f"{quoted(text)} is no part of a day", "write it as in 09:00-18:00")
    if start == end:
        raise WeeklyError(f"{quoted(text)} ends as it begins", "write 00:00-24:00 for the whole day")
    return DayHours(text, start, end)


def _minutes(clock: str) -> int | None:
    match = _CLOCK.fullmatch(clock)
    return int(match[1]) * 60 + int(match[2]) if match else None


def parse_weekly(text: str) -> Weekly:
    """Read ``Sun 02:00`` or ``Sat,Sun 02:00``.

    Raises:
        WeeklyError: with what to write instead.
    """
    days, _, clock = text.strip().rpartition(" ")
    minutes = _minutes(clock)
    if minutes is None or not days:
        raise WeeklyError(f"{quoted(text)} is no time of the week", "write it as in Sun 02:00")
    # Cron counts days from Sunday, a date from Monday.
    weekdays = frozenset((day + 1) % 7 for day in parse_weekdays(days).days)
    return Weekly(
        text,
        minutes=frozenset({minutes % 60}),
        hours=frozenset({minutes // 60}),
        days=frozenset(range(1, 32)),
        months=frozenset(range(1, 13)),
        weekdays=weekdays,
    )
