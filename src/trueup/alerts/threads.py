"""Libraries that block: each call on a thread of its own, which nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def on_a_thread(call: Callable[[], T]) -> T:
    """What ``call`` returns or raises.

    Cancelled, the thread is left to end by itself: a pool's would keep other channels waiting, and the
    process from ending.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]  # without an error there's a value

    def run() -> None:
        try:
            done: tuple[T | None, BaseException | None] = (call(), None)
        except Exception as error:  # noqa: BLE001 - it is raised again, where it's awaited
            done = (None, error)
        try:
            loop.call_soon_threadsafe(settle, *done)
        except RuntimeError:
            return  # the loop has ended, and nobody asks any more

    threading.Thread(target=run, name="channel", daemon=True).start()
    return await result
