"""No space, a read-only disk, a lock, a server that's gone: said as such, and over when it's over."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.beds.postgres import postgres
from tests.beds.small_disk import SmallDisk, small_disk
from trueup.domain.address import parse_address
from trueup.domain.monitor_settings import Store
from trueup.domain.sample import Sample
from trueup.domain.states import State
from trueup.store import database as databases
from trueup.store.backups import daily_backup
from trueup.store.failure import Reason, StoreFailed
from trueup.store.folder import RESERVE_BYTES
from trueup.store.opening import Stores, open_stores
from trueup.store.state import Batch, Kept

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def kept(n: int, document: str = "{}") -> Kept:
    return Kept(f"target-{n}", "up", "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:01.000Z", document)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def stores(disk: SmallDisk) -> Iterator[Stores]:
    opened = open_stores(disk.folder, Store())
    yield opened
    opened.close()


def fails_for(reason: Reason, stores: Stores) -> None:
    with pytest.raises(StoreFailed) as failed:
        stores.state.record(Batch(kept=(kept(2, "x" * 9000),)))
    assert failed.value.reason is reason
    assert set(stores.state.load().kept) == {"target-1"}, "what was there can be read, and nothing was stored"


def test_a_full_disk_is_said_and_forgotten_when_there_is_space_again(stores: Stores, disk: SmallDisk) -> None:
    stores.state.record(Batch(kept=(kept(1),)))
    disk.fill()
    for _ in range(3):
        fails_for(Reason.FULL, stores)
    with pytest.raises(StoreFailed):
        stores.history.add(Sample("db", datetime.fromtimestamp(n, UTC), State.UP) for n in range(2000))
    with pytest.raises(StoreFailed):
        daily_backup(disk.folder, NOW)
    disk.empty()
    stores.state.record(Batch(kept=(kept(2),)))
    stores.history.add([Sample("db", NOW, State.UP)])
    assert len(stores.state.load().kept) == 2
    assert daily_backup(disk.folder, NOW) is not None


def test_on_a_full_disk_it_starts_with_its_reserve_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "large", 80 * 1024) as disk:
        stores = open_stores(disk.folder, Store())
        stores.state.record(Batch(kept=(kept(1),)))
        stores.close()
        assert (disk.folder / "reserve").stat().st_blocks * 512 >= RESERVE_BYTES
        disk.fill()
        stores = open_stores(disk.folder, Store())
        assert "the reserve is given up" in caplog.messages[-1]
        stores.state.record(Batch(kept=(kept(2),)))
        stores.close()
        disk.fill()
        with pytest.raises(StoreFailed) as failed:
            open_stores(disk.folder, Store())
        assert failed.value.reason is Reason.FULL
        disk.empty()
        stores = open_stores(disk.folder, Store())
        assert len(stores.state.load().kept) == 2
        assert (disk.folder / "reserve").exists()
        stores.close()


def test_what_is_locked_for_too_long_is_said(
    stores: Stores, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.state.record(Batch(kept=(kept(1),)))
    stores.databases[0].close()
    stores.close()
    monkeypatch.setattr(databases, "BUSY_TIMEOUT_S", 0)
    impatient = open_stores(disk.folder, Store())
    other = sqlite3.connect(disk.folder / "state.db", isolation_level=None)
    other.execute("begin immediate")
    fails_for(Reason.LOCKED, impatient)
    other.execute("rollback")
    other.close()
    impatient.state.record(Batch(kept=(kept(2),)))
    impatient.close()


def test_a_read_only_disk_is_said_and_forgotten_when_it_can_be_written_again(
    stores: Stores, disk: SmallDisk
) -> None:
    stores.state.record(Batch(kept=(kept(1),)))
    stores.close()
    disk.make_read_only()
    with pytest.raises(StoreFailed) as failed:
        open_stores(disk.folder, Store())
    assert failed.value.reason in (Reason.READ_ONLY, Reason.GONE)
    assert "Read-only file system" in str(failed.value)
    disk.make_writable()
    again = open_stores(disk.folder, Store())
    assert set(again.state.load().kept) == {"target-1"}
    again.close()


def test_a_server_that_is_gone_is_said_and_forgotten_when_it_is_back(tmp_path: Path) -> None:
    with postgres() as server:
        port, address = server.port, server.address
        text = f"postgres://postgres@{address}:{port}/postgres"
        stores = open_stores(tmp_path, Store(parse_address(text, ("postgres",))))
        stores.state.record(Batch(kept=(kept(1),)))
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreFailed) as failed:
                stores.state.record(Batch(kept=(kept(2),)))
            assert failed.value.reason is Reason.GONE
        server.start()
        stores.state.record(Batch(kept=(kept(2),)))
        assert len(stores.state.load().kept) == 2
        stores.close()


def test_a_server_that_freezes_is_said_and_forgotten_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "ANSWER_TIMEOUT_S", 2.0)
    monkeypatch.setattr(databases, "CONNECT_TIMEOUT_S", 2)
    with postgres() as server:
        text = f"postgres://postgres@{server.address}:{server.port}/postgres"
        stores = open_stores(tmp_path, Store(parse_address(text, ("postgres",))))
        stores.state.record(Batch(kept=(kept(1),)))
        with server.paused(), pytest.raises(StoreFailed) as failed:
            stores.state.record(Batch(kept=(kept(2),)))
        assert failed.value.reason is Reason.GONE
        monkeypatch.setattr(databases, "ANSWER_TIMEOUT_S", 60.0)
        stores.state.record(Batch(kept=(kept(2),)))
        assert len(stores.state.load().kept) == 2
        stores.close()


def test_a_server_that_cannot_be_reached_or_refuses_is_said_without_the_password(tmp_path: Path) -> None:
    address = parse_address("postgres://ann:planted-secret@127.0.0.1:1/trueup", ("postgres",))
    with pytest.raises(StoreFailed) as failed:
        open_stores(tmp_path, Store(address))
    assert failed.value.reason is Reason.GONE
    assert "planted-secret" not in str(failed.value)


def test_without_its_driver_the_remedy_is_said(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pathlib import Path\n"
        "from trueup.domain.address import parse_address\n"
        "from trueup.domain.monitor_settings import Store\n"
        "from trueup.store.opening import open_state\n"
        "open_state(Path('.'), Store(parse_address('postgres://127.0.0.1/x', ('postgres',))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1].endswith('pip install "trueup[postgres]")')


def test_what_a_driver_says_is_one_line_and_no_statement(stores: Stores) -> None:
    with pytest.raises(StoreFailed) as failed:
        stores.state.record(Batch(kept=(Kept("planted-name", None, "", "", ""),)))  # type: ignore[arg-type]
    assert failed.value.reason is Reason.REFUSED
    assert "planted-name" not in str(failed.value)
    assert "\n" not in str(failed.value)
