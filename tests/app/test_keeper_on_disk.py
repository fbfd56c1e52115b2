"""What isn't stored stays in memory, and is stored when it can be; damaged files are mended while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.beds.small_disk import small_disk
from trueup.app.keeper import Keeper
from trueup.domain.incident import Happening, Incident
from trueup.domain.monitor_settings import Store
from trueup.domain.sample import Sample
from trueup.domain.states import State
from trueup.store.backups import daily_backup
from trueup.store.opening import Stores, open_stores

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def incident(number: int) -> Incident:
    return Incident(number, "db", 1, State.DOWN, "it's down", NOW)


@asynccontextmanager
async def keeping(stores: Stores) -> AsyncIterator[Keeper]:
    keeper = Keeper(stores.state, stores.history)
    keeper.mend = lambda: stores.mend(NOW)
    running = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        keeper.close()


def run(data: Path, story: Callable[[Keeper, Stores], Awaitable[None]]) -> None:
    async def whole() -> None:
        stores = open_stores(data, Store())
        try:
            async with keeping(stores) as keeper:
                await story(keeper, stores)
        finally:
            stores.close()

    asyncio.run(whole())


def test_with_the_disk_full_all_stays_in_memory_until_there_is_space(tmp_path: Path) -> None:
    async def story(keeper: Keeper, stores: Stores) -> None:
        disk.fill()
        keeper.put(incidents=[incident(1)], happenings=[(1, Happening(NOW, "x" * 9000))])
        assert not await keeper.flushed()
        keeper.put(incidents=[incident(2)], happenings=[(1, Happening(NOW, "more"))])
        assert not await keeper.flushed()
        assert "no space left" in keeper.state_fails
        disk.empty()
        assert await keeper.flushed()
        assert keeper.state_fails == ""
        found = stores.state.load()
        assert [record.incident.id for record in found.incidents] == [1, 2]
        assert [line.what[-4:] for line in found.incidents[0].timeline] == ["xxxx", "more"]

    with small_disk(tmp_path / "disk") as disk:
        run(disk.folder, story)


def test_a_state_that_is_damaged_while_it_runs_begins_from_its_backup_and_is_told_all_again(
    tmp_path: Path,
) -> None:
    async def story(keeper: Keeper, stores: Stores) -> None:
        keeper.put(incidents=[incident(1)])
        assert await keeper.flushed()
        assert daily_backup(tmp_path, NOW) is not None
        keeper.on_begun_anew = lambda: keeper.put(incidents=[incident(2)])
        stores.databases[0].close()
        (tmp_path / "state.db").write_bytes(b"garbage " * 1000)
        keeper.put(incidents=[incident(3)])
        assert not await keeper.flushed()
        assert await keeper.flushed()
        assert [record.incident.id for record in stores.state.load().incidents] == [1, 2, 3]

    run(tmp_path, story)


def test_a_history_that_is_damaged_while_it_runs_begins_anew(tmp_path: Path) -> None:
    async def story(keeper: Keeper, stores: Stores) -> None:
        keeper.add([Sample("db", NOW, State.UP)])
        await keeper.write_samples()
        stores.databases[1].close()
        (tmp_path / "history.db").write_bytes(b"garbage " * 1000)
        keeper.add([Sample("db", NOW, State.DOWN)])
        await keeper.write_samples()
        assert keeper.history_fails
        await keeper.write_samples()
        assert not keeper.history_fails
        (point,) = stores.history.points("db", NOW, NOW.replace(hour=11), 3600)
        assert point.counts == {State.DOWN: 1}

    run(tmp_path, story)
