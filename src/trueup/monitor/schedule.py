"""When each target is due: a grid of its own that doesn't depend on how long a look takes."""

import functools
import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STARTS_PER_SECOND: Final = 500.0
"""First looks are spread so that a start is no burst."""
STRETCH: Final = 2
"""So many times longer is the interval of a tier that makes room for others."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One target's place in the schedule."""

    name: str
    every_s: float
    tier: int


class Schedule:
    """Hands out what is due. Times are seconds of a monotonic clock.

    A target has a phase of its own, the same after each restart, so that thousands with one interval
    spread over it. One that is still being looked at when it's due again is not handed out twice; what
    was missed while the process slept is looked at once, not caught up with.
    """

    def __init__(self) -> None:
        self._planned: dict[str, Planned] = {}
        self._due: list[tuple[float, int, str]] = []
        self._next_s: dict[str, float] = {}
        self._under_way: set[str] = set()
        self._count = 0
        self._stretched: frozenset[int] = frozenset()
        self.late_s: list[float] = []
        """How late each look was handed out, until somebody takes them away."""

    def plan(self, planned: Iterable[Planned], now_s: float) -> None:
        """Replace the plan. A target whose interval didn't change keeps its times."""
        wanted = {one.name: one for one in planned}
        spread_s = len(wanted) / STARTS_PER_SECOND
        for name, one in wanted.items():
            if self._planned.get(name) != one:
                self._put(name, now_s + phase(name) * min(spread_s, one.every_s))
        for name in self._planned.keys() - wanted.keys():
            self._next_s.pop(name, None)
        self._planned = wanted

    def stretch(self, tiers: frozenset[int]) -> None:
        """Look at the targets of these tiers half as often, and at all others as planned."""
        self._stretched = tiers

    def spread(self, now_s: float) -> None:
        """Time has passed without us: all that isn't due sooner comes anew, within some seconds."""
        spread_s = len(self._next_s) / STARTS_PER_SECOND
        for name, when_s in list(self._next_s.items()):
            again_s = now_s + phase(name) * spread_s
            if when_s <= now_s or again_s < when_s:
                self._put(name, again_s)

    def due(self, now_s: float) -> list[str]:
        """The targets to look at now, lower tiers last; each stays out until ``finished``."""
        found = []
        while self._due and self._due[0][0] <= now_s:
            when_s, _, name = heapq.heappop(self._due)
            if self._next_s.get(name) != when_s:
                continue  # planned anew since, or gone
            one = self._planned[name]
            self.late_s.append(now_s - when_s)
            self._put(name, self._after(one, now_s))
            if name not in self._under_way:
                self._under_way.add(name)
                found.append(one)
        return [one.name for one in sorted(found, key=lambda one: one.tier)]

    def look_at(self, name: str, when_s: float) -> None:
        """Look at ``name`` at ``when_s`` instead of at its next time: to confirm, or because of an event."""
        if name in self._planned:
            self._put(name, when_s)

    def next_of(self, name: str) -> float | None:
        """When it's next due; None where it isn't planned."""
        return self._next_s.get(name)

    def finished(self, name: str) -> None:
        """The look at ``name`` is over."""
        self._under_way.discard(name)

    def next_due_s(self) -> float | None:
        """When ``due`` will next have something; None where nothing is planned."""
        while self._due and self._next_s.get(self._due[0][2]) != self._due[0][0]:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _after(self, one: Planned, now_s: float) -> float:
        """The next moment of the target's own grid, and not sooner than half an interval from now."""
        every_s = one.every_s * (STRETCH if one.tier in self._stretched else 1)
        offset_s = phase(one.name) * every_s
        return (((now_s + every_s / 2 - offset_s) // every_s) + 1) * every_s + offset_s

    def _put(self, name: str, when_s: float) -> None:
        self._count += 1
        self._next_s[name] = when_s
        heapq.heappush(self._due, (when_s, self._count, name))


@functools.lru_cache(maxsize=100_000)
def phase(name: str) -> float:
    """A number from 0 up to 1 that belongs to the name."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
