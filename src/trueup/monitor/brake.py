"""When much goes bad at once, one look more is wanted before anyone is woken: the fault may be ours."""

from collections import deque
from typing import Final

WINDOW_S: Final = 60.0
SHARE: Final = 0.3
TARGETS_LEAST: Final = 10


class Brake:
    """Counts the targets that went bad within the last minute. Times are seconds of a monotonic clock."""

    def __init__(self, targets: int) -> None:
        self.targets = targets
        self._bad: dict[str, float] = {}
        self._order: deque[tuple[float, str]] = deque()

    def went_bad(self, name: str, now_s: float) -> None:
        """The first failure of ``name`` after it was well."""
        self._bad[name] = now_s
        self._order.append((now_s, name))

    def is_on(self, now_s: float) -> bool:
        """Whether so many went bad that they are held back for one look more."""
        while self._order and self._order[0][0] < now_s - WINDOW_S:
            when_s, name = self._order.popleft()
            if self._bad.get(name) == when_s:
                del self._bad[name]
        return self.targets >= TARGETS_LEAST and len(self._bad) > SHARE * self.targets
