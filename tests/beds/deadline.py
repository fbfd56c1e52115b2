"""Waiting for something to become true, with an end to it."""

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


def wait_until(look: Callable[[], _Seen], what: str, timeout_s: float = 10, pause_s: float = 0.02) -> _Seen:
    """The first truthy answer of `look`. Raises AssertionError naming `what` when none came in time."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline_s:
            raise AssertionError(f"not within {timeout_s:g} s: {what} (last seen: {seen!r})")
        time.sleep(pause_s)
