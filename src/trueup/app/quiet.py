"""Silences and maintenance: made, ended and listed while the monitor runs."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from trueup.app.keeper import Keeper
from trueup.config.configuration import Configuration
from trueup.domain.clock import Clock, timestamp
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.monitor.muting import Muting

Document = dict[str, Any]
_LOG = logging.getLogger("trueup")


class Quiet:
    """Those of operators are stored; those of the configuration are read from it."""

    def __init__(
        self,
        muting: Muting,
        keeper: Keeper,
        clock: Clock,
        configuration: Callable[[], Configuration | None],
    ) -> None:
        self._muting, self._keeper, self._clock = muting, keeper, clock
        self._configuration = configuration
        self._last_silence = 0

    def recall(self, silences: Iterable[Silence]) -> None:
        """Go on with the numbers of the last run, whose silences are known already."""
        self._last_silence = max((one.id for one in silences), default=0)

    def silences(self) -> list[Silence]:
        """Those that haven't ended, also maintenance that an operator planned."""
        now = self._clock.now()
        return [one for one in self._muting.silences if one.until_at > now]

    async def add_silence(
        self,
        targets: tuple[str, ...],
        *,
        from_at: datetime,
        until_at: datetime,
        author: str,
        why: str,
        planned: bool,
    ) -> Silence:
        """Make one; it's stored when this returns, or can't be."""
        self._last_silence += 1
        silence = Silence(self._last_silence, Selector(targets), from_at, until_at, author, why, planned)
        await self._put_silence(silence)
        return silence

    async def end_silence(self, silence_id: int, by: str) -> bool:
        """Whether there was one that hadn't ended."""
        found = next((one for one in self.silences() if one.id == silence_id), None)
        if found is None:
            return False
        _LOG.info("silence %d of %s was ended by %s", found.id, found.author, by)
        now = self._clock.now()
        await self._put_silence(replace(found, from_at=min(found.from_at, now), until_at=now))
        return True

    async def _put_silence(self, silence: Silence) -> None:
        self._muting.put(silence)
        self._keeper.put(silences=[silence])
        await self._keeper.flushed()

    def maintenance(self) -> list[Document]:
        """Configured and planned by an operator, each with the window that is going on or comes next."""
        now, configuration = self._clock.now(), self._configuration()
        configured = [
            {
                "id": None,
                "targets": list(one.targets.words),
                "from": timestamp(window[0]) if window else None,
                "until": timestamp(window[1]) if window else None,
                "author": "the configuration",
                "note": one.note,
            }
            for one in (configuration.maintenance if configuration is not None else ())
            for window in [one.window(now)]
        ]
        planned = [
            {
                "id": one.id,
                "targets": list(one.targets.words),
                "from": timestamp(one.from_at),
                "until": timestamp(one.until_at),
                "author": one.author,
                "note": one.why,
            }
            for one in self.silences()
            if one.planned
        ]
        return configured + planned
