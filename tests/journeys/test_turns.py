"""Who begins at once takes turns, and everybody else on the loop has one in between."""

import asyncio

import pytest

from trueup.journeys.places import NoPlaceError, Places
from trueup.journeys.turns import Turns


def test_so_many_in_each_round() -> None:
    async def story() -> list[str]:
        turns, order = Turns(2), []

        async def one(name: str) -> None:
            await turns.take()
            order.append(name)

        async def other() -> None:
            for _ in range(4):
                order.append("-")
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            for name in "abcdef":
                tasks.create_task(one(name))
            tasks.create_task(other())
        return order

    order = "".join(asyncio.run(story()))
    assert order.replace("-", "") == "abcdef"
    assert order.index("-") < order.index("c")
    assert order.index("e") > order.index("c") + 1


def test_one_who_gives_up_keeps_nobody_waiting() -> None:
    async def story() -> None:
        turns = Turns(1)
        await turns.take()
        waiting = [asyncio.ensure_future(turns.take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(*waiting[1:])

    asyncio.run(story())


def test_places_are_given_back_and_waited_for_no_longer_than_said() -> None:
    async def story() -> None:
        places = Places(1)
        async with places.taken(5):
            with pytest.raises(NoPlaceError, match="1 others took all places"):
                async with places.taken(0.01):
                    pass
        async with places.taken(5):
            pass

    asyncio.run(story())
