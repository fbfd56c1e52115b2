"""Events, and who follows them."""

import asyncio
from typing import Any

from trueup.app.event_stream import QUEUE_MAX, Events


def test_each_who_listens_hears_each_and_the_end() -> None:
    async def play() -> list[list[Any]]:
        events = Events()

        async def listen() -> list[Any]:
            return [event["n"] async for event in events.subscribe()]

        listening = [asyncio.ensure_future(listen()) for _ in range(2)]
        await asyncio.sleep(0)
        for n in range(3):
            events.publish({"type": "target", "n": n})
        await asyncio.sleep(0)
        events.close()
        async with asyncio.timeout(10):
            return await asyncio.gather(*listening)

    assert asyncio.run(play()) == [[0, 1, 2], [0, 1, 2]]


def test_who_is_too_slow_misses_the_oldest_and_is_told() -> None:
    async def play() -> list[Any]:
        events = Events()
        following = events.subscribe()
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        for n in range(QUEUE_MAX + 5):
            events.publish({"type": "target", "n": n})
        async with asyncio.timeout(10):
            heard = [await first, await anext(following)]
        await following.aclose()  # type: ignore[attr-defined]
        return heard

    assert asyncio.run(play()) == [{"type": "missed", "n": 5}, {"type": "target", "n": 5}]
