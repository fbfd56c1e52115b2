"""What a backup has is put in the place of the data, which is kept aside."""

import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from trueup.store.backups import copy
from trueup.store.damage import damage_of, set_aside
from trueup.store.database import sqlite_database
from trueup.store.failure import failing
from trueup.store.folder import HISTORY_FILE, STATE_FILE, Hold
from trueup.store.migrations import Kind, migrate
from trueup.store.ownership import leave_to_owner_of

_KINDS: Final[dict[str, Kind]] = {STATE_FILE: "state", HISTORY_FILE: "history"}
_TABLES: Final = {"state": "verdict", "history": "series"}


class NoBackup(ValueError):  # noqa: N818 - it says what it is
    """Not a file that ``trueup backup`` wrote, nor a daily backup; or damaged."""


def restore(file: Path, data: Path, now: datetime) -> Path | None:
    """Put what ``file`` has in the place of what's in ``data``. Returns the folder in which that is kept, or
    None where there was nothing. ``file`` is an archive of ``back_up``, or one of the daily backups.

    Raises:
        NoBackup: nothing was changed.
        StoreFailed: ``LOCKED`` while a monitor runs on the folder, ``NEWER`` for a backup of a newer trueup:
            nothing was changed. Otherwise what was there is where the message says.
    """
    hold = Hold(data)
    try:
        with unpacked(file, data) as folder:
            kept = put(folder, data, now)
        if kept is not None:
            leave_to_owner_of(data, kept)
        leave_to_owner_of(data)
        return kept
    finally:
        hold.release()


@contextmanager
def unpacked(file: Path, data: Path) -> Iterator[Path]:
    """A folder in ``data`` with what ``file`` has, looked through; removed at the end if it's still there.

    Raises:
        NoBackup: it's no backup, or damaged.
        StoreFailed: as ``restore``.
    """
    with failing():
        folder = Path(tempfile.mkdtemp(prefix=".restore-", dir=data))
    try:
        with failing():
            for one in _unpacked(file, folder):
                _check(one)
            leave_to_owner_of(data, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put(folder: Path, data: Path, now: datetime) -> Path | None:
    """Put what was unpacked in the place of the data, which the caller holds; as ``restore``.

    Raises:
        StoreFailed: it can't be put there.
    """
    with failing():
        found = [folder / name for name in _KINDS if (folder / name).exists()]
        kept = _keep_aside(data, [one.name for one in found], now)
        for one in found:
            copy(one, data / one.name)
            (data / one.name).chmod(0o600)
        return kept


def _unpacked(file: Path, folder: Path) -> list[Path]:
    if _is_sqlite(file):
        return [Path(shutil.copyfile(file, folder / STATE_FILE))]
    try:
        with tarfile.open(file) as archive:
            members = archive.getmembers()
            if not {STATE_FILE} <= {one.name for one in members} <= set(_KINDS):
                raise NoBackup(f"{file} is no backup of trueup")
            return [_extracted(archive, one, folder) for one in members]
    except tarfile.TarError as error:
        raise NoBackup(f"{file} is no backup of trueup") from error


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> Path:
    packed = archive.extractfile(member)
    if packed is None:
        raise NoBackup(f"{member.name} in the backup is no file")
    file = folder / member.name
    with packed, file.open("wb") as made:
        shutil.copyfileobj(packed, made)
    return file


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"


def _check(file: Path) -> None:
    words = damage_of(file)
    if words is not None:
        raise NoBackup(f"{file.name} in the backup is damaged: {words}")
    kind = _KINDS[file.name]
    with closing(sqlite3.connect(file)) as db:
        tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
    if _TABLES[kind] not in tables:
        raise NoBackup(f"{file.name} in the backup is no {kind} of trueup")
    database = sqlite_database(file, durable=False)
    try:
        migrate(database, kind)
    finally:
        database.close()


def _keep_aside(data: Path, names: list[str], now: datetime) -> Path | None:
    present = [data / name for name in names if (data / name).exists()]
    if not present:
        return None
    folder = data / f"before-restore-{now:%Y%m%dT%H%M%SZ}"
    folder.mkdir(mode=0o700)
    for file in present:
        if damage_of(file) is None:
            copy(file, folder / file.name)
        else:
            set_aside(file, now)
    return folder
