"""A reading that costs something, taken once for all who ask at about the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Who asks gets a reading that began after they asked, and shares it with whoever else waits for it.

    So at most one is being taken and one is waited for, however many ask; nobody gets an old one.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._now: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """What was read, or the exception that reading it ended with."""
        if self._next is None:
            self._next = asyncio.create_task(self._take(self._now))
            self._next.add_done_callback(_heard)
        return await asyncio.shield(self._next)

    async def _take(self, before: "asyncio.Task[T] | None") -> T:
        if before is not None:
            await asyncio.wait([before])
        self._now, self._next = self._next, None
        return await self._read()


def _heard(task: "asyncio.Task[T]") -> None:
    """Who asked may have left meanwhile."""
    if not task.cancelled():
        task.exception()
