"""Times that come again, in the five fields of cron: minute, hour, day of month, month, day of week."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from trueup.domain.nearest import nearest
from trueup.domain.printable import printable
from trueup.domain.understood import NotUnderstood, quoted

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS_OF: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CHANGE_HOURS_MAX: Final = 2
_DAYS_AHEAD_MAX: Final = 8 * 366 + 1
"""29 February comes again within eight years, also across 2100."""


class CronError(NotUnderstood):
    """A text that is no cron expression."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    names_from: int = 0


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, MONTHS, 1),
    _Field("day of the week", 0, 7, DAYS),
)
_RANGE: Final = re.compile(r"(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:/(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression. ``text`` is as written.

    As in Vixie cron, where both days are restricted (neither begins with ``*``), either will do.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool = False

    def __str__(self) -> str:
        return self.text

    def next_after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first time after ``moment`` (aware), in UTC; None where there is none for eight years.

        The fields are wall-clock time in ``zone``. A time that a change to summer time skips comes as
        much later; one that a change back repeats comes once, at its first pass.
        """
        local = moment.astimezone(zone)
        for ahead in range(-1, _DAYS_AHEAD_MAX):
            day = local.date() + timedelta(days=ahead)
            if self._falls_on(day):
                found = self._first_on(day, moment, zone)
                if found is not None:
                    return found
        return None

    def _falls_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)

    def _first_on(self, day: date, moment: datetime, zone: tzinfo) -> datetime | None:
        first_hour: int | None = None
        found: list[datetime] = []
        for hour in sorted(self.hours):
            # Where clocks change, a later time on the wall may come first, but not by more than two hours.
            if first_hour is not None and hour > first_hour + _CHANGE_HOURS_MAX:
                break
            times = (datetime.combine(day, time(hour, minute), zone) for minute in sorted(self.minutes))
            after = [at for at in (local.astimezone(UTC) for local in times) if at > moment]
            if after and first_hour is None:
                first_hour = hour
            found += after
        return min(found, default=None)


def parse_cron(text: str) -> Cron:
    """Read five fields, or a nickname such as ``@daily``.

    Raises:
        CronError: with the field that can't be read, or where it never comes.
    """
    words = NICKNAMES.get(text.lower(), text).split()
    if text.startswith("@") and text.lower() not in NICKNAMES:
        close = nearest(text, NICKNAMES)
        raise CronError(
            f"unknown nickname {quoted(text)}",
            f"did you mean {close}?" if close else "known: " + " ".join(NICKNAMES),
        )
    if len(words) != len(_FIELDS):
        raise CronError(
            f"{len(words)} field{'s' if len(words) != 1 else ''} where cron has 5",
            'write minute hour day month weekday, as in "0 3 * * *"',
        )
    minutes, hours, days, months, weekdays = (
        _parse_field(word, field) for word, field in zip(words, _FIELDS, strict=True)
    )
    either_day = not words[2].startswith("*") and not words[4].startswith("*")
    cron = Cron(text, minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either_day)
    if not either_day and all(min(days) > _DAYS_OF[month - 1] for month in months):
        raise CronError(f"{quoted(text)} never comes", "no such month has such a day")
    return cron


def _parse_field(word: str, field: _Field) -> frozenset[int]:
    return frozenset(value for part in word.split(",") for value in _parse_part(part, field))


def _parse_part(part: str, field: _Field) -> range:
    match = _RANGE.fullmatch(part)
    if match is None or (match[1] == "*" and match[2]):
        raise CronError(
            f"{quoted(part)} is no {field.name}",
            f"write {field.least}-{field.most}, *, a list as in 1,2, or a step as in */5",
        )
    start, end, step = match[1], match[2], int(match[3] or 1)
    if step == 0:
        raise CronError(f"{quoted(part)} has a step of 0", "a step is 1 or more")
    if start == "*":
        # Day 7 is Sunday again, and a step would count it twice.
        return range(field.least, min(field.most, 6 if field.names is DAYS else field.most) + 1, step)
    first = _parse_value(start, field)
    last = _parse_value(end, field) if end else (field.most if match[3] else first)
    if last < first:
        raise CronError(f"{quoted(part)} runs backwards", f"write {last}-{first}, or two ranges")
    return range(first, last + 1, step)


def _parse_value(word: str, field: _Field) -> int:
    if word.isdecimal():
        if field.least <= int(word) <= field.most:
            return int(word)
    elif word.lower() in field.names:
        return field.names.index(word.lower()) + field.names_from
    close = nearest(word, field.names)
    raise CronError(
        f"{field.name} {printable(word, 40)} is not in {field.least}-{field.most}",
        f"did you mean {close}?" if close else f"write {field.least}-{field.most}",
    )
