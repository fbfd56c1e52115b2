"""A restore while the monitor runs: a command lays what it has unpacked into the folder of the data, and the
monitor, which looks for it, puts it in the place of its data between two runs and answers.

Who takes it renames it first, and so does who withdraws it: only one of them can.
"""

import contextlib
import json
import logging
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Final

from trueup.store.failure import Reason, StoreFailed, failing
from trueup.store.folder import Hold
from trueup.store.restoring import put, unpacked

WAIT_S: Final = 60.0
"""A monitor looks twice a second, and takes some seconds to end a run."""
_ASKED, _TAKEN, _ANSWER = "restore", "restore-taken", "restore-answer"
_LOOK_EVERY_S: Final = 0.1
_LOG: Final = logging.getLogger("trueup")


def hand_over(file: Path, data: Path, wait_s: float = WAIT_S) -> Path | None:
    """Have the monitor that runs on ``data`` go on with what ``file`` has. Returns the folder in which what
    was there is kept.

    Raises:
        NoBackup: nothing was changed.
        StoreFailed: the monitor can't put it there, which the message says; or it doesn't take it within
            ``wait_s``, and nothing was changed.
    """
    asked = data / _ASKED
    with unpacked(file, data) as folder, failing():
        if asked.exists():
            raise StoreFailed(Reason.LOCKED, f"another restore waits in {asked}")
        (data / _ANSWER).unlink(missing_ok=True)
        folder.rename(asked)
    if not _is_answered(data, wait_s):
        withdrawn = data / f".{_ASKED}-withdrawn"
        try:
            asked.rename(withdrawn)
        except FileNotFoundError:
            _is_answered(data, wait_s)
        else:
            shutil.rmtree(withdrawn, ignore_errors=True)
            words = f"the monitor that runs on {data} doesn't take it; stop it, and repeat this"
            raise StoreFailed(Reason.LOCKED, words)
    return _answer(data)


def is_asked(data: Path) -> bool:
    """Whether something waits to be put in the place of the data."""
    return (data / _ASKED).exists()


def take(data: Path, now: datetime) -> None:
    """Put what waits in the place of the data, which nobody may hold. Where that can't be, it's said to who
    asked and in the log, and the data is as the message says.
    """
    taken = data / _TAKEN
    answer: dict[str, str] = {}
    try:
        with failing():
            shutil.rmtree(taken, ignore_errors=True)
            (data / _ASKED).rename(taken)
        hold = Hold(data)
        try:
            kept = put(taken, data, now)
        finally:
            hold.release()
        answer = {"kept": str(kept)} if kept is not None else {}
        _LOG.warning("the data is that of a backup from now on; what was there is in %s", kept)
    except StoreFailed as error:
        answer = {"error": str(error)}
        _LOG.error("what was to be restored can't be: %s", error)
    shutil.rmtree(taken, ignore_errors=True)
    with contextlib.suppress(OSError):  # who asked hears nothing then, and says that
        made = data / f".{_ANSWER}"
        made.write_text(json.dumps(answer), encoding="utf-8")
        made.rename(data / _ANSWER)


def _is_answered(data: Path, wait_s: float) -> bool:
    ends_s = time.monotonic() + wait_s
    while not (data / _ANSWER).exists():
        if time.monotonic() > ends_s:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _answer(data: Path) -> Path | None:
    with failing():
        try:
            answer = json.loads((data / _ANSWER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            words = "the monitor has taken it, and doesn't say what became of it: see its log"
            raise StoreFailed(Reason.GONE, words) from None
        (data / _ANSWER).unlink(missing_ok=True)
    if "error" in answer:
        raise StoreFailed(Reason.GONE, answer["error"])
    return Path(answer["kept"]) if "kept" in answer else None
