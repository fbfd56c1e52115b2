"""Runs a function of a test as a user without rights, in a child of its own."""

import os
import pickle
from collections.abc import Callable
from typing import Final, TypeVar, cast

NOBODY: Final = 65534
_Answer = TypeVar("_Answer")


def as_nobody(question: Callable[[], _Answer]) -> _Answer:
    """What ``question`` answers as nobody; an exception of its is raised here. Needs root."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said: tuple[_Answer | None, Exception | None]
            try:
                said = question(), None
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent shall see it
                said = None, error
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(said, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        heard = pipe.read()
    os.waitpid(child, 0)
    answer, failure = pickle.loads(heard)
    if failure is not None:
        raise failure
    return cast("_Answer", answer)
