"""How often somebody may try to sign in: a few times a minute, from one address to one account."""

from collections import OrderedDict, deque
from typing import Final

TRIES: Final = 5
TRIES_OF_ADDRESS: Final = 30
WINDOW_S: Final = 60.0
_KEYS_MAX: Final = 10_000


class LoginLimits:
    """Times are on a monotonic clock."""

    def __init__(self) -> None:
        self._tries: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait_s(self, account: str, address: str, now_s: float) -> float:
        """Count a try. 0: go on; else how long it takes until the next is heard, and this one isn't."""
        keys = (((account.casefold(), address), TRIES), ((address,), TRIES_OF_ADDRESS))
        waits = [self._wait_s(key, most, now_s) for key, most in keys]
        if max(waits) > 0:
            return max(waits)
        for key, _ in keys:
            self._tries.setdefault(key, deque()).append(now_s)
            self._tries.move_to_end(key)
        while len(self._tries) > _KEYS_MAX:
            self._tries.popitem(last=False)
        return 0.0

    def _wait_s(self, key: tuple[str, ...], most: int, now_s: float) -> float:
        tries = self._tries.get(key)
        if tries is None:
            return 0.0
        while tries and tries[0] <= now_s - WINDOW_S:
            tries.popleft()
        return tries[0] + WINDOW_S - now_s if len(tries) >= most else 0.0
