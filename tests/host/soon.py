"""Waiting inside a loop for what a callback will have done."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], timeout_s: float = 5) -> None:
    """Raises TimeoutError when it doesn't come true."""
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.01)
