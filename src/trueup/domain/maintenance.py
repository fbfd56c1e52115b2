"""Times at which trouble is expected: nobody is alerted about the targets that are meant."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from trueup.domain.cron import Cron
from trueup.domain.selector import Selector
from trueup.domain.weekly import Weekly


@dataclass(frozen=True, slots=True)
class Maintenance:
    """``targets``: names, patterns or ``tag:NAME``. It lasts ``for`` so long, once or again and again.

    ``from``: once, at this time. ``weekly``: as in ``Sun 02:00``. ``cron``: five fields. One of the three.
    ``timezone``: whose clock they mean where they name no offset; that of ``business_hours``, else UTC.
    ``note``: what people read about it.
    """

    targets: Selector
    for_s: float
    from_at: datetime | None = None
    weekly: Weekly | None = None
    cron: Cron | None = None
    timezone: tzinfo = UTC
    note: str = ""

    def covers(self, moment: datetime) -> bool:
        """Whether it is going on at ``moment`` (aware)."""
        return self.ends_at(moment) is not None

    def ends_at(self, moment: datetime) -> datetime | None:
        """When what is going on at ``moment`` ends; None where nothing is."""
        window = self.window(moment)
        return window[1] if window is not None and window[0] <= moment else None

    def window(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """Beginning and end of what is going on at ``moment``, else of what comes next; None: no more."""
        lasts = timedelta(seconds=self.for_s)
        start = self._start_after(moment - lasts)
        return (start, start + lasts) if start is not None else None

    def _start_after(self, moment: datetime) -> datetime | None:
        if self.from_at is not None:
            return self.from_at if self.from_at > moment else None
        recurs = self.weekly or self.cron
        return recurs.next_after(moment, self.timezone) if recurs else None
