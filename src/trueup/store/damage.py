"""Damaged files of SQLite: found, set aside, and the state replaced by its newest good backup."""

import logging
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from trueup.store.backups import daily_backups
from trueup.store.database import make_file
from trueup.store.failure import failing

QUICK_BYTES_MAX: Final = 256 * 2**20
"""A larger file is only opened: looking through it takes seconds."""
_BESIDE: Final = ("", "-wal", "-shm")
_LOG: Final = logging.getLogger("trueup")
_BY_BACKUP: Final = "%s %s; its backup %s is in its place: what happened since then is forgotten"
_WITHOUT_BACKUP: Final = "%s %s; it has no backup: states, incidents, silences, users and tokens begin anew"
_HISTORY: Final = "%s %s; the history begins anew, and states and incidents are as they were"
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damage_of(path: Path) -> str | None:
    """What is wrong with a database's file, in SQLite's words; None where it's sound, or not there.

    Raises:
        StoreFailed: it can't be looked at.
    """
    if not path.exists():
        return None
    with failing():
        try:
            with closing(sqlite3.connect(path, timeout=5)) as db:
                db.execute("select count(*) from sqlite_master").fetchall()
                if path.stat().st_size > QUICK_BYTES_MAX:
                    return None
                (said,) = db.execute("pragma quick_check(1)").fetchone()
                return None if said == "ok" else str(said)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in _DAMAGED:
                return str(error)
            raise


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged file, and what SQLite keeps beside it; returns its new name.

    Raises:
        StoreFailed: it can't be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%SZ}")
    with failing():
        for ending in _BESIDE:
            file = path.with_name(path.name + ending)
            if file.exists():
                file.rename(aside.with_name(aside.name + ending))
    return aside


def mend_state(path: Path, now: datetime, *, is_gone: bool = False) -> None:
    """Set a damaged state aside and put its newest good backup in its place, and say so aloud.

    ``is_gone``: there was one, and now there's none.

    Raises:
        StoreFailed: it can't be done.
    """
    what = _out_of_the_way(path, now, is_gone=is_gone)
    if what is None:
        return
    for backup in daily_backups(path.parent):
        if damage_of(backup) is None:
            with failing(), closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(path)) as db:
                source.backup(db)
            _LOG.critical(_BY_BACKUP, path, what, backup.name)
            return
    _LOG.critical(_WITHOUT_BACKUP, path, what)


def mend_history(path: Path, now: datetime, *, is_gone: bool = False) -> None:
    """Set a damaged history aside, so that a new one begins, and say so aloud.

    ``is_gone``: there was one, and now there's none.

    Raises:
        StoreFailed: it can't be done.
    """
    what = _out_of_the_way(path, now, is_gone=is_gone)
    if what is not None:
        _LOG.critical(_HISTORY, path, what)


def _out_of_the_way(path: Path, now: datetime, *, is_gone: bool) -> str | None:
    """What happened to it, once there's an empty file in its place; None where nothing has."""
    words = None if is_gone else damage_of(path)
    if words is None and not is_gone:
        return None
    aside = set_aside(path, now)
    make_file(path)
    return "is gone" if is_gone else f"was damaged ({words}) and is set aside as {aside.name}"
