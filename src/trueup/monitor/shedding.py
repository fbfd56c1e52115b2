"""When there's more to look at than can be, the tiers that matter least make room. Pure."""

from collections import deque
from collections.abc import Iterable
from typing import Final

LATE_S_MAX: Final = 0.25
"""Looks should not begin later than this, but for one in a hundred."""
WINDOW_S: Final = 60.0
CALM_S: Final = 120.0
LOOKS_LEAST: Final = 100
"""Of fewer looks in the window nothing is concluded."""


class Shedding:
    """Told how late looks begin, it says which tiers are looked at half as often. Times are monotonic."""

    def __init__(self, tiers: Iterable[int]) -> None:
        self._tiers = sorted(set(tiers), reverse=True)
        self._level = 0
        self._late: deque[tuple[float, float]] = deque()
        self._judged_s = float("-inf")
        self._calm_s: float | None = None

    def plan(self, tiers: Iterable[int]) -> None:
        """The tiers that there are now."""
        self._tiers = sorted(set(tiers), reverse=True)
        self._level = min(self._level, len(self._most))

    @property
    def shed(self) -> frozenset[int]:
        """The tiers that make room now."""
        return frozenset(self._most[: self._level])

    @property
    def _most(self) -> list[int]:
        """All but the most important one can make room."""
        return self._tiers[:-1]

    @property
    def is_late(self) -> bool:
        """Whether looks begin later than they should."""
        return len(self._late) >= LOOKS_LEAST and self.late_p99_s() > LATE_S_MAX

    def late_p99_s(self) -> float:
        """How late 99 of 100 looks of the window began at most; 0 where there was none."""
        late = sorted(late_s for _, late_s in self._late)
        return late[min(len(late) - 1, len(late) * 99 // 100)] if late else 0.0

    def see(self, late_s: Iterable[float], now_s: float) -> bool:
        """Take in how late some looks began; whether ``shed`` has changed."""
        self._late.extend((now_s, one) for one in late_s)
        while self._late and self._late[0][0] < now_s - WINDOW_S:
            self._late.popleft()
        if now_s - self._judged_s < WINDOW_S / 4:
            return False
        self._judged_s = now_s
        before = self._level
        if self.is_late:
            self._calm_s = None
            if self._level < len(self._most):
                self._level += 1
                self._late.clear()
        elif self._level:
            self._calm_s = self._calm_s if self._calm_s is not None else now_s
            if now_s - self._calm_s >= CALM_S:
                self._level -= 1
                self._calm_s = None
        return self._level != before
