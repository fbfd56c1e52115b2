"""A row of our own in PostgreSQL, against a script."""

from typing import Any

import pytest

from tests.playbook import NONCE, Played, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.postgres import Options, conversation
from trueup.probes.postgres_round_trip import MADE_MEANWHILE

from .test_postgres import ALLOWED, AT, HEALTHY, INSIDE, READY, STANDBY, answer_of, error

TOKEN = NONCE[:8].hex()
THERE, MISSING = answer_of(("t",)), answer_of(("f",))
READ_BACK = answer_of((TOKEN,))
STREAMS = answer_of(("1", "t", "t", "0.5"))
ASKS_PASSWORD = ALLOWED[:5] + b"\0\0\0\x03"


def trip(*says: bytes | Break, **options: Any) -> Played:
    return play(conversation(Options(AT, roundtrip=True, **options)), [*HEALTHY, *says])


def refusal(code: str) -> bytes:
    return error(code, severity="ERROR") + READY


@pytest.mark.parametrize("says", [[THERE, READ_BACK], [MISSING, READY, READ_BACK]])
def test_a_row_is_written_and_read(says: list[bytes]) -> None:
    played = trip(*says)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert (b"create table" in played.sent) is (len(says) == 3)
    assert f"delete from trueup_probe where word = '{TOKEN}'; commit".encode() in played.sent
    assert b"rollback" not in played.sent, "nothing is open that could be ended"
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]


def test_a_query_before_it_is_ended_first() -> None:
    played = trip(READY, answer_of(("1",)), THERE, READ_BACK, query="select 1")
    assert played.settled.cause is None
    assert b"rollback; set" in played.sent
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE, Layer.FUNCTION]


def test_nothing_is_written_where_the_query_fails() -> None:
    played = trip(READY, refusal("42703"), query="select nothing")
    assert played.settled.cause is Cause.ERROR_ANSWER
    assert b"insert" not in played.sent


@pytest.mark.parametrize("code", sorted(MADE_MEANWHILE))
def test_another_look_may_make_the_table_first(code: str) -> None:
    assert trip(MISSING, refusal(code), READ_BACK).settled.cause is None


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        ([refusal("42501")], Cause.ERROR_ANSWER),
        ([MISSING, refusal("42501")], Cause.ERROR_ANSWER),
        ([MISSING, refusal("53100")], Cause.DISK_FULL),
        ([THERE, refusal("53100")], Cause.DISK_FULL),
        ([THERE, refusal("25006")], Cause.READ_ONLY),
        ([THERE, answer_of(("other",))], Cause.WRONG_ANSWER),
        ([THERE, answer_of()], Cause.WRONG_ANSWER),
        ([THERE, answer_of((None,))], Cause.WRONG_ANSWER),
        ([THERE, Quiet(final=True)], Cause.SLOW),
        ([THERE, Closed()], Cause.ERROR_ANSWER),
    ],
)
def test_a_write_that_fails(says: list[bytes | Break], cause: Cause) -> None:
    settled = trip(*says).settled
    assert (settled.layer, settled.cause) == (Layer.FUNCTION, cause)


def test_a_replica_is_not_written_to() -> None:
    played = play(conversation(Options(AT, roundtrip=True)), [*INSIDE, STANDBY, STREAMS])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, Cause.READ_ONLY)
    assert b"insert" not in played.sent


def test_without_a_login_it_can_not_be() -> None:
    settled = play(conversation(Options(AT, roundtrip=True)), [ASKS_PASSWORD]).settled
    assert settled.cause is Cause.LOGIN_REFUSED


def test_nearly_full_it_still_writes() -> None:
    crowded = answer_of(("f", "off", "90", "100", "3"))
    played = play(conversation(Options(AT, roundtrip=True)), [*INSIDE, crowded, THERE, READ_BACK])
    assert [mark.outcome for mark in played.marks] == [Outcome.SLOW]
    assert played.settled.cause is None
