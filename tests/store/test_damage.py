"""A damaged file is set aside with a loud word; the state comes back from its newest good backup."""

import logging
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.store.test_backups import damage, fill, known, looks
from trueup.domain.monitor_settings import Store
from trueup.store.backups import daily_backup
from trueup.store.damage import damage_of
from trueup.store.failure import Reason, StoreFailed
from trueup.store.opening import open_stores
from trueup.store.state import Batch, Kept

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage " * 1000)


def header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


WAYS = [damage, truncate, garbage, header]


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_state_comes_back_from_its_backup(
    way: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, *(f"target-{n}" for n in range(500)))
    daily_backup(tmp_path, NOW)
    broken = daily_backup(tmp_path, NOW + timedelta(days=1))
    assert broken is not None
    garbage(broken)
    fill(tmp_path, "later")
    way(tmp_path / "state.db")
    assert damage_of(tmp_path / "state.db") is not None
    with caplog.at_level(logging.CRITICAL, "trueup"):
        assert len(known(tmp_path)) == 500
    (said,) = caplog.messages
    assert "state-2026-11-21.db is in its place" in said
    (aside,) = tmp_path.glob("state.db.damaged-*Z")
    assert aside.name in said
    assert looks(tmp_path) == 500


def test_without_a_backup_the_state_begins_anew_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, "db")
    garbage(tmp_path / "state.db")
    assert known(tmp_path) == set()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert "begin anew" in caplog.messages[0]
    assert list(tmp_path.glob("state.db.damaged-*"))


def test_a_damaged_history_changes_nothing_of_the_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, "db")
    garbage(tmp_path / "history.db")
    assert known(tmp_path) == {"db"}
    assert looks(tmp_path) == 0
    assert "history begins anew" in caplog.messages[0]


def test_damage_while_it_runs_is_mended_without_a_new_start(tmp_path: Path) -> None:
    fill(tmp_path, *(f"target-{n}" for n in range(500)))
    daily_backup(tmp_path, NOW)
    stores = open_stores(tmp_path, Store())
    assert not stores.mend(NOW)
    stores.databases[0].close()
    garbage(tmp_path / "state.db")
    with pytest.raises(StoreFailed) as failed:
        stores.state.load()
    assert failed.value.reason is Reason.DAMAGED
    assert stores.mend(NOW)
    assert len(stores.state.load().kept) == 500
    stores.state.record(Batch(kept=(Kept("new", "up", "", "", "{}"),)))
    stores.close()
    assert "new" in known(tmp_path)


def test_files_that_are_taken_away_while_it_runs_are_missed_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    fill(data, "db")
    stores = open_stores(data, Store())
    shutil.rmtree(data)
    with pytest.raises(StoreFailed, match="is gone") as failed:
        stores.state.record(Batch(kept=(Kept("new", "up", "", "", "{}"),)))
    assert failed.value.reason is Reason.DAMAGED
    assert stores.mend(NOW)
    assert len(caplog.messages) == 2
    stores.state.record(Batch(kept=(Kept("new", "up", "", "", "{}"),)))
    stores.close()
    assert known(data) == {"new"}
    assert stat.S_IMODE((data / "state.db").stat().st_mode) == 0o600


def test_a_state_that_is_not_there_begins_anew_and_its_backups_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, "db")
    daily_backup(tmp_path, NOW)
    (tmp_path / "state.db").unlink()
    assert known(tmp_path) == set()
    (said,) = caplog.messages
    assert f"trueup restore {tmp_path}/backups/state-2026-11-21.db" in said


def test_a_sound_file_and_none_have_no_damage(tmp_path: Path) -> None:
    assert damage_of(tmp_path / "state.db") is None
    fill(tmp_path, "db")
    assert damage_of(tmp_path / "state.db") is None
