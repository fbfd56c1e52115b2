"""Each way to log in to PostgreSQL, against a script."""

import base64

import pytest

from tests.playbook import NONCE, address, play
from trueup.conversation import Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login
from trueup.probes.pgwire import message
from trueup.probes.postgres import Options, conversation
from trueup.probes.postgres_login import OTHERS, md5_response

from .test_postgres import ALLOWED, PRIMARY, SESSION, error

OPTIONS = Options(address("postgres://127.0.0.1"), login=Login(Secret("pencil"), "user"))
SCRAM = message(b"R", b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")
WORD = base64.b64encode(NONCE[:18]).decode()


def challenge(iterations: int = 4096, nonce: str = WORD) -> bytes:
    said = f"r={nonce}theirs,s=W22ZaJ0SNY7soEsUEjb6gQ==,i={iterations}"
    return message(b"R", b"\0\0\0\x0b" + said.encode())


def demands(kind: int, data: bytes = b"") -> bytes:
    return message(b"R", kind.to_bytes(4, "big") + data)


def test_md5_as_postgres_reckons_it() -> None:
    # printf "$(printf penciluser | md5sum | cut -d' ' -f1)salt" | md5sum
    assert md5_response("user", Secret("pencil"), b"salt") == b"md5d3d9bcccbaa2fb5234570d4d0f22b055"


@pytest.mark.parametrize("kind", [demands(3), demands(5, b"salt")])
@pytest.mark.parametrize("chunk", [None, 1])
def test_a_password_lets_us_in_or_not(kind: bytes, chunk: int | None) -> None:
    let_in = play(conversation(OPTIONS), [b"N", kind, ALLOWED + SESSION, PRIMARY], chunk=chunk)
    assert let_in.settled.outcome is Outcome.PASS
    refused = play(
        conversation(OPTIONS), [b"N", kind, error("28P01", "password authentication failed"), Closed()]
    )
    assert refused.settled.cause is Cause.LOGIN_REFUSED


def test_scram_is_answered_with_a_proof() -> None:
    played = play(conversation(OPTIONS), [b"N", SCRAM, challenge(), error("28P01"), Closed()])
    assert b"n,,n=user,r=" + WORD.encode() in played.said_secretly
    assert b",p=" in played.said_secretly
    assert b"pencil" not in played.sent
    assert played.settled.cause is Cause.LOGIN_REFUSED


def test_a_server_that_can_not_prove_itself_is_not_trusted() -> None:
    forged = message(b"R", b"\0\0\0\x0cv=" + base64.b64encode(bytes(32)))
    played = play(conversation(OPTIONS), [b"N", SCRAM, challenge(), forged + ALLOWED + SESSION])
    assert played.settled.cause is Cause.LOGIN_REFUSED
    unproven = play(conversation(OPTIONS), [b"N", SCRAM, challenge(), ALLOWED + SESSION])
    assert unproven.settled.cause is Cause.WRONG_SERVICE


def test_too_much_work_is_our_own_limit_and_says_nothing_of_the_server() -> None:
    settled = play(conversation(OPTIONS), [b"N", SCRAM, challenge(iterations=10**7)]).settled
    assert (settled.outcome, settled.cause) == (Outcome.UNKNOWN, None)


def test_another_nonce_is_no_answer_to_ours() -> None:
    settled = play(conversation(OPTIONS), [b"N", SCRAM, challenge(nonce="else")]).settled
    assert settled.cause is Cause.WRONG_SERVICE


@pytest.mark.parametrize("kind", [*OTHERS, 99])
def test_a_demand_that_no_password_answers(kind: int) -> None:
    settled = play(conversation(OPTIONS), [b"N", demands(kind)]).settled
    assert (settled.outcome, settled.cause) == (Outcome.UNKNOWN, None)
    assert OTHERS.get(kind, "99") in settled.detail
    assert "pg_hba.conf" in settled.detail


def test_another_mechanism_is_named() -> None:
    settled = play(conversation(OPTIONS), [b"N", demands(10, b"OAUTHBEARER\0\0")]).settled
    assert settled.outcome is Outcome.UNKNOWN
    assert "OAUTHBEARER" in settled.detail


def test_let_in_and_then_nothing() -> None:
    bare = Options(address("postgres://127.0.0.1"))
    settled = play(conversation(bare), [ALLOWED, Quiet(final=True)]).settled
    assert settled.cause is Cause.SILENT
    assert "pooler" in settled.detail
