"""The NATS probe against a script: a row of its table each, and its states."""

import json
from typing import Any

import pytest

from tests.playbook import NONCE, address, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.nats import ERRORS, PROBE, Options, conversation

AT = address("nats://127.0.0.1")
LOGIN = Login(Secret("canary"), "monitor")


def info(**more: Any) -> bytes:
    known = {"server_id": "NC6V", "version": "2.9.10", "max_payload": 1048576}
    return b"INFO %b \r\n" % json.dumps(known | more).encode()


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_is_ready(chunk: int | None) -> None:
    played = play(conversation(Options(AT)), [info(jetstream=True), b"PONG\r\n"], chunk=chunk)
    answer = played.settled
    assert (answer.outcome, answer.cause, answer.layer) == (Outcome.PASS, None, Layer.SERVICE)
    assert answer.facts == {"version": "2.9.10", "jetstream": True}
    assert played.sent.startswith(b'CONNECT {"verbose": false')
    assert played.sent.endswith(b"\r\nPING\r\n")


def test_what_else_a_server_says_is_passed_over() -> None:
    said = b"+OK\r\n" + info(client_ip="127.0.0.1") + b"PING\r\nPONG\r\n"
    assert play(conversation(Options(AT)), [info(), said]).settled.cause is None


@pytest.mark.parametrize("words", sorted(ERRORS))
def test_every_error_has_its_cause(words: str) -> None:
    cause, meaning = ERRORS[words]
    said = f"-ERR '{words.title()} and so on'\r\n".encode()
    whole: list[bytes | Break] = [info(), said, Closed()]
    for script in (whole[:2], whole):
        answer = play(conversation(Options(AT)), script).settled
        assert (answer.outcome, answer.cause) == (Outcome.FAIL, cause)
        assert meaning in answer.detail


def test_an_unknown_error_is_an_error_answer() -> None:
    answer = play(conversation(Options(AT)), [info(), b"-ERR 'Something New'\r\n"]).settled
    assert (answer.cause, answer.facts["error"]) == (Cause.ERROR_ANSWER, "Something New")


def test_a_refusal_behind_the_greeting_is_seen_with_a_login_demanded_too() -> None:
    full = info(auth_required=True) + b"-ERR 'maximum connections exceeded'\r\n"
    played = play(conversation(Options(AT)), [full, Closed()])
    assert played.settled.cause is Cause.OVERLOADED
    assert played.sent == b""


@pytest.mark.parametrize("quiet", [Quiet(), Quiet(final=True)])
def test_a_login_demanded_and_none_given_is_up(quiet: Break) -> None:
    demanding: list[bytes | Break] = [info(auth_required=True), quiet]
    played = play(conversation(Options(AT)), demanding)
    assert (played.settled.outcome, played.settled.facts["login"]) == (Outcome.PASS, "demanded")
    assert played.sent == b"", "a server logs a violation for each CONNECT without a login"
    assert play(conversation(Options(AT, roundtrip=True)), demanding).settled.cause is Cause.LOGIN_REFUSED


def test_a_login_is_sent_to_nats_only() -> None:
    stranger = play(conversation(Options(AT, login=LOGIN)), [b"220 mail.example ESMTP\r\n"])
    assert (stranger.settled.cause, stranger.sent) == (Cause.WRONG_SERVICE, b"")
    known = play(conversation(Options(AT, login=LOGIN)), [info(auth_required=True), b"+OK\r\nPONG\r\n"])
    assert known.settled.cause is None
    assert b'"user": "monitor", "pass": "canary"' in known.said_secretly
    token = play(conversation(Options(AT, login=Login(Secret("canary")))), [info(), b"PONG\r\n"])
    assert b'"auth_token": "canary"' in token.said_secretly


def test_the_addresss_own_login_counts() -> None:
    at = address("nats://monitor:canary@127.0.0.1")
    played = play(conversation(Options(at)), [info(auth_required=True), b"PONG\r\n"])
    assert b'"pass": "canary"' in played.said_secretly


@pytest.mark.parametrize(
    ("state", "options", "upgraded"),
    [
        ({}, Options(AT), False),
        ({"tls_available": True}, Options(AT), False),
        ({"tls_available": True}, Options(AT, login=LOGIN), True),
        ({"tls_available": True}, Options(AT, tls=TlsSettings()), True),
        ({"tls_required": True}, Options(AT), True),
    ],
)
def test_tls_is_used_where_it_must_be(state: dict[str, bool], options: Options, upgraded: bool) -> None:
    played = play(conversation(options), [info(**state), b"PONG\r\n"])
    assert played.settled.cause is None
    assert [step.settings for step in played.tls] == ([options.tls] if upgraded else [])


def test_tls_configured_and_not_offered_fails() -> None:
    answer = play(conversation(Options(AT, tls=TlsSettings(), login=LOGIN)), [info()]).settled
    assert (answer.cause, answer.layer) == (Cause.TLS_FAILED, Layer.TLS)


def test_a_draining_server_is_degraded() -> None:
    answer = play(conversation(Options(AT)), [info(ldm=True), b"PONG\r\n"]).settled
    assert (answer.outcome, answer.cause) == (Outcome.SLOW, Cause.STARTING_UP)


TOKEN = NONCE[:8].hex().encode()
CAME_BACK = b"MSG trueup.probe.%b 1 16\r\n%b\r\n" % (TOKEN, TOKEN)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_round_trip_is_of_the_function_layer(chunk: int | None) -> None:
    script = [info(), b"PONG\r\n", b"PONG\r\n" + CAME_BACK]
    played = play(conversation(Options(AT, roundtrip=True)), script, chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"-ERR 'Permissions Violation for Subscription to \"trueup\"'\r\n", Cause.LOGIN_REFUSED),
        (b"MSG trueup.probe.other 1 16\r\n" + TOKEN + b"\r\n", Cause.WRONG_ANSWER),
        (CAME_BACK.replace(TOKEN + b"\r\n", b"0" * 16 + b"\r\n"), Cause.WRONG_ANSWER),
        (b"", Cause.WRONG_ANSWER),
    ],
)
def test_a_round_trip_that_fails(said: bytes, cause: Cause) -> None:
    answer = play(conversation(Options(AT, roundtrip=True)), [info(), b"PONG\r\n", said]).settled
    assert (answer.layer, answer.cause) == (Layer.FUNCTION, cause)
    assert answer.layer in cause.layers


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"INFO []\r\n",
        b"INFO {\r\n",
        b"INFO {}\r\n",
        b"INFO " + b"[" * 60_000 + b"\r\n",
        b"x" * 70_000,
        info() + b"220 hello\r\n",
        info() + b"PING\r\n" * 100,
    ],
)
def test_what_is_not_nats_is_a_stranger(said: bytes) -> None:
    answer = play(conversation(Options(AT)), [said]).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "nats")
    assert play(conversation(Options(AT)), [b"half a line", Closed()]).settled.cause is Cause.WRONG_SERVICE


def test_silence_and_closing_are_left_to_the_engine() -> None:
    assert isinstance(play(conversation(Options(AT)), []).broke, Quiet)
    assert isinstance(play(conversation(Options(AT)), [Closed(reset=True)]).broke, Closed)
    assert isinstance(play(conversation(Options(AT)), [info(), Closed()]).broke, Closed)


def test_recognise() -> None:
    assert PROBE.recognise(info())
    assert PROBE.recognise(b"-ERR 'Unknown Protocol Operation'\r\n")
    assert not PROBE.recognise(b"-ERR unknown command 'GET'\r\n")  # Redis
    assert not PROBE.recognise(b"-ERR [AUTH] failed\r\n")  # POP3
