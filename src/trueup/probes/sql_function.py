"""What a database is asked to do, and how that may end without an answer."""

from collections.abc import Generator
from typing import Final, TypeVar

from trueup.conversation import Answer, Closed, Quiet, Step, TooLong, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.states import Layer

TABLE: Final = "trueup_probe"
"""A table of our own, in the database of the address. It's made where it isn't there, and is empty between
looks: a row is written, read back and deleted in one transaction, so that none is left whenever we go."""

COLUMN: Final = "word"
_Result = TypeVar("_Result")


def in_time(asked: Generator[Step, bytes, _Result], what: str) -> Generator[Step, bytes, _Result | Answer]:
    """What comes of ``asked``, or the function layer's answer where nothing does. ``what`` is its name."""
    try:
        return (yield from asked)
    except Quiet:
        return fails(Cause.SLOW, f"no answer to the {what} in time", layer=Layer.FUNCTION)
    except Closed:
        words = f"it hung up instead of answering the {what}"
        return fails(Cause.ERROR_ANSWER, words, layer=Layer.FUNCTION)
    except TooLong as long:
        words = f"the {what}'s answer is over {len(long.received)} bytes: ask for less"
        return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION)


def not_here(role: str) -> Answer:
    """A round trip is configured where no row of ours may be written: it would stay, and part the copies."""
    words = f"it is a {role}, and a round trip writes"
    return fails(Cause.READ_ONLY, words, layer=Layer.FUNCTION, role=role)


def judge_read(read: bytes | None, written: bytes) -> Answer:
    """The answer for a row that was written and what was read in its place."""
    if read != written:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    return ready("wrote, read and deleted a row", layer=Layer.FUNCTION)
