"""Without its disk or its database it alerts from memory, says so, and writes it all down afterwards."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.beds.postgres import postgres, sql
from tests.beds.small_disk import SmallDisk, small_disk
from tests.crash.victim import TARGET, Victim, events_of, victim
from trueup.store.backups import daily_backup


def written_of(monitor: Victim, target: str) -> list[list[str]]:
    return [events_of(one) for one in monitor.incidents() if one["target"] == target]


def test_an_outage_with_its_database_gone_is_told_and_written_down_afterwards(tmp_path: Path) -> None:
    with postgres() as server, victim(tmp_path) as monitor:
        monitor.store = f"postgres://postgres@{server.address}:{server.port}/postgres"
        monitor.configure()
        monitor.start()
        monitor.until(monitor.is_up, "up")
        server.stop()
        monitor.service.stop()
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened"], "told that it's down")
        server.start()
        monitor.until(lambda: written_of(monitor, TARGET) == [["opened"]], "written down")
        monitor.kill()
        monitor.start()
        monitor.service.listen()
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened", "closed"], "told that it's up")
        monitor.until(lambda: written_of(monitor, TARGET) == [["opened", "closed"]], "written down")
        assert monitor.receiver.repeats() == []
        assert not (monitor.data / "state.db").exists()
        assert sql(server, "select count(*) from trueup.incident where target = 'db'") == "1"


def fails_with_the_disk_full(monitor: Victim, disk: SmallDisk) -> None:
    """It runs, its disk is full, what it watches is down, and it has told both."""
    monitor.start()
    monitor.until(monitor.is_up, "up")
    disk.fill()
    monitor.service.stop()
    monitor.until(lambda: monitor.told_of(TARGET) == ["opened"], "told that it's down")
    monitor.until(lambda: monitor.told_of("trueup") == ["opened"], "told that the disk is full")


def test_an_outage_with_the_disk_full_is_told_and_written_down_afterwards(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4096) as disk, victim(tmp_path, disk.folder / "data") as monitor:
        fails_with_the_disk_full(monitor, disk)
        (own,) = (one for one in monitor.receiver.came if one["target"] == "trueup")
        assert own["cause"] == "disk-full"
        monitor.service.listen()
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened", "closed"], "told that it's up")
        disk.empty()
        monitor.until(lambda: monitor.told_of("trueup") == ["opened", "closed"], "told that there's space")
        monitor.until(lambda: written_of(monitor, "trueup") == [["opened", "closed"]], "written down")
        monitor.stop()
        monitor.start()
        monitor.until(lambda: written_of(monitor, TARGET) == [["opened", "closed"]], "there after a restart")
        monitor.stop()


@pytest.mark.parametrize("is_mended_first", [False, True])
def test_killed_while_its_disk_is_full_it_goes_on_with_what_happened_since(
    tmp_path: Path, *, is_mended_first: bool
) -> None:
    with small_disk(tmp_path / "disk", 4096) as disk, victim(tmp_path, disk.folder / "data") as monitor:
        fails_with_the_disk_full(monitor, disk)
        monitor.until(monitor.has_told_all, "and that it's written that it was")
        monitor.kill()
        if is_mended_first:
            disk.empty()
        monitor.start()
        monitor.until(lambda: bool(monitor.incidents()), "going on with its incidents")
        monitor.service.listen()
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened", "closed"], "told that it's up")
        if not is_mended_first:
            disk.empty()
        monitor.until(lambda: monitor.told_of("trueup") == ["opened", "closed"], "told that there's space")
        monitor.stop()
        monitor.start()
        monitor.until(lambda: written_of(monitor, TARGET) == [["opened", "closed"]], "there after a restart")
        assert written_of(monitor, "trueup") == [["opened", "closed"]]
        assert monitor.receiver.repeats() == []


def test_an_outage_goes_on_where_the_state_is_damaged_and_has_a_backup(tmp_path: Path) -> None:
    with victim(tmp_path) as monitor:
        monitor.start()
        monitor.until(monitor.is_up, "up")
        monitor.service.stop()
        monitor.until(monitor.has_told("opened"), "told that it's down")
        assert daily_backup(monitor.data, datetime.now(UTC)) is not None
        monitor.kill()
        for name in ("state.db", "history.db"):
            (monitor.data / name).write_bytes(b"garbage " * 10_000)
            (monitor.data / f"{name}-wal").unlink()
        monitor.start()
        monitor.service.listen()
        monitor.until(lambda: written_of(monitor, TARGET) == [["opened", "closed"]], "told, and written down")
        assert monitor.told_of(TARGET) == ["opened", "closed"]
        assert monitor.receiver.repeats() == []
        assert {one["target"] for one in monitor.receiver.came} == {TARGET}
        assert monitor.has_logged("CRITICAL", "state.db was damaged", "history.db was damaged")
        assert len(list(monitor.data.glob("*.db.damaged-*Z"))) == 2


@pytest.mark.parametrize("how", ["read-only", "full"] if os.environ.get("TRUEUP_CRASHES") else ["read-only"])
def test_a_start_on_a_disk_that_cannot_be_written_watches_and_tells_from_memory(
    tmp_path: Path, how: str
) -> None:
    """It goes on with the outage of before, dies twice meanwhile, and takes all home at the end."""
    with small_disk(tmp_path / "disk", 4096) as disk, victim(tmp_path, disk.folder / "data") as monitor:
        monitor.start()
        monitor.until(monitor.is_up, "up")
        monitor.service.stop()
        monitor.until(monitor.has_told("opened"), "told that it's down")
        monitor.kill()
        disk.fill() if how == "full" else disk.make_read_only()
        monitor.start()
        monitor.until(lambda: monitor.told_of("trueup") == ["opened"], "told that it can't be written")
        assert monitor.api.get("/health")[1] == b'{"state":"degraded"}'
        assert b"watching and alerting go on from memory" in monitor.api.get("/")[1]
        monitor.kill()
        monitor.start()
        monitor.service.listen()
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened", "closed"], "told that it's up")
        monitor.until(monitor.has_told_all, "and that it's written that it was")
        monitor.kill()
        monitor.start()
        monitor.until(lambda: bool(monitor.incidents()), "going on from memory")
        assert monitor.told_of("trueup") == ["opened"]
        disk.empty() if how == "full" else disk.make_writable()
        monitor.until(
            lambda: monitor.told_of("trueup") == ["opened", "closed"], "told that it can be written"
        )
        monitor.until(lambda: b'"up"' in monitor.api.get("/health")[1], "well")
        monitor.stop()
        monitor.start()
        monitor.until(lambda: written_of(monitor, TARGET) == [["opened", "closed"]], "there after a restart")
        assert written_of(monitor, "trueup") == [["opened", "closed"]]
        assert monitor.receiver.repeats() == []
        assert not [one for one in monitor.data.iterdir() if ".before-" in one.name]
