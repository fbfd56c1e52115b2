"""What is done beside: packing, forgetting, tidying and backing up, off the loop and in small pieces."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from trueup.app.keeper import Keeper
from trueup.config.configuration import Configuration
from trueup.domain.clock import Clock
from trueup.domain.monitor_settings import MonitorSettings
from trueup.store.backups import daily_backup
from trueup.store.failure import StoreFailed
from trueup.store.stand_in import BYTES_MAX

EVERY_S: Final = 600.0
FIRST_AFTER_S: Final = 30.0
PAUSE_S: Final = 0.2
"""Between two pieces, so that looks are stored meanwhile."""
PIECES_MAX: Final = 1000
_LOG = logging.getLogger("trueup")


async def keep_house(
    keeper: Keeper, clock: Clock, configuration: Callable[[], Configuration | None], data: Path | None = None
) -> None:
    """Do it again and again, until cancelled. ``data`` is the folder whose state is backed up each day."""
    await asyncio.sleep(FIRST_AFTER_S)
    while True:
        known = configuration()
        settings = known.monitor if known is not None else MonitorSettings()
        try:
            await keeper.look_for_damage()
            await _once(keeper, clock, settings)
            if data is not None and not keeper.is_away:
                await asyncio.to_thread(daily_backup, data, clock.now())
        except StoreFailed as error:
            _LOG.warning("old results can't be packed or deleted, or the state backed up: %s", error)
        await asyncio.sleep(EVERY_S)


async def _once(keeper: Keeper, clock: Clock, settings: MonitorSettings) -> None:
    for _ in range(PIECES_MAX):
        if not await keeper.in_history(lambda store: store.pack(clock.now())):
            break
        await asyncio.sleep(PAUSE_S)
    disk_bytes = min(settings.disk_bytes, BYTES_MAX) if keeper.is_away else settings.disk_bytes
    await keeper.in_history(lambda store: store.expire(clock.now(), settings.retention, disk_bytes))
    oldest = clock.now() - timedelta(seconds=settings.retention.hourly_s)
    await keeper.in_state(lambda store: store.expire(oldest))
    await keeper.in_history(lambda store: store.checkpoint())
    await keeper.in_state(lambda store: store.checkpoint())
