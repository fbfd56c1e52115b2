"""How late the loop itself is: a timeout while we were late says nothing about the peer."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

TICK_S: Final = 0.05
IDLE_TICKS_MAX: Final = 40
KEPT: Final = 1200
"""Ticks remembered: a minute's worth."""


class LagMeter:
    """Ticks while ``needed`` says so, and a while longer, and remembers how late each tick came."""

    def __init__(self, loop: asyncio.AbstractEventLoop, needed: Callable[[], bool]) -> None:
        self._loop = loop
        self._needed = needed
        self._late: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._due_s = 0.0
        self._handle: asyncio.TimerHandle | None = None
        self._idle_ticks = 0

    def start(self) -> None:
        """Tick from now on; cheap to call again."""
        if self._handle is None:
            self._arm()

    def stop(self) -> None:
        """Tick no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def worst_ms_since(self, began_s: float) -> float:
        """The longest delay of the loop since ``began_s`` (monotonic), the tick now due included."""
        worst_s = max(0.0, time.monotonic() - self._due_s) if self._handle is not None else 0.0
        for when_s, late_s in reversed(self._late):
            if when_s < began_s:
                break
            worst_s = max(worst_s, late_s)
        return worst_s * 1000

    def _arm(self) -> None:
        self._due_s = time.monotonic() + TICK_S
        self._handle = self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        now_s = time.monotonic()
        self._late.append((now_s, now_s - self._due_s))
        self._idle_ticks = 0 if self._needed() else self._idle_ticks + 1
        if self._idle_ticks > IDLE_TICKS_MAX:
            self._handle = None
        else:
            self._arm()
