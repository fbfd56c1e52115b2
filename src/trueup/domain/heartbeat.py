"""What a job promises: that it reports, and how often."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

from trueup.domain.cron import Cron
from trueup.domain.limits import AtLeast
from trueup.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """``every`` so often, or at the times of ``cron`` in ``timezone``. One of the two.

    ``grace``: how late it may be; left out it's an hour, or ``every`` where that's less.
    ``token``: the last part of the URL that it reports to; left out trueup makes one.
    """

    every_s: Annotated[float, AtLeast(1)] | None = None
    cron: Cron | None = None
    grace_s: Annotated[float, AtLeast(0)] | None = None
    timezone: tzinfo = UTC
    token: Secret | None = None

    @property
    def lateness_s(self) -> float:
        """How late it may be."""
        if self.grace_s is not None:
            return self.grace_s
        return min(3600.0, self.every_s or 3600.0)

    def missed_at(self, reported_at: datetime) -> datetime | None:
        """When the report after the one of ``reported_at`` is missed; None where none is due, ever."""
        if self.every_s is not None:
            return reported_at + timedelta(seconds=self.every_s + self.lateness_s)
        due = self.cron.next_after(reported_at, self.timezone) if self.cron else None
        return due + timedelta(seconds=self.lateness_s) if due else None
