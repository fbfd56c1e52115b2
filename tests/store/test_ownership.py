"""Root works on the data of a monitor that has a user of its own."""

import os
from pathlib import Path

import pytest

from tests.beds.requirements import require_root
from tests.cli.trueup import trueup
from trueup.store.ownership import leave_to_owner_of
from trueup.store.restoring import unpacked

NOBODY = 65534


@pytest.fixture
def data(tmp_path: Path) -> Path:
    require_root("a folder of another's")
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    return folder


def owners(folder: Path) -> dict[str, int]:
    return {path.name: path.lstat().st_uid for path in folder.rglob("*")}


def test_what_root_makes_is_the_monitor_s(data: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "backup.tar")
    for words in (["token", "create"], ["backup", file], ["restore", file], ["token", "list"]):
        done = trueup(*words, "--data", str(data))
        assert done.returncode == 0, done.stderr
        assert set(owners(data).values()) == {NOBODY}, (words, owners(data))
    assert Path(file).stat().st_uid == 0


def test_a_lost_folder_is_restored_for_its_owner(data: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "backup.tar")
    assert trueup("token", "create", "--data", str(tmp_path / "old")).returncode == 0
    assert trueup("backup", file, "--data", str(tmp_path / "old")).returncode == 0
    assert trueup("restore", file, "--data", str(data)).returncode == 0
    assert {"state.db", "lock"} <= owners(data).keys()
    assert set(owners(data).values()) == {NOBODY}


def test_what_is_handed_to_a_monitor_that_runs_is_its_own(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    assert trueup("token", "create", "--data", str(tmp_path / "old")).returncode == 0
    assert trueup("backup", str(file), "--data", str(tmp_path / "old")).returncode == 0
    with unpacked(file, data) as folder:
        assert set(owners(data).values()) == {NOBODY}
        assert (folder / "state.db").exists()


def test_what_may_be_a_file_of_elsewhere_stays_root_s(data: Path, tmp_path: Path) -> None:
    for name in ("linked", "named-twice"):
        (tmp_path / name).write_text("of the system")
    (data / "link").symlink_to(tmp_path / "linked")
    (data / "state.db").hardlink_to(tmp_path / "named-twice")
    (data / "mine").touch()
    leave_to_owner_of(data)
    assert owners(data) == {"link": 0, "state.db": 0, "mine": NOBODY}
    assert (tmp_path / "linked").stat().st_uid == 0
    (tmp_path / "there").mkdir()
    (data / "folder").symlink_to(tmp_path / "there")
    leave_to_owner_of(data, data / "folder")
    assert (tmp_path / "there").stat().st_uid == 0
