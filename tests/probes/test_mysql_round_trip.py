"""A row of our own in MySQL, against a script."""

from typing import Any

import pytest

from tests.playbook import NONCE, Played, address, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.mysql import Options, conversation

from .test_mysql import AT, HEALTHY, OK, PONG, SET, SOMEONE, STATUS, error
from .test_mysqlwire import MARIADB, result

TOKEN = NONCE[:8].hex()
THERE, MISSING = result(["1"], (b"1",)), result(["1"])
READ_BACK = result(["word"], (TOKEN.encode(),))
DONE = [SET, SET, READ_BACK, SET, SET]
"""What the transaction is answered with."""


def trip(*says: bytes | Break, **options: Any) -> Played:
    return play(conversation(Options(SOMEONE, roundtrip=True, **options)), [*HEALTHY, SET, SET, *says])


def refusal(code: int) -> bytes:
    return error(code, number=1)


@pytest.mark.parametrize("says", [[THERE, *DONE], [MISSING, SET, *DONE]])
def test_a_row_is_written_and_read(says: list[bytes]) -> None:
    played = trip(*says)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert (b"create table" in played.sent) is (len(says) == 7)
    assert f"delete from trueup_probe where word = '{TOKEN}'".encode() in played.sent
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]


def test_limits_that_a_server_does_not_know_are_no_failure() -> None:
    says = [*HEALTHY, refusal(1193), refusal(1193), THERE, *DONE]
    assert play(conversation(Options(SOMEONE, roundtrip=True)), says).settled.cause is None


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        ([refusal(1142)], Cause.ERROR_ANSWER),
        ([MISSING, refusal(1142)], Cause.ERROR_ANSWER),
        ([THERE, SET, refusal(1114)], Cause.DISK_FULL),
        ([THERE, SET, refusal(1290)], Cause.READ_ONLY),
        ([THERE, SET, refusal(1205)], Cause.ERROR_ANSWER),
        ([THERE, SET, SET, result(["word"], (b"other",)), SET, SET], Cause.WRONG_ANSWER),
        ([THERE, SET, SET, result(["word"]), SET, SET], Cause.WRONG_ANSWER),
        ([THERE, SET, SET, READ_BACK, SET, refusal(1021)], Cause.DISK_FULL),
        ([THERE, SET, Quiet(final=True)], Cause.SLOW),
        ([THERE, SET, Closed()], Cause.ERROR_ANSWER),
    ],
)
def test_a_write_that_fails(says: list[bytes | Break], cause: Cause) -> None:
    settled = trip(*says).settled
    assert (settled.layer, settled.cause) == (Layer.FUNCTION, cause)


@pytest.mark.parametrize("read_only", [b"0", b"1"])
def test_a_replica_is_not_written_to(read_only: bytes) -> None:
    """Not where it would take it either: a row of its own would part it from its source."""
    source = result(["Slave_IO_Running", "Slave_SQL_Running"], (b"Yes", b"Yes"))
    variables = result(["a", "b"], (read_only, b"151"))
    says = [MARIADB, OK, PONG, STATUS, variables, source]
    played = play(conversation(Options(SOMEONE, roundtrip=True)), says)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, Cause.READ_ONLY)
    assert b"insert" not in played.sent


def test_it_needs_a_database() -> None:
    with pytest.raises(AddressError):
        Options(AT, roundtrip=True)


def test_without_a_login_it_can_not_be() -> None:
    options = Options(address("mysql://127.0.0.1/shop"), roundtrip=True)
    assert play(conversation(options), [MARIADB, error(1045)]).settled.cause is Cause.LOGIN_REFUSED


def test_nearly_full_it_still_writes() -> None:
    crowded = result(["Variable_name", "Value"], (b"Threads_connected", b"140"))
    says = [MARIADB, OK, PONG, crowded, *HEALTHY[4:], SET, SET, THERE, *DONE]
    played = play(conversation(Options(SOMEONE, roundtrip=True)), says)
    assert [mark.outcome for mark in played.marks] == [Outcome.SLOW]
    assert played.settled.cause is None
