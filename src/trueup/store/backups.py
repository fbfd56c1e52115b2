"""Backups of the data of SQLite: one file on demand, and one of the state each day."""

import contextlib
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from trueup.store.failure import failing
from trueup.store.folder import HISTORY_FILE, STATE_FILE

FOLDER: Final = "backups"
KEPT_DAYS: Final = 7
_DAILY: Final = "state-*.db"


def daily_backups(data: Path) -> list[Path]:
    """The daily backups of the state, the newest first."""
    return sorted((data / FOLDER).glob(_DAILY), reverse=True)


def daily_backup(data: Path, now: datetime) -> Path | None:
    """Back up the state if it hasn't been today, and keep those of seven days. Returns the new one.

    Raises:
        StoreFailed: it can't be made; those that there were stay.
    """
    file = data / FOLDER / f"state-{now:%Y-%m-%d}.db"
    if file.exists() or not (data / STATE_FILE).exists():
        return None
    with failing():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        with _new_file(file) as made:
            copy(data / STATE_FILE, made)
        for old in daily_backups(data)[KEPT_DAYS:]:
            old.unlink(missing_ok=True)
    return file


def back_up(data: Path, file: Path) -> None:
    """Write a tar archive of ``state.db`` and ``history.db``, each as it is at one moment, to ``file``.

    Raises:
        StoreFailed: it can't be made; what was at ``file`` stays.
    """
    with failing(), _new_file(file) as made, tarfile.open(made, "w") as archive:
        for name in (STATE_FILE, HISTORY_FILE):
            if (data / name).exists():
                with _scratch(file) as copied:
                    copy(data / name, copied)
                    archive.add(copied, name)


def copy(source: Path, to: Path) -> None:
    """Copy a database as it is at this moment, whoever writes it meanwhile; ``to`` may be in use too.

    Raises:
        sqlite3.Error: it can't be read or written.
    """
    with closing(sqlite3.connect(source, timeout=5)) as old, closing(sqlite3.connect(to, timeout=5)) as new:
        old.backup(new)


@contextlib.contextmanager
def _new_file(file: Path) -> Iterator[Path]:
    """Where to write it, for nobody else to read; it gets its name when it's whole."""
    with _scratch(file) as made:
        yield made
        with made.open("rb") as written:
            os.fsync(written.fileno())
        made.replace(file)


@contextlib.contextmanager
def _scratch(file: Path) -> Iterator[Path]:
    """An empty file beside ``file`` that's gone afterwards."""
    number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.absolute().parent)
    os.close(number)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
