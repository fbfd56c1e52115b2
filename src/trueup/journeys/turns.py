"""Two hundred journeys that begin at once take turns, so that no check beside them waits for all of them."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

IN_A_ROUND: Final = 8
"""A step's own work takes a millisecond of the processor: so no round of the loop is much longer than ten."""


@dataclass(slots=True)
class _Round:
    left: int
    is_over_soon: bool = False
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """Lets so many go on in each round of a loop; the others wait for the next."""

    def __init__(self, in_a_round: int = IN_A_ROUND) -> None:
        self._in_a_round = in_a_round
        self._rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, _Round] = WeakKeyDictionary()

    async def take(self) -> None:
        """Wait for one's turn."""
        loop = asyncio.get_running_loop()
        now = self._rounds.setdefault(loop, _Round(self._in_a_round))
        if not now.is_over_soon:
            now.is_over_soon = True
            loop.call_soon(self._next, loop, now)
        if now.left > 0:
            now.left -= 1
            return
        turn = loop.create_future()
        now.waiting.append(turn)
        await turn

    def _next(self, loop: asyncio.AbstractEventLoop, now: _Round) -> None:
        now.left = self._in_a_round
        while now.waiting and now.left > 0:
            turn = now.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                now.left -= 1
        now.is_over_soon = bool(now.waiting)
        if now.is_over_soon:
            loop.call_soon(self._next, loop, now)
