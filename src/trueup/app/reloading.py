"""Reads the configuration again when its files change or somebody asks; what doesn't hold changes nothing."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trueup.app.watched import Watched, watched_of
from trueup.config import Configuration, ConfigurationError, load
from trueup.config.files import files_of

POLL_EVERY_S: Final = 1.0
_LOG = logging.getLogger("trueup")

Fingerprint = tuple[tuple[str, int, int, int], ...]


class Reloader:
    """Follows one file or folder. ``apply`` takes what holds; ``complain`` hears why something doesn't, and
    an empty text when it does again.
    """

    def __init__(
        self,
        path: Path,
        apply: Callable[[Watched], None],
        complain: Callable[[str], None],
        *,
        running: Configuration | None = None,
        seen: Fingerprint | None = None,
        poll_every_s: float = POLL_EVERY_S,
    ) -> None:
        """``running`` is the configuration that holds now; ``seen`` is how its files were before it was read,
        else how they are now.
        """
        self._path = path
        self._apply, self._complain = apply, complain
        self._running = running
        self._poll_every_s = poll_every_s
        self._asked = asyncio.Event()
        self._known = fingerprint(path) if seen is None else seen

    def ask(self) -> None:
        """Read it again now, changed or not."""
        self._asked.set()

    async def run(self) -> None:
        """Follow it until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_every_s):
                    await self._asked.wait()
            asked = self._asked.is_set()
            self._asked.clear()
            seen = await asyncio.to_thread(fingerprint, self._path)
            if asked or seen != self._known:
                self._known = await self._settled(seen)
                await self._reload()

    async def _settled(self, seen: Fingerprint) -> Fingerprint:
        """Once nobody writes any more: half a file is no configuration."""
        for _ in range(10):
            await asyncio.sleep(min(0.2, self._poll_every_s))
            again = await asyncio.to_thread(fingerprint, self._path)
            if again == seen:
                break
            seen = again
        return seen

    async def _reload(self) -> None:
        try:
            configuration = await asyncio.to_thread(load, self._path, os.environ)
            watched = watched_of(configuration)
        except ConfigurationError as error:
            _LOG.error("the configuration doesn't hold, and the one before goes on")
            for line in str(error).splitlines():
                _LOG.error("%s", line)
            self._complain(f"The configuration doesn't hold, and the one before goes on: {_first(error)}")
            return
        self._warn_of_restart(configuration)
        self._running = configuration
        self._apply(watched)
        self._complain("")
        count = len(watched.targets)
        _LOG.info("the configuration was read again: %d target%s", count, "s" if count != 1 else "")

    def _warn_of_restart(self, configuration: Configuration) -> None:
        before = self._running.monitor if self._running is not None else None
        for name in ("listen", "data", "store", "workers", "tls", "trusted_proxies", "oidc"):
            if before is not None and getattr(before, name) != getattr(configuration.monitor, name):
                _LOG.warning("monitor: %s has changed; it takes a restart to follow it", name)


def fingerprint(path: Path) -> Fingerprint:
    """What changes when a file of the configuration does: names, times, sizes."""
    found = []
    for file in files_of(path):
        try:
            status = file.stat()
        except OSError:
            found.append((str(file), 0, -1, 0))
        else:
            found.append((str(file), status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def _first(error: ConfigurationError) -> str:
    lines = str(error).splitlines()
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return (lines[0] if lines else "") + more
