"""Room for what is dear: programs and browsers, a few at a time in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary


class NoPlaceError(Exception):
    """All places stayed taken for as long as could be waited."""


class Places:
    """So many at once, on each loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    @asynccontextmanager
    async def taken(self, wait_s: float) -> AsyncIterator[None]:
        """A place, while it lasts.

        Raises:
            NoPlaceError: none became free in time.
        """
        loop = asyncio.get_running_loop()
        free = self._free.setdefault(loop, asyncio.Semaphore(self._count))
        try:
            async with asyncio.timeout(wait_s):
                await free.acquire()
        except TimeoutError:
            raise NoPlaceError(f"{self._count} others took all places for {wait_s:.1f} s") from None
        try:
            yield
        finally:
            free.release()
