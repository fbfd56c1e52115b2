"""The data in memory for as long as its own folder can't be written: no disk is needed to watch and to alert.

A start on a disk that is full or read-only takes the state along into a folder of memory, and so does a
monitor whose disk becomes so; a restart of the process finds it there again, and a reboot doesn't. When the
disk can be written it's taken home, and with it what happened meanwhile. The history begins empty there.
"""

import errno
import hashlib
import logging
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trueup.domain.monitor_settings import Store
from trueup.store.backups import copy, daily_backups
from trueup.store.damage import damage_of
from trueup.store.failure import Reason, StoreFailed, failing
from trueup.store.folder import STATE_FILE, Hold
from trueup.store.opening import StandIn, Stores, open_stores

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory (tmpfs(5)); the folder is checked
BYTES_MAX: Final = 64 * 2**20
"""What a history may take while it's in memory."""
_PROBE: Final = ".writable"
_PROBE_BYTES: Final = 64 * 2**10
_TAKEN: Final = "taken-along"
_OF_THE_DISK: Final = frozenset({errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO})
_OF_THE_USER: Final = (Reason.LOCKED, Reason.NEWER, Reason.REFUSED)
_LOG: Final = logging.getLogger("trueup")


class Home:
    """The folder ``data`` of ``stores``, which they leave while it can't be written, and go back to.

    Nobody else may use state or history while they leave or go back.
    """

    def __init__(self, stores: Stores, data: Path, now: Callable[[], datetime]) -> None:
        self._stores, self._data, self._now = stores, data, now

    @property
    def is_left(self) -> bool:
        return self._stores.stand_in is not None

    def leave(self, why: StoreFailed) -> None:
        """From now on the stores are in memory, with all that the state has; ``why`` it can't be written.

        Raises:
            StoreFailed: it's no matter of the disk, or there's no memory to stand in; all stays as it is.
        """
        if not _is_of_the_disk(why, self._data):
            raise why
        self._stores.become(_standing_in(self._data, why, self._now()))

    def go_back(self) -> None:
        """From now on the stores are at home, with the state as it is in memory.

        Raises:
            StoreFailed: it can't be written yet, and all stays as it is.
        """
        stand_in, now = self._stores.stand_in, self._now()
        if stand_in is None:
            return
        _try_to_write(self._data)
        at_home = open_stores(self._data, Store(), now)
        try:
            if digest_of(self._data / STATE_FILE) != stand_in.digest:
                _keep_what_is_there(self._data, now)
            with failing():
                copy(stand_in.place / STATE_FILE, self._data / STATE_FILE)
        except BaseException:
            at_home.close()
            raise
        self._stores.become(at_home)
        shutil.rmtree(stand_in.place, ignore_errors=True)


def open_or_stand_in(data: Path, store: Store, now: datetime | None = None) -> Stores:
    """The stores as ``open_stores`` opens them; in memory where the disk of ``data`` is full or read-only.

    A folder that isn't there or may not be written is somebody's mistake, and stays one. So does a database
    that can't be reached: without it nobody knows what was told already.

    Raises:
        StoreFailed: as ``open_stores``; also where there's no memory to stand in.
    """
    now = now or datetime.now(UTC)
    if store.address is not None:
        return open_stores(data, store, now)
    try:
        return _at_home(data, now)
    except StoreFailed as failed:
        if not _is_of_the_disk(failed, data):
            raise
        return _standing_in(data, failed, now)


def digest_of(state: Path) -> str:
    """Of everything in a state, however it lies in its files; empty where there's none.

    Raises:
        StoreFailed: it can't be read.
    """
    if not state.exists():
        return ""
    found = hashlib.sha256()
    with failing(), closing(sqlite3.connect(state, timeout=5)) as db:
        for line in db.iterdump():
            found.update(line.encode())
    return found.hexdigest()


class _Held(Hold):
    """For a moment: another monitor may stand in for the same folder."""

    def close(self) -> None:
        self.release()


# ---- standing in -----------------------------------------------------------------------------------------


def _standing_in(data: Path, why: StoreFailed, now: datetime) -> Stores:
    for place in _places(data):
        with suppress(OSError):
            place.mkdir(mode=0o700)
        if not _is_ours(place):
            continue
        try:
            with closing(_Held(place)):
                digest = _taken_along(data, place)
            stores = open_stores(place, Store(), now)
        except (StoreFailed, OSError) as failed:
            if isinstance(failed, StoreFailed) and failed.reason is Reason.LOCKED:
                raise StoreFailed(Reason.LOCKED, f"another trueup runs on {data}") from failed
            continue
        words = "%s can't be used: %s; what happens is kept in memory (%s), and lost with the machine"
        _LOG.critical(words, data, why, place)
        stores.stand_in = StandIn(place, digest)
        return stores
    raise why


def _places(data: Path) -> Iterator[Path]:
    """Folders that may stand in for ``data``, the same at each start."""
    name = f"trueup-{os.geteuid()}-{hashlib.sha256(bytes(data.resolve())).hexdigest()[:16]}"
    yield from (memory / name for memory in (MEMORY, Path(tempfile.gettempdir())))


def _is_ours(place: Path) -> bool:
    """Whether nobody else may have put something there: the folder above is everybody's."""
    try:
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _taken_along(data: Path, place: Path) -> str:
    """Put the state into ``place``, unless an earlier start did, and it hasn't changed at home since.

    Returns the digest of the state at home; where that is damaged, it's of the backup that was taken.

    Raises:
        StoreFailed: it can't be read.
        OSError: it can't be copied.
    """
    fresh = place / "fresh.db"
    for source in (data / STATE_FILE, *daily_backups(data)):
        if not source.exists():
            continue
        for ending in ("", "-wal"):
            _copied(source.with_name(source.name + ending), fresh.with_name(fresh.name + ending))
        if damage_of(fresh) is None:
            break
    digest, noted = digest_of(fresh), place / _TAKEN
    if not (noted.exists() and noted.read_text() == digest and (place / STATE_FILE).exists()):
        for old in place.glob(f"{STATE_FILE}*"):
            old.unlink()
        if fresh.exists():
            fresh.rename(place / STATE_FILE)
        noted.write_text(digest)
    for ending in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + ending).unlink(missing_ok=True)
    return digest


def _copied(source: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    if source.exists():
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        shutil.copyfile(source, to)


# ---- going home ------------------------------------------------------------------------------------------


def _at_home(data: Path, now: datetime) -> Stores:
    """Raises:
    StoreFailed: they can't be opened, or not take what was left in memory.
    """
    stores = open_stores(data, Store(), now)
    try:
        _bring_what_was_left(data, now)
    except BaseException:
        stores.close()
        raise
    return stores


def _bring_what_was_left(data: Path, now: datetime) -> None:
    """A monitor that stood in for this folder has ended before it could go home: what it knew is newer.

    Raises:
        StoreFailed: it can't be brought.
    """
    for place in filter(_is_ours, _places(data)):
        noted, state = place / _TAKEN, place / STATE_FILE
        with closing(_Held(place)):
            if noted.exists() and state.exists():
                _bring(state, noted.read_text(), data, now)
            shutil.rmtree(place, ignore_errors=True)


def _bring(state: Path, digest: str, data: Path, now: datetime) -> None:
    home = data / STATE_FILE
    if digest == digest_of(home):
        with failing():
            copy(state, home)
        _LOG.warning("%s has what was kept in memory while it couldn't be written", data)
        return
    aside = data / f"{STATE_FILE}.from-memory-{now:%Y%m%dT%H%M%SZ}"
    with failing():
        copy(state, aside)
    _LOG.critical("%s was changed while it was kept in memory; what was there is in %s", home, aside.name)


def _keep_what_is_there(home: Path, now: datetime) -> None:
    aside = home / f"{STATE_FILE}.before-{now:%Y%m%dT%H%M%SZ}"
    with failing():
        copy(home / STATE_FILE, aside)
    words = "%s was changed while it was kept in memory, which takes its place; what was there is in %s"
    _LOG.critical(words, home / STATE_FILE, aside.name)


def _is_of_the_disk(failed: StoreFailed, data: Path) -> bool:
    """Whether the disk fails, and not whoever named the folder."""
    if failed.reason in _OF_THE_USER or not data.is_dir():
        return False
    if failed.reason in (Reason.FULL, Reason.READ_ONLY):
        return True
    try:
        _write(data)
    except OSError as error:
        return error.errno in _OF_THE_DISK
    return False


def _try_to_write(folder: Path) -> None:
    """Raises:
    StoreFailed: nothing can be written there.
    """
    with failing():
        _write(folder)


def _write(folder: Path) -> None:
    file = folder / _PROBE
    try:
        with file.open("wb") as opened:
            opened.write(b"\0" * _PROBE_BYTES)
            opened.flush()
            os.fsync(opened.fileno())
    finally:
        with suppress(OSError):
            file.unlink()
