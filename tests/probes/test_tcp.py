"""The TCP probe: a connection, or a text and its answer."""

import pytest

from tests.playbook import address, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.tcp import SAID_BYTES_MAX, Options, conversation
from trueup.probes.wording import Expect

AT = address("tcp://127.0.0.1:2525")


def test_a_connection_is_all_that_was_asked() -> None:
    played = play(conversation(Options(AT)), [])
    assert (played.settled.outcome, played.settled.layer, played.sent) == (Outcome.PASS, Layer.PORT, b"")


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_greeting_is_matched_however_it_is_cut(chunk: int | None) -> None:
    options = Options(AT, expect=Expect(starts="220", contains="ESMTP"))
    played = play(conversation(options), [b"220 mail.example ESMTP ready\r\n"], chunk=chunk)
    assert (played.settled.outcome, played.settled.layer) == (Outcome.PASS, Layer.SERVICE)


def test_a_text_is_sent_with_its_escapes() -> None:
    options = Options(AT, send=r"stat\r\n", expect=Expect(contains="OK"))
    played = play(conversation(options), [b"O", b"K\r\n"])
    assert (played.settled.cause, played.sent) == (None, b"stat\r\n")


def test_any_answer_will_do_where_only_a_text_is_given() -> None:
    assert play(conversation(Options(AT, send="stat")), [b"?"]).settled.cause is None
    assert isinstance(play(conversation(Options(AT, send="stat")), []).broke, Quiet)


@pytest.mark.parametrize("end", [Closed(), Closed(reset=True), Quiet(), Quiet(final=True)])
def test_another_answer_is_a_wrong_answer(end: Break) -> None:
    options = Options(AT, expect=Expect(contains="ESMTP"))
    answer = play(conversation(options), [b"421 too busy\r\n", end]).settled
    assert (answer.cause, answer.facts["seen"]) == (Cause.WRONG_ANSWER, r"421 too busy\r\n")
    assert answer.layer in Cause.WRONG_ANSWER.layers


def test_another_beginning_is_not_waited_for() -> None:
    options = Options(AT, expect=Expect(starts="220"))
    assert play(conversation(options), [b"SSH-2.0-x\r\n"]).settled.cause is Cause.WRONG_ANSWER


def test_no_answer_is_left_to_the_engine() -> None:
    options = Options(AT, expect=Expect(contains="x"))
    assert isinstance(play(conversation(options), [Closed()]).broke, Closed)
    assert isinstance(play(conversation(options), []).broke, Quiet)


def test_a_flood_is_judged_by_its_beginning() -> None:
    options = Options(AT, expect=Expect(contains="x"))
    flood: list[bytes | Break] = [b"a" * 4096] * (2 * SAID_BYTES_MAX // 4096)
    assert play(conversation(options), flood).settled.cause is Cause.WRONG_ANSWER


def test_a_wrong_escape_is_a_wrong_configuration() -> None:
    with pytest.raises(ValueError, match="no escape"):
        Options(AT, send=r"\q")
