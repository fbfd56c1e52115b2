"""Who follows what changes: a queue for each, that drops the oldest when its reader is too slow."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

QUEUE_MAX: Final = 1000


class _Queue:
    def __init__(self) -> None:
        self.waiting: deque[dict[str, Any]] = deque()
        self.news = asyncio.Event()
        self.missed = 0

    def put(self, event: dict[str, Any]) -> None:
        if len(self.waiting) >= QUEUE_MAX:
            self.waiting.popleft()
            self.missed += 1
        self.waiting.append(event)
        self.news.set()


class Events:
    """Hands each event to all who listen."""

    def __init__(self) -> None:
        self._queues: set[_Queue] = set()
        self._is_over = False

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens: else nothing need be made of an event."""
        return bool(self._queues)

    def publish(self, event: dict[str, Any]) -> None:
        for queue in self._queues:
            queue.put(event)

    def close(self) -> None:
        """Everybody who listens has heard the last of it."""
        self._is_over = True
        for queue in self._queues:
            queue.news.set()

    async def subscribe(self) -> AsyncIterator[dict[str, Any]]:
        """Every event from the first ``anext`` on. Who was too slow hears ``{"type": "missed", "n": …}``."""
        queue = _Queue()
        self._queues.add(queue)
        try:
            while not self._is_over:
                await queue.news.wait()
                queue.news.clear()
                if queue.missed:
                    missed, queue.missed = queue.missed, 0
                    yield {"type": "missed", "n": missed}
                while queue.waiting:
                    yield queue.waiting.popleft()
        finally:
            self._queues.discard(queue)
