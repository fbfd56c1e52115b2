"""The AMQP probe against a script: a row of its tables each, and its states."""

import struct
from typing import Any

import pytest

from tests.playbook import NONCE, Played, address, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes import amqpwire as wire
from trueup.probes.amqp import CODES, MESSAGES, PROBE, Options, conversation
from trueup.probes.queue_expect import QueueExpect

AT = address("amqp://127.0.0.1")
LOGIN = Login(Secret("canary"), "monitor")
CAPABLE = {"authentication_failure_close": True, "connection.blocked": True}


def start(capabilities: dict[str, bool], mechanisms: bytes = b"AMQPLAIN PLAIN") -> bytes:
    properties: dict[str, Any] = {"product": "RabbitMQ", "version": "3.10.8", "capabilities": capabilities}
    return wire.method(
        wire.START,
        b"\0\x09" + wire.table(properties) + wire.long_text(mechanisms) + wire.long_text(b"en_US"),
    )


def close(code: int, text: bytes = b"", which: wire.Method = wire.CLOSE) -> bytes:
    return wire.method(which, struct.pack("!H", code) + wire.short_text(text) + bytes(4))


START = start(CAPABLE)
TUNE = wire.method(wire.TUNE, struct.pack("!HIH", 2047, 131072, 60))
OPEN_OK = wire.method(wire.OPEN_OK, b"\0")
CHANNEL_OPEN_OK = wire.method(wire.CHANNEL_OPEN_OK, bytes(4), 1)
CLOSE_OK = wire.method(wire.CLOSE_OK)
OPENED = [START, TUNE, OPEN_OK, CHANNEL_OPEN_OK]


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_without_a_login_it_is_up_and_says_so(chunk: int | None) -> None:
    played = play(conversation(Options(AT)), [START], chunk=chunk)
    assert (played.settled.outcome, played.settled.layer) == (Outcome.PASS, Layer.SERVICE)
    assert played.settled.facts == {"login": "demanded", "product": "RabbitMQ", "version": "3.10.8"}
    assert played.sent == b"AMQP\x00\x00\x09\x01"
    needing = play(conversation(Options(AT, roundtrip=True)), [START])
    assert needing.settled.cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_with_a_login_a_channel_is_opened(chunk: int | None) -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [*OPENED, CLOSE_OK], chunk=chunk)
    assert (played.settled.outcome, played.settled.detail) == (Outcome.PASS, "opens a channel")
    assert b"\0monitor\0canary" in played.said_secretly
    assert wire.method(wire.OPEN, b"\1/\0\0") in played.sent
    assert played.sent.endswith(close(200, b"goodbye"))


@pytest.mark.parametrize("farewell", [[], [Closed()], [b"\xff"], [Quiet()]])
def test_the_farewell_doesnt_change_the_answer(farewell: list[bytes | Break]) -> None:
    assert play(conversation(Options(AT, login=LOGIN)), [*OPENED, *farewell]).settled.cause is None


def test_the_virtual_host_is_the_path() -> None:
    options = Options(address("amqp://monitor:canary@127.0.0.1/shop%2Feu"))
    played = play(conversation(options), [*OPENED, CLOSE_OK])
    assert wire.method(wire.OPEN, wire.short_text("shop/eu") + b"\0\0") in played.sent
    assert b"\0monitor\0canary" in played.said_secretly


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_its_cause(code: int) -> None:
    cause, meaning = CODES[code]
    answer = play(conversation(Options(AT, login=LOGIN)), [START, TUNE, close(code)]).settled
    assert (answer.outcome, answer.cause, answer.facts["code"]) == (Outcome.FAIL, cause, code)
    assert meaning in answer.detail
    assert answer.layer in cause.layers


@pytest.mark.parametrize("words", sorted(MESSAGES))
@pytest.mark.parametrize("code", [530, 541])
def test_not_allowed_is_told_apart_by_its_words(words: bytes, code: int) -> None:
    said = close(code, b"NOT_ALLOWED - vhost 'x' " + words + b" and so on")
    answer = play(conversation(Options(AT, login=LOGIN)), [START, TUNE, said]).settled
    assert answer.cause is MESSAGES[words][0]


def test_a_limit_is_no_refusal_of_the_user() -> None:
    """As RabbitMQ 3.10 says it."""
    text = b"NOT_ALLOWED - access to vhost 'x' refused for user 'u': connection limit (0) is reached"
    answer = play(conversation(Options(AT, login=LOGIN)), [START, TUNE, close(530, text)]).settled
    assert answer.cause is Cause.OVERLOADED


def test_an_unknown_code_is_an_error_answer() -> None:
    answer = play(conversation(Options(AT, login=LOGIN)), [START, close(999, b"\x1b[31m")]).settled
    assert (answer.cause, answer.detail) == (
        Cause.ERROR_ANSWER,
        r"closes with an error: 999 \x1b[31m",
    )


def test_closing_at_the_login_is_a_refusal_where_the_server_cant_say_more() -> None:
    plain = play(conversation(Options(AT, login=LOGIN)), [start({}), Closed()])
    assert plain.settled.cause is Cause.LOGIN_REFUSED
    capable = play(conversation(Options(AT, login=LOGIN)), [START, Closed()])
    assert isinstance(capable.broke, Closed), "this one would have said so"


def test_a_server_without_passwords() -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [start(CAPABLE, b"EXTERNAL")])
    assert played.settled.outcome is Outcome.UNKNOWN
    assert "EXTERNAL" in played.settled.detail
    assert b"canary" not in played.sent


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"AMQP\x00\x00\x09\x01",
        TUNE,
        b"\x01\x00\x00\xff\xff\xff\xff",
        wire.method(wire.START, b"\0\x09\xff\xff\xff\xff"),
    ],
)
def test_a_login_is_sent_to_amqp_only(said: bytes) -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [said])
    assert (played.settled.cause, played.settled.facts["expected"]) == (Cause.WRONG_SERVICE, "amqp")
    assert played.sent == wire.HEADER


@pytest.mark.parametrize("chunk", [None, 1])
def test_another_version_is_named(chunk: int | None) -> None:
    answer = play(conversation(Options(AT)), [b"AMQP\x00\x01\x00\x00", Closed()], chunk=chunk).settled
    assert answer.cause is Cause.WRONG_SERVICE
    assert answer.detail == "it speaks AMQP 1.0.0, not 0-9-1"


def test_nonsense_after_the_start_is_the_right_services_error() -> None:
    for said in (b"\xff", wire.method(wire.TUNE, b""), wire.method(wire.UNBLOCKED) * 99):
        answer = play(conversation(Options(AT, login=LOGIN)), [START, said]).settled
        assert answer.cause is Cause.ERROR_ANSWER


# -- a queue -----------------------------------------------------------------------------------------


def declared(messages: int, consumers: int) -> bytes:
    counts = struct.pack("!II", messages, consumers)
    return wire.method(wire.DECLARE_OK, wire.short_text("jobs") + counts, channel=1)


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.parametrize(
    ("expect", "cause"),
    [
        (QueueExpect(), None),
        (QueueExpect(messages_max=7, consumers_min=1), None),
        (QueueExpect(messages_max=6), Cause.OVERLOADED),
        (QueueExpect(consumers_min=2), Cause.WRONG_ANSWER),
    ],
)
def test_a_queue_is_looked_at(expect: QueueExpect, cause: Cause | None, chunk: int | None) -> None:
    options = Options(AT, login=LOGIN, queue="jobs", expect=expect)
    played = play(conversation(options), [*OPENED, declared(7, 1), CLOSE_OK], chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, cause)
    assert played.settled.facts == {"messages": 7, "consumers": 1}
    passive = wire.method(wire.DECLARE, b"\0\0" + wire.short_text("jobs") + b"\1" + bytes(4), 1)
    assert passive in played.sent, "it isn't made"
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]


@pytest.mark.parametrize(
    ("code", "cause"), [(404, Cause.ERROR_ANSWER), (403, Cause.LOGIN_REFUSED), (405, Cause.ERROR_ANSWER)]
)
def test_a_queue_that_can_not_be_seen(code: int, cause: Cause) -> None:
    options = Options(AT, login=LOGIN, queue="jobs", roundtrip=True)
    settled = play(conversation(options), [*OPENED, close(code, b"jobs", wire.CHANNEL_CLOSE)]).settled
    assert (settled.layer, settled.cause) == (Layer.FUNCTION, cause)


def test_a_queue_needs_the_login_that_is_demanded() -> None:
    assert play(conversation(Options(AT, queue="jobs")), [START]).settled.cause is Cause.LOGIN_REFUSED
    with pytest.raises(ValueError, match="add queue"):
        Options(AT, expect=QueueExpect(consumers_min=1))


# -- there and back ----------------------------------------------------------------------------------

TOKEN = NONCE[:8].hex().encode()
CONFIRM_OK = wire.method(wire.CONFIRM_SELECT_OK, channel=1)
DECLARED = wire.method(wire.DECLARE_OK, wire.short_text("q") + bytes(8), 1)
ACK = wire.method(wire.ACK, bytes(7) + b"\1\0", 1)
CONSUMING = wire.method(wire.CONSUME_OK, wire.short_text("c"), 1)
DELIVERED = wire.method(wire.DELIVER, b"\1c" + bytes(8) + b"\0\0\1q", 1) + wire.content(TOKEN, 1)
BLOCKED = wire.method(wire.BLOCKED, wire.short_text("low on memory"))
READY = [*OPENED, CONFIRM_OK, DECLARED]


def round_trip(*script: bytes | Break, chunk: int | None = None) -> Played:
    return play(conversation(Options(AT, login=LOGIN, roundtrip=True)), script, chunk=chunk)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_round_trip_is_of_the_function_layer(chunk: int | None) -> None:
    played = round_trip(*READY, ACK, CONSUMING, DELIVERED, CLOSE_OK, chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]
    assert b"trueup.probe." + TOKEN in played.sent


@pytest.mark.parametrize("before", [READY, [*READY, ACK], OPENED])
def test_an_alarm_shows_as_soon_as_it_is_said(before: list[bytes]) -> None:
    answer = round_trip(*before, BLOCKED).settled
    assert (answer.layer, answer.cause) == (Layer.FUNCTION, Cause.OVERLOADED)
    assert answer.facts["blocked"] == "low on memory"


@pytest.mark.parametrize(
    ("reason", "cause"), [("low on disk", Cause.DISK_FULL), ("low on memory & disk", Cause.OVERLOADED)]
)
def test_an_alarm_is_told_by_its_reason(reason: str, cause: Cause) -> None:
    assert round_trip(*READY, wire.method(wire.BLOCKED, wire.short_text(reason))).settled.cause is cause


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ([*OPENED, CONFIRM_OK, close(403, b"no", wire.CHANNEL_CLOSE)], (Layer.FUNCTION, Cause.LOGIN_REFUSED)),
        ([*READY, close(506, b"", wire.CHANNEL_CLOSE)], (Layer.FUNCTION, Cause.OVERLOADED)),
        ([*READY, close(320)], (Layer.SERVICE, Cause.STARTING_UP)),
        ([*READY, wire.method(wire.NACK, bytes(9), 1)], (Layer.FUNCTION, Cause.ERROR_ANSWER)),
        ([*READY, wire.method(wire.RETURN, bytes(9), 1)], (Layer.FUNCTION, Cause.ERROR_ANSWER)),
        (
            [*READY, ACK, CONSUMING, DELIVERED.replace(TOKEN, b"0" * 16)],
            (Layer.FUNCTION, Cause.WRONG_ANSWER),
        ),
        ([*READY, ACK, CONSUMING], (Layer.FUNCTION, Cause.WRONG_ANSWER)),
    ],
)
def test_a_round_trip_that_fails(script: list[bytes], expected: tuple[Layer, Cause]) -> None:
    answer = round_trip(*script).settled
    assert (answer.layer, answer.cause) == expected
    assert expected[0] in expected[1].layers


def test_silence_and_closing_are_left_to_the_engine() -> None:
    assert isinstance(play(conversation(Options(AT)), []).broke, Quiet)
    assert isinstance(play(conversation(Options(AT)), [Closed(reset=True)]).broke, Closed)
    assert isinstance(play(conversation(Options(AT, login=LOGIN)), [START]).broke, Quiet)


def test_recognise() -> None:
    assert PROBE.recognise(START)
    assert PROBE.recognise(b"AMQP\x00\x00\x09\x01")
    assert not PROBE.recognise(TUNE)
    assert not PROBE.recognise(b"AMQPhello")
