import asyncio

import pytest

from trueup.host.shared import Shared


class Slow:
    """Counts its readings; each ends when it's let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def read(self) -> int:
        self.begun += 1
        mine = self.begun
        await self.go.wait()
        return mine


async def turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_whoever_asks_together_shares_and_nobody_gets_what_began_before() -> None:
    async def story() -> None:
        slow = Slow()
        shared = Shared(slow.read)
        first = [asyncio.create_task(shared.get()) for _ in range(100)]
        await turn()
        later = [asyncio.create_task(shared.get()) for _ in range(100)]
        await turn()
        assert slow.begun == 1
        slow.go.set()
        assert set(await asyncio.gather(*first)) == {1}
        assert set(await asyncio.gather(*later)) == {2}
        assert await shared.get() == 3

    asyncio.run(story())


def test_who_leaves_takes_nothing_from_the_others() -> None:
    async def story() -> None:
        slow = Slow()
        shared = Shared(slow.read)
        leaver, stayer = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
        await turn()
        leaver.cancel()
        await turn()
        slow.go.set()
        assert await stayer == 1

    asyncio.run(story())


def test_a_failure_is_everybodys_and_the_next_reads_again() -> None:
    async def story() -> None:
        failures = [OSError("gone")]

        async def read() -> int:
            if failures:
                raise failures.pop()
            return 7

        shared = Shared(read)
        with pytest.raises(OSError, match="gone"):
            await shared.get()
        assert await shared.get() == 7

    asyncio.run(story())
