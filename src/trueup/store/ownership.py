"""What root makes in a folder that is another's belongs to the other, or the monitor that runs as it couldn't
use it: tokens are made and backups restored by root, and ``trueup.service`` has a user of its own.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

_ROOT: Final = 0
_AS_IT_IS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def leave_to_owner_of(data: Path, folder: Path | None = None) -> None:
    """Give root's files in ``folder``, and it, to the owner of ``data``; without one, the files in ``data``.

    What the owner may have put there instead stays as it is: a link, or a file with another name elsewhere.
    Databases must be closed: their locks end with this.
    """
    if os.geteuid() != _ROOT:
        return
    with suppress(OSError):  # then the monitor says what it may not open
        owner = data.stat()
        if owner.st_uid != _ROOT:
            _give(folder or data, owner, itself=folder is not None)


def _give(folder: Path, owner: os.stat_result, *, itself: bool) -> None:
    opened = os.open(folder, _AS_IT_IS | os.O_DIRECTORY)
    try:
        for name in os.listdir(opened):  # noqa: PTH208 - of what was opened, whatever has its name by now
            with suppress(OSError):
                _give_file(os.open(name, _AS_IT_IS, dir_fd=opened), owner)
        if itself and os.fstat(opened).st_uid == _ROOT:
            os.fchown(opened, owner.st_uid, owner.st_gid)
    finally:
        os.close(opened)


def _give_file(opened: int, owner: os.stat_result) -> None:
    try:
        found = os.fstat(opened)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == _ROOT:
            os.fchown(opened, owner.st_uid, owner.st_gid)
    finally:
        os.close(opened)
