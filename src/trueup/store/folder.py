"""The folder of the data: held by one monitor at a time, and better not on a network's file system."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from trueup.store.failure import Reason, StoreFailed, failing

STATE_FILE: Final = "state.db"
HISTORY_FILE: Final = "history.db"
LOCK_FILE: Final = "lock"
RESERVE_FILE: Final = "reserve"
RESERVE_BYTES: Final = 2**20
_FREE_BYTES_MIN: Final = 64 * 2**20
_MOUNTS: Final = Path("/proc/self/mountinfo")
_OF_A_NETWORK: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2"}
    | {"glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "virtiofs"}
)


class Hold:
    """A folder that's held until ``release``, or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """The folder is made if need be.

        Raises:
            StoreFailed: ``LOCKED`` where a monitor holds it; or it can't be made or written.
        """
        with failing():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = _lock_file(folder / LOCK_FILE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise StoreFailed(Reason.LOCKED, f"another trueup runs on {folder}") from error
        except OSError as error:
            os.close(self._file)
            raise StoreFailed(Reason.GONE, f"{folder / LOCK_FILE}: {error.strerror}") from error

    def release(self) -> None:
        """Let others have it. Once is enough."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _lock_file(file: Path) -> int:
    """Raises:
    OSError: it can't be opened for writing, and nobody holds it.
    """
    try:
        return os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        # On a disk that has become read-only somebody may hold it all the same.
        with suppress(FileNotFoundError, PermissionError):
            held = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return held
            os.close(held)
        raise


def keep_reserve(folder: Path) -> None:
    """A file that is given up when there's no other space to start with; none where space is scarce."""
    file = folder / RESERVE_FILE
    with suppress(OSError):
        free = os.statvfs(folder)
        if not file.exists() and free.f_bavail * free.f_frsize > _FREE_BYTES_MIN:
            file.touch(0o600)
            with file.open("r+b") as opened:
                os.posix_fallocate(opened.fileno(), 0, RESERVE_BYTES)


def give_up_reserve(folder: Path) -> bool:
    """Whether there was one to give up."""
    try:
        (folder / RESERVE_FILE).unlink()
    except OSError:
        return False
    return True


def network_file_system(folder: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system that ``folder`` is on, or None.

    SQLite's locks and its journal in shared memory need one machine (sqlite.org/wal.html). ``mounts`` is the
    text of ``/proc/self/mountinfo``, read where it's not given.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    place = folder.resolve()
    longest, found = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            mounted = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape", "surrogateescape")
            if place.is_relative_to(mounted) and len(mounted) >= longest:
                longest, found = len(mounted), after.split(" ")[0]
    return found if found in _OF_A_NETWORK else None
