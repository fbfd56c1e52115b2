import sqlite3
import stat
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trueup.domain.monitor_settings import Store
from trueup.domain.sample import Sample
from trueup.domain.states import State
from trueup.store.backups import back_up, copy, daily_backup, daily_backups
from trueup.store.failure import Reason, StoreFailed
from trueup.store.opening import open_stores
from trueup.store.restoring import NoBackup, restore
from trueup.store.state import Batch, Kept

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def kept(target: str) -> Kept:
    return Kept(target, "up", "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:01.000Z", "{}")


def known(data: Path) -> set[str]:
    stores = open_stores(data, Store())
    found = set(stores.state.load().kept)
    stores.close()
    return found


def looks(data: Path) -> int:
    stores = open_stores(data, Store())
    found = stores.history.points("db", NOW, NOW + DAY, 3600)
    stores.close()
    return sum(sum(point.counts.values()) for point in found)


def fill(data: Path, *targets: str) -> None:
    stores = open_stores(data, Store())
    stores.state.record(Batch(kept=tuple(map(kept, targets))))
    stores.history.add(Sample("db", NOW + n * timedelta(minutes=1), State.UP) for n in range(len(targets)))
    stores.close()


def test_a_backup_of_a_running_monitor_is_restored_elsewhere(tmp_path: Path) -> None:
    stores = open_stores(tmp_path / "data", Store())
    stores.state.record(Batch(kept=(kept("db"),)))
    stores.history.add([Sample("db", NOW, State.UP)])
    file = tmp_path / "backup.tar"
    back_up(tmp_path / "data", file)
    stores.state.record(Batch(kept=(kept("later"),)))
    stores.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert restore(file, tmp_path / "other", NOW) is None
    assert known(tmp_path / "other") == {"db"}
    assert looks(tmp_path / "other") == 1
    assert stat.S_IMODE((tmp_path / "other" / "state.db").stat().st_mode) == 0o600


def test_what_was_there_is_kept_aside(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup.tar"
    fill(data, "old")
    back_up(data, file)
    fill(data, "new", "newer")
    aside = restore(file, data, NOW)
    assert aside == data / "before-restore-20261121T100000Z"
    assert known(data) == {"old"}
    assert looks(data) == 1
    assert known(aside) == {"old", "new", "newer"}


def test_a_folder_that_a_monitor_holds_is_refused(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup.tar"
    fill(data, "old")
    back_up(data, file)
    stores = open_stores(data, Store())
    with pytest.raises(StoreFailed, match="another trueup runs on") as refused:
        restore(file, data, NOW)
    assert refused.value.reason is Reason.LOCKED
    with pytest.raises(StoreFailed):
        open_stores(data, Store())
    stores.close()
    restore(file, data, NOW)


def test_a_file_that_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data, "old")
    text, archive, foreign = tmp_path / "text", tmp_path / "archive.tar", tmp_path / "foreign.db"
    text.write_text("no backup")
    with tarfile.open(archive, "w") as made:
        made.add(text, "../state.db")
    db = sqlite3.connect(foreign)
    db.execute("create table other (a)")
    db.close()
    for file in (text, archive, foreign):
        with pytest.raises(NoBackup):
            restore(file, data, NOW)
    assert known(data) == {"old"}


def test_a_damaged_backup_and_one_of_a_newer_trueup_are_refused(tmp_path: Path) -> None:
    data, newer, damaged = tmp_path / "data", tmp_path / "newer.db", tmp_path / "damaged.db"
    fill(data, *(f"target-{n}" for n in range(500)))
    copy(data / "state.db", newer)
    db = sqlite3.connect(newer)
    db.execute("update schema_version set version = 99")
    db.commit()
    db.close()
    copy(data / "state.db", damaged)
    damage(damaged)
    with pytest.raises(StoreFailed, match="newer version"):
        restore(newer, data, NOW)
    with pytest.raises(NoBackup, match="damaged"):
        restore(damaged, data, NOW)
    assert len(known(data)) == 500


def test_there_is_one_backup_a_day_and_seven_are_kept(tmp_path: Path) -> None:
    assert daily_backup(tmp_path, NOW) is None
    fill(tmp_path, "db")
    first = daily_backup(tmp_path, NOW)
    assert first is not None
    assert daily_backup(tmp_path, NOW + timedelta(hours=3)) is None
    for day in range(1, 10):
        daily_backup(tmp_path, NOW + day * DAY)
    names = [path.name for path in daily_backups(tmp_path)]
    assert names == [f"state-2026-11-{day}.db" for day in range(30, 23, -1)]
    assert not first.exists()
    restore(daily_backups(tmp_path)[0], tmp_path / "other", NOW)
    assert known(tmp_path / "other") == {"db"}


def damage(path: Path) -> None:
    """Overwrite pages in the middle."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 8192)
