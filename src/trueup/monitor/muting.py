"""Who isn't alerted about for a while, because people said so: silences and maintenance. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trueup.domain.clock import timestamp
from trueup.domain.maintenance import Maintenance
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.domain.target import Target

WHY_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Muted:
    """Until when, and why, in words."""

    until_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class _Window:
    targets: Selector
    muted: Muted


class Muting:
    """The silences of operators and the maintenance of the configuration, at one moment after another."""

    def __init__(self, maintenance: Sequence[Maintenance], silences: Iterable[Silence] = ()) -> None:
        self._maintenance = tuple(maintenance)
        self._silences: dict[int, Silence] = {one.id: one for one in silences}
        self._windows: tuple[_Window, ...] = ()
        self._at: datetime | None = None

    @property
    def silences(self) -> tuple[Silence, ...]:
        """All that are known, the oldest first."""
        return tuple(self._silences[key] for key in sorted(self._silences))

    def plan(self, maintenance: Sequence[Maintenance]) -> None:
        """Replace what the configuration says."""
        self._maintenance, self._at = tuple(maintenance), None

    def put(self, *silences: Silence) -> None:
        """Add each, or replace the one with its id."""
        self._silences |= {silence.id: silence for silence in silences}
        self._at = None

    def of(self, target: Target, now: datetime) -> Muted | None:
        """Until when nobody is alerted about ``target``; of several, the one that lasts longest."""
        if self._at != now:
            self._windows, self._at = tuple(self._open_at(now)), now
        found = [one.muted for one in self._windows if one.targets.fits(target.name, target.tags)]
        return max(found, key=lambda muted: muted.until_at, default=None)

    def _open_at(self, now: datetime) -> Iterator[_Window]:
        for silence in self._silences.values():
            if silence.covers(now):
                yield _Window(silence.targets, Muted(silence.until_at, _words(silence)))
        for one in self._maintenance:
            ends_at = one.ends_at(now)
            if ends_at is not None:
                note = f" ({one.note[:WHY_CHARS_MAX]})" if one.note else ""
                yield _Window(one.targets, Muted(ends_at, f"maintenance until {timestamp(ends_at)}{note}"))


def _words(silence: Silence) -> str:
    kind = "maintenance" if silence.planned else "silenced"
    why = f": {silence.why[:WHY_CHARS_MAX]}" if silence.why else ""
    return f"{kind} by {silence.author} until {timestamp(silence.until_at)}{why}"
