"""The one error of the stores: whatever a driver raises, callers see this."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class Reason(StrEnum):
    """Why a store can't do what it should."""

    FULL = "full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    DAMAGED = "damaged"
    GONE = "gone"
    NEWER = "newer"
    REFUSED = "refused"


_SAYS: Final = {
    Reason.FULL: "there is no space left for it",
    Reason.READ_ONLY: "it can be read, and not written",
    Reason.LOCKED: "someone else holds it",
    Reason.DAMAGED: "it is damaged, or no database of trueup",
    Reason.GONE: "it can't be opened or reached",
    Reason.NEWER: "a newer version of trueup has written it",
    Reason.REFUSED: "the database refuses it",
}
# The primary result codes of SQLite (sqlite.org/rescode.html): the low byte of an extended code.
_OF_SQLITE: Final = {
    5: Reason.LOCKED,
    6: Reason.LOCKED,
    8: Reason.READ_ONLY,
    10: Reason.GONE,
    11: Reason.DAMAGED,
    13: Reason.FULL,
    14: Reason.GONE,
    26: Reason.DAMAGED,
}
_OF_ERRNO: Final = {
    errno.ENOSPC: Reason.FULL,
    errno.EDQUOT: Reason.FULL,
    errno.EROFS: Reason.READ_ONLY,
}
# Classes and codes of PostgreSQL (its manual, appendix A).
_OF_SQLSTATE: Final = {
    "53100": Reason.FULL,
    "25006": Reason.READ_ONLY,
    "55P03": Reason.LOCKED,
    "40P01": Reason.LOCKED,
    "57014": Reason.LOCKED,
    "XX001": Reason.DAMAGED,
    "XX002": Reason.DAMAGED,
}
_GONE_CLASSES: Final = ("08", "57P", "53", "28", "3D")


class StoreFailed(Exception):  # noqa: N818 - it says what happened
    """Nothing was stored, or it can't be read: the ``reason``, and ``detail`` in the driver's words."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{_SAYS[reason]} ({detail})" if detail else _SAYS[reason])
        self.reason = reason
        self.detail = detail


@contextmanager
def failing() -> Iterator[None]:
    """Turn what drivers and files raise into ``StoreFailed``.

    Raises:
        StoreFailed: for every ``SQLAlchemyError``, ``sqlite3.Error`` and ``OSError``.
    """
    try:
        yield
    except DBAPIError as error:
        raise StoreFailed(
            _reason(error.orig, gone=error.connection_invalidated), _words(error.orig)
        ) from error
    except sqlite3.Error as error:
        raise StoreFailed(_reason(error), _words(error)) from error
    except OSError as error:
        raise StoreFailed(_OF_ERRNO.get(error.errno or 0, Reason.GONE), _words(error)) from error
    except SQLAlchemyError as error:
        raise StoreFailed(Reason.GONE, _words(error)) from error


def _reason(error: BaseException | None, *, gone: bool = False) -> Reason:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return Reason.FULL  # no room for the index of the journal, which is made when a file is opened
    if code is not None:
        return _OF_SQLITE.get(code & 0xFF, Reason.REFUSED)
    state = getattr(error, "sqlstate", None) or ""
    if state in _OF_SQLSTATE:
        return _OF_SQLSTATE[state]
    if gone or not state or state.startswith(_GONE_CLASSES):
        return Reason.GONE
    return Reason.REFUSED


def _words(error: BaseException | None) -> str:
    """The first line: drivers add the statement with its values, which may be anybody's."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
