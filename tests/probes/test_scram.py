"""SCRAM against the example of RFC 7677, 3, and against servers that play foul."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.domain.secret import Secret
from trueup.probes.scram import ITERATIONS_MAX, ForgedError, Scram, ScramError

NONCE = base64.b64decode("rOprNGfwEbeRWgbNEkqO")
CHALLENGE = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
PROOF = b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SIGNATURE = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def begun() -> Scram:
    scram = Scram("SCRAM-SHA-256", "user", Secret("pencil"), NONCE)
    assert scram.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    return scram


def test_the_example_of_the_standard() -> None:
    scram = begun()
    assert scram.final(CHALLENGE).endswith(PROOF)
    scram.verify(SIGNATURE)


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    scram = begun()
    scram.final(CHALLENGE)
    with pytest.raises(ForgedError):
        scram.verify(b"v=" + base64.b64encode(bytes(32)))


@pytest.mark.parametrize("iterations", [1, 4095, ITERATIONS_MAX + 1, 999_999_999_999])
def test_work_that_is_too_much_or_too_little_is_not_done(iterations: int) -> None:
    with pytest.raises(ScramError, match=str(iterations)):
        begun().final(CHALLENGE.replace(b"4096", str(iterations).encode()))


@pytest.mark.parametrize(
    "challenge",
    [b"", b"\xff", b"e=other-error", CHALLENGE.replace(b"rOpr", b"else"), CHALLENGE.replace(b",i=4096", b"")],
)
def test_what_is_no_challenge_is_garbled(challenge: bytes) -> None:
    with pytest.raises(Garbled):
        begun().final(challenge)


def test_a_password_that_can_not_be_prepared_is_our_own_limit() -> None:
    with pytest.raises(ScramError):
        Scram("SCRAM-SHA-256", "user", Secret("bell\x07"), NONCE)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_named_error(said: bytes) -> None:
    scram = begun()
    with pytest.raises((Garbled, ScramError)):
        scram.final(said)
    known = begun()
    known.final(CHALLENGE)
    with pytest.raises(ForgedError):
        known.verify(said)
