"""A start on a disk that can't be written: in memory, and home again with all that happened."""

import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.beds.small_disk import SmallDisk, small_disk
from trueup.domain.address import parse_address
from trueup.domain.incident import Incident
from trueup.domain.monitor_settings import Store
from trueup.domain.sample import Sample
from trueup.domain.states import State
from trueup.store import stand_in
from trueup.store.failure import Reason, StoreFailed
from trueup.store.opening import Stores, open_stores
from trueup.store.stand_in import Home, digest_of, open_or_stand_in
from trueup.store.state import Batch

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """With one incident in the state of its folder ``data``."""
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(stand_in, "MEMORY", tmp_path / "memory")
    with small_disk(tmp_path / "disk", 1024) as made:
        put(open_stores(made.folder / "data", Store()), 1).close()
        yield made


def put(stores: Stores, number: int, summary: str = "it's down") -> Stores:
    stores.state.record(Batch(incidents=(Incident(number, "db", 1, State.DOWN, summary, NOW),)))
    return stores


def numbers(stores: Stores) -> list[int]:
    return [one.incident.id for one in stores.state.load().incidents]


def started(disk: SmallDisk) -> Stores:
    return open_or_stand_in(disk.folder / "data", Store(), NOW)


def home(stores: Stores, disk: SmallDisk) -> Home:
    return Home(stores, disk.folder / "data", lambda: NOW)


def left_in_memory(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "memory").iterdir())


@pytest.fixture(params=["full", "read-only"])
def spoilt(request: pytest.FixtureRequest, disk: SmallDisk) -> SmallDisk:
    disk.fill() if request.param == "full" else disk.make_read_only()
    return disk


def mend(disk: SmallDisk) -> None:
    disk.make_writable()
    if (disk.folder / "ballast").exists():
        disk.empty()


def test_it_goes_on_in_memory_and_takes_everything_home(
    spoilt: SmallDisk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stores = started(spoilt)
    assert "what happens is kept in memory" in caplog.text
    assert numbers(stores) == [1]
    put(stores, 2)
    with pytest.raises(StoreFailed) as failed:
        home(stores, spoilt).go_back()
    assert failed.value.reason in (Reason.FULL, Reason.READ_ONLY)
    put(stores, 3)
    mend(spoilt)
    home(stores, spoilt).go_back()
    assert left_in_memory(tmp_path) == []
    put(stores, 4)
    stores.history.add([Sample("db", NOW, State.UP)])
    with pytest.raises(StoreFailed) as failed:
        open_stores(spoilt.folder / "data", Store())
    assert failed.value.reason is Reason.LOCKED, "it holds its folder again"
    stores.close()
    again = started(spoilt)
    assert (again.stand_in, numbers(again)) == (None, [1, 2, 3, 4])
    again.close()
    assert not list((spoilt.folder / "data").glob("state.db.*"))


def test_a_restart_while_it_is_away_finds_what_the_last_run_left(spoilt: SmallDisk, tmp_path: Path) -> None:
    put(started(spoilt), 2).close()
    put(started(spoilt), 3).close()
    mend(spoilt)
    stores = started(spoilt)
    assert (stores.stand_in, numbers(stores)) == (None, [1, 2, 3])
    assert left_in_memory(tmp_path) == []
    stores.close()


@pytest.mark.parametrize("is_mended_first", [False, True])
def test_a_disk_that_fills_up_is_left_and_a_restart_finds_what_happened_since(
    disk: SmallDisk, tmp_path: Path, *, is_mended_first: bool
) -> None:
    stores = started(disk)
    disk.fill()
    with pytest.raises(StoreFailed) as failed:
        put(stores, 2, "x" * 99_999)
    home(stores, disk).leave(failed.value)
    put(stores, 2)
    stores.close()
    if is_mended_first:
        mend(disk)
    stores = started(disk)
    assert numbers(stores) == [1, 2]
    mend(disk)
    home(stores, disk).go_back()
    assert numbers(put(stores, 3)) == [1, 2, 3]
    stores.close()
    assert left_in_memory(tmp_path) == []
    assert not list((disk.folder / "data").glob("state.db.*"))


def test_a_folder_is_not_left_for_what_is_no_matter_of_its_disk(disk: SmallDisk, tmp_path: Path) -> None:
    stores = started(disk)
    for reason in (Reason.LOCKED, Reason.GONE):
        with pytest.raises(StoreFailed, match="as the test wants it"):
            home(stores, disk).leave(StoreFailed(reason, "as the test wants it"))
    assert numbers(put(stores, 2)) == [1, 2]
    stores.close()
    assert left_in_memory(tmp_path) == []


def test_what_was_changed_at_home_meanwhile_is_kept_beside(
    disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.make_read_only()
    stores = put(started(disk), 2)
    disk.make_writable()
    put(open_stores(disk.folder / "data", Store()), 5).close()
    home(stores, disk).go_back()
    assert numbers(stores) == [1, 2]
    stores.close()
    (aside,) = (disk.folder / "data").glob("state.db.before-*")
    assert aside.name in caplog.text
    assert digest_of(aside) not in ("", digest_of(disk.folder / "data" / "state.db"))


def test_what_is_left_in_memory_never_takes_the_place_of_something_newer(
    disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.make_read_only()
    put(started(disk), 2).close()
    disk.make_writable()
    put(open_stores(disk.folder / "data", Store()), 5).close()
    stores = started(disk)
    assert numbers(stores) == [1, 5]
    stores.close()
    (aside,) = (disk.folder / "data").glob("state.db.from-memory-*")
    assert aside.name in caplog.text


def test_a_damaged_state_on_a_disk_that_cannot_be_written_is_replaced_by_its_backup(disk: SmallDisk) -> None:
    backups = disk.folder / "data" / "backups"
    backups.mkdir()
    (disk.folder / "data" / "state.db").rename(backups / "state-2026-11-20.db")
    (disk.folder / "data" / "state.db").write_bytes(b"garbage " * 1000)
    disk.make_read_only()
    stores = started(disk)
    assert numbers(stores) == [1]
    stores.close()


def test_one_monitor_at_a_time_stands_in(disk: SmallDisk) -> None:
    disk.make_read_only()
    stores = started(disk)
    for make_writable in (False, True):
        if make_writable:
            disk.make_writable()
        with pytest.raises(StoreFailed) as failed:
            started(disk)
        assert failed.value.reason is Reason.LOCKED
    stores.close()


def test_who_holds_a_folder_holds_it_also_when_its_disk_becomes_read_only(disk: SmallDisk) -> None:
    held = os.open(disk.folder / "data" / "lock", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    disk.make_read_only()
    with pytest.raises(StoreFailed) as failed:
        started(disk)
    assert failed.value.reason is Reason.LOCKED
    os.close(held)


def test_a_mistake_stays_a_mistake(disk: SmallDisk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    disk.make_read_only()
    for data in (disk.folder / "no-such-folder", tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(StoreFailed):
            open_or_stand_in(data, Store(), NOW)
    nowhere = Store(parse_address("postgres://127.0.0.1:1/postgres", ("postgres",)))
    with pytest.raises(StoreFailed):
        open_or_stand_in(tmp_path / "data", nowhere, NOW)
    assert left_in_memory(tmp_path) == []


def test_a_folder_that_somebody_else_could_write_is_not_used(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.make_read_only()
    started(disk).close()
    (place,) = left_in_memory(tmp_path)
    place.chmod(0o770)
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "other"))
    stores = started(disk)
    assert stores.databases[0].path is not None
    assert stores.databases[0].path.is_relative_to(tmp_path / "other")
    stores.close()
    place.chmod(0o700)


def test_without_memory_it_says_what_was_wrong_with_the_disk(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(stand_in, "MEMORY", tmp_path / "nowhere")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "nowhere"))
    disk.make_read_only()
    with pytest.raises(StoreFailed, match="Read-only file system"):
        started(disk)
