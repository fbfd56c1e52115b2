"""How what a database is asked to do may end."""

from collections.abc import Generator

import pytest

from tests.playbook import play
from trueup.conversation import Answer, Ask, Break, Closed, Conversation, Line, Quiet, Step, TooLong
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.sql_function import in_time, judge_read, not_here


def asking() -> Conversation:
    found = yield from in_time(_ask(), "query")
    assert isinstance(found, Answer)
    return found


def _ask() -> Generator[Step, bytes, Answer]:
    yield Ask(b"?", Line(10))
    return judge_read(b"a", b"a")


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (Quiet(final=True), Cause.SLOW),
        (Closed(), Cause.ERROR_ANSWER),
        (TooLong(), Cause.WRONG_ANSWER),
        (b"here\n", None),
    ],
)
def test_an_end_without_an_answer_has_its_cause(end: bytes | Break, cause: Cause | None) -> None:
    settled = play(asking(), [end]).settled
    assert (settled.layer, settled.cause) == (Layer.FUNCTION, cause)


def test_what_is_read_must_be_what_was_written() -> None:
    assert judge_read(b"a", b"a").cause is None
    assert judge_read(b"b", b"a").cause is Cause.WRONG_ANSWER
    assert judge_read(None, b"a").cause is Cause.WRONG_ANSWER


def test_nothing_is_written_to_a_replica() -> None:
    answer = not_here("replica")
    assert (answer.layer, answer.cause) == (Layer.FUNCTION, Cause.READ_ONLY)
