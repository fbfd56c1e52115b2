"""Tells others that the monitor makes progress. When it makes none it is silent, and they raise the alarm."""

import asyncio
import logging
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from trueup import __version__
from trueup.app.service_manager import notify, watchdog_s
from trueup.config.configuration import Configuration

CALL_EVERY_S: Final = 30.0
STUCK_AFTER_S: Final = 120.0
"""A monitor that has something to look at, and hasn't looked for so long, is stuck."""
_TICK_S: Final = 1.0
_TIMEOUT_S: Final = 10.0
_LOG = logging.getLogger("trueup")
_EVERY_S: Final = 60.0
"""Where no target has an interval."""


@dataclass(frozen=True, slots=True)
class Progress:
    """``looks`` so far; ``is_idle``: there's nothing to look at; whether it ``stores`` and ``tells``."""

    looks: int
    is_idle: bool
    stores: bool
    tells: bool


class Pulse:
    """Pure: whether progress was made, by what was seen of it. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._looks = -1
        self._grew_s = float("-inf")

    def beats(self, seen: Progress, now_s: float, every_s: float) -> bool:
        """Whether schedule, store and outbox go on. ``every_s`` is the shortest interval of all."""
        if seen.looks != self._looks or seen.is_idle:
            self._looks, self._grew_s = seen.looks, now_s
        is_stuck = now_s - self._grew_s > max(STUCK_AFTER_S, 3 * every_s)
        return seen.stores and seen.tells and not is_stuck


async def keep_reporting(
    progress: Callable[[], Progress], configuration: Callable[[], Configuration | None]
) -> None:
    """Call the configured URL and tell the service manager, as long as there's progress; until cancelled."""
    loop, pulse, called_s = asyncio.get_running_loop(), Pulse(), float("-inf")
    wanted_s = watchdog_s()
    told_s = float("-inf")
    known: Configuration | None = None
    every_s = _EVERY_S
    while True:
        before, known = known, configuration()
        if known is not before:  # thousands of targets are gone through once
            every_s = (
                min((one.every_s for one in known.policies.values()), default=_EVERY_S) if known else _EVERY_S
            )
        now_s = loop.time()
        seen = progress()
        beats = pulse.beats(seen, now_s, every_s)
        if wanted_s is not None and now_s - told_s >= wanted_s / 3 and (beats or not seen.stores):
            # A full disk is no reason to be killed: it goes on from memory.
            told_s = now_s
            notify("WATCHDOG=1")
        url = known.monitor.watchdog if known is not None else None
        if url is not None and beats and now_s - called_s >= CALL_EVERY_S:
            called_s = now_s
            why = await asyncio.to_thread(_call, url.reveal())
            if why:
                _LOG.warning("the watchdog at %s can't be told: %s", urlsplit(url.reveal()).hostname, why)
        await asyncio.sleep(_TICK_S)


def _call(url: str) -> str:
    """Why it couldn't be called; empty if it could."""
    request = urllib.request.Request(url, headers={"User-Agent": f"trueup/{__version__}"})  # noqa: S310 - the operator's own URL
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
            return "" if answer.status < 400 else f"it answers {answer.status}"
    except (OSError, ValueError) as error:
        return type(error).__name__
