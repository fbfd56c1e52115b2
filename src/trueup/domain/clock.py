"""Where time comes from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, injected. Durations are measured on the monotonic clock, moments on the wall clock."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        ...


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as every document of trueup writes a time."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
