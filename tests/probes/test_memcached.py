"""The memcached probe against a script: a row of its table each, and its states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import NONCE, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.memcached import BINARY_VERSION, ERRORS, PROBE, Options, conversation

AT = address("memcached://127.0.0.1")
LOGIN = Login(Secret("canary"), "monitor")
HEALTHY = b"VERSION 1.6.18\r\n" + b"MN\r\n" * 4
ASKS = b"CLIENT_ERROR unauthenticated\r\n"
TOKEN = NONCE[:8].hex().encode()
KEY = b"trueup:probe:" + TOKEN
VALUE = b"VALUE %b 0 16\r\n%b\r\nEND\r\n" % (KEY, TOKEN)
BINARY = b"\x81\x0b" + bytes(6) + b"\0\0\0\x06" + bytes(12) + b"1.6.18"


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_is_ready(chunk: int | None) -> None:
    answer = play(conversation(Options(AT)), [HEALTHY], chunk=chunk).settled
    assert (answer.outcome, answer.cause, answer.facts) == (Outcome.PASS, None, {"version": "1.6.18"})


def test_a_server_that_knows_no_meta_commands_is_only_old() -> None:
    assert play(conversation(Options(AT)), [b"VERSION 1.4.15\r\n" + b"ERROR\r\n" * 4]).settled.cause is None


@pytest.mark.parametrize("beginning", sorted(ERRORS))
def test_every_error_has_its_cause(beginning: bytes) -> None:
    cause, meaning = ERRORS[beginning]
    answer = play(conversation(Options(AT)), [beginning + b"\r\n", Closed()]).settled
    assert answer.cause is cause
    assert meaning in answer.detail


@pytest.mark.parametrize("beginning", sorted(ERRORS))
def test_every_error_of_a_write_has_its_cause(beginning: bytes) -> None:
    played = play(conversation(Options(AT, roundtrip=True)), [HEALTHY, beginning + b"\r\n"])
    assert played.settled.cause is (ERRORS[beginning][0] or Cause.LOGIN_REFUSED)
    assert played.settled.layer is Layer.FUNCTION


def test_a_round_trip_is_of_the_function_layer() -> None:
    played = play(conversation(Options(AT, roundtrip=True)), [HEALTHY, b"STORED\r\n", VALUE, b"DELETED\r\n"])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]
    assert b"delete " + KEY in played.sent


@pytest.mark.parametrize(
    "read", [b"END\r\n", VALUE.replace(TOKEN + b"\r\n", b"x" * 16 + b"\r\n"), b"SERVER_ERROR x\r\n"]
)
def test_what_is_not_read_back(read: bytes) -> None:
    played = play(conversation(Options(AT, roundtrip=True)), [HEALTHY, b"STORED\r\n", read, b"DELETED\r\n"])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)


def test_no_login_is_up_unless_something_needs_one() -> None:
    assert play(conversation(Options(AT)), [ASKS]).settled.facts["login"] == "demanded"
    assert play(conversation(Options(AT)), [ASKS]).settled.cause is None
    assert play(conversation(Options(AT, roundtrip=True)), [ASKS]).settled.cause is Cause.LOGIN_REFUSED


def test_a_login_is_sent_only_after_it_was_asked_for() -> None:
    options = Options(AT, login=LOGIN)
    played = play(conversation(options), [ASKS, b"STORED\r\n", HEALTHY])
    assert played.settled.cause is None
    assert played.said_secretly == b"set trueup 0 0 14\r\nmonitor canary\r\n"
    assert play(conversation(options), [ASKS, ASKS]).settled.cause is Cause.LOGIN_REFUSED
    for said in (HEALTHY, b"HTTP/1.1 400 Bad Request\r\n"):
        assert not play(conversation(options), [said]).said_secretly


def test_a_server_that_speaks_only_binary() -> None:
    played = play(conversation(Options(AT)), [Closed(), BINARY])
    assert (played.settled.outcome, played.settled.facts["version"]) == (Outcome.PASS, "1.6.18")
    assert played.sent.endswith(BINARY_VERSION)
    failing = BINARY[:6] + b"\0\x84" + BINARY[8:]
    assert play(conversation(Options(AT)), [Closed(), failing]).settled.cause is Cause.ERROR_ANSWER
    for needing in (Options(AT, login=LOGIN), Options(AT, roundtrip=True)):
        played = play(conversation(needing), [Closed(), BINARY])
        assert (played.settled.outcome, played.said_secretly) == (Outcome.UNKNOWN, b"")


def test_closing_on_text_and_on_binary_is_closing() -> None:
    assert isinstance(play(conversation(Options(AT)), [Closed(), Closed()]).broke, Closed)


def test_configured_tls_comes_first() -> None:
    settings = TlsSettings(ca="ca.pem")
    assert [step.settings for step in play(conversation(Options(AT, tls=settings)), [HEALTHY]).tls] == [
        settings
    ]
    again = play(conversation(Options(AT, tls=settings)), [Closed(), BINARY])
    assert len(again.tls) == 2


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\1\2", b"-ERR x\r\n", b"HTTP/1.1 400\r\n", b"ERRATIC\r\n"]
)
def test_what_is_not_memcached_is_a_stranger(said: bytes) -> None:
    assert play(conversation(Options(AT)), [said]).settled.cause is Cause.WRONG_SERVICE


@given(
    st.sampled_from([Options(AT), Options(AT, login=LOGIN), Options(AT, roundtrip=True)]),
    noise([HEALTHY, b"STORED\r\n", VALUE, b"DELETED\r\n"]) | noise([ASKS, b"STORED\r\n", HEALTHY]),
)
def test_any_peer_is_survived(options: Options, says: list[bytes | Break]) -> None:
    play(conversation(options), says)


def test_recognise() -> None:
    for said in (b"ERROR\r\nERROR\r\n", b"ERROR Too many open connections\r\n", ASKS, HEALTHY):
        assert PROBE.recognise(said)
    for said in (b"", b"ERROR: no such thing\r\n", b"-ERR x\r\n", b"220 x\r\n"):
        assert not PROBE.recognise(said)
