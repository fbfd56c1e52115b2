"""A restore on a folder that a monitor holds."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.test_backups import NOW, fill, known
from trueup.domain.monitor_settings import Store
from trueup.store.backups import back_up
from trueup.store.failure import StoreFailed
from trueup.store.handing_over import hand_over, is_asked, take
from trueup.store.opening import open_stores
from trueup.store.restoring import NoBackup


@contextmanager
def holder(data: Path, does: Callable[[], None]) -> Iterator[None]:
    """Somebody who holds the folder until they're asked, and then ``does`` something."""
    stores = open_stores(data, Store())

    def heed() -> None:
        ends_s = time.monotonic() + 30
        while not is_asked(data) and time.monotonic() < ends_s:
            time.sleep(0.01)
        stores.close()
        does()

    thread = threading.Thread(target=heed)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def backed_up(data: Path) -> Path:
    file = data.with_name("backup.tar")
    fill(data, "old")
    back_up(data, file)
    fill(data, "new")
    return file


def left_over(data: Path) -> list[str]:
    return [path.name for path in data.iterdir() if "restore" in path.name and "before" not in path.name]


def test_who_holds_the_folder_takes_it_and_says_where_the_rest_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = backed_up(data)
    with holder(data, lambda: take(data, NOW)):
        aside = hand_over(file, data)
    assert aside == data / "before-restore-20261121T100000Z"
    assert (known(data), known(aside)) == ({"old"}, {"old", "new"})
    assert left_over(data) == []


def test_who_cannot_take_it_says_why_and_has_what_it_had(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = backed_up(data)
    (data / "before-restore-20261121T100000Z").mkdir()
    with holder(data, lambda: take(data, NOW)), pytest.raises(StoreFailed, match="File exists"):
        hand_over(file, data)
    assert known(data) == {"old", "new"}
    assert left_over(data) == []


def test_what_nobody_takes_is_withdrawn(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = backed_up(data)
    with pytest.raises(StoreFailed, match="doesn't take it; stop it, and repeat this"):
        hand_over(file, data, wait_s=0.0)
    assert left_over(data) == []
    assert known(data) == {"old", "new"}


def test_there_is_one_at_a_time_and_only_a_backup_is_handed_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = backed_up(data)
    (data / "restore").mkdir()
    with pytest.raises(StoreFailed, match="another restore waits"):
        hand_over(file, data)
    (data / "restore").rmdir()
    text = tmp_path / "text"
    text.write_text("x")
    with pytest.raises(NoBackup):
        hand_over(text, data)
    assert left_over(data) == []
