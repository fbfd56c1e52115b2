"""When people are at work."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from trueup.domain.weekly import DayHours, Weekdays, parse_hours, parse_weekdays


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When a tier with ``when: business`` alerts. The hours of a night belong to the day they begin on."""

    timezone: tzinfo = UTC
    days: Weekdays = field(default_factory=lambda: parse_weekdays("Mon-Fri"))
    hours: DayHours = field(default_factory=lambda: parse_hours("09:00-18:00"))

    def covers(self, moment: datetime) -> bool:
        """Whether ``moment`` (aware) is in business hours."""
        return any(start <= moment < end for start, end in self._spans(moment, days_ahead=0))

    def opens_at(self, moment: datetime) -> datetime:
        """``moment`` itself in business hours, else their next beginning, in UTC."""
        if self.covers(moment):
            return moment
        return next(start for start, _ in self._spans(moment, days_ahead=8) if start > moment)

    def _spans(self, moment: datetime, days_ahead: int) -> list[tuple[datetime, datetime]]:
        """Beginnings and ends, in UTC, of the days from yesterday's on."""
        today = moment.astimezone(self.timezone).date()
        days = (today + timedelta(days=ahead) for ahead in range(-1, days_ahead + 1))
        return [
            (self._wall(day, self.hours.start_min), self._wall(day, self._end_min))
            for day in days
            if day.weekday() in self.days.days
        ]

    @property
    def _end_min(self) -> int:
        over_midnight = self.hours.end_min <= self.hours.start_min
        return self.hours.end_min + (24 * 60 if over_midnight else 0)

    def _wall(self, day: date, minutes: int) -> datetime:
        midnight = datetime.combine(day + timedelta(days=minutes // 1440), datetime.min.time(), self.timezone)
        return (midnight + timedelta(minutes=minutes % 1440)).astimezone(UTC)
