"""The Kafka probe against a script: a row of its table each, and its states."""

import struct

import pytest

from tests.playbook import address, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes import kafkawire as wire
from trueup.probes.kafka import ERRORS, Options, conversation

AT = address("kafka://127.0.0.1")
TOPIC = address("kafka://127.0.0.1/orders")
LOGIN = Login(Secret("canary"), "monitor")


def response(body: bytes) -> bytes:
    return struct.pack("!ii", 4 + len(body), wire.CORRELATION) + body


def versions(low: int = 0, high: int = 12, error: int = 0) -> bytes:
    return response(struct.pack("!hihhh", error, 1, wire.METADATA, low, high))


def metadata(
    controller: int = 1, brokers: int = 1, topic_error: int = 0, leaders: tuple[int, ...] = ()
) -> bytes:
    said = struct.pack("!ii", 0, brokers)
    said += (struct.pack("!i", 1) + wire.text("kafka-1") + struct.pack("!ih", 9092, -1)) * brokers
    said += struct.pack("!hi", -1, controller)
    said += struct.pack("!ih", 1, topic_error) + wire.text("orders") + b"\0"
    said += struct.pack("!i", len(leaders))
    for number, leader in enumerate(leaders):
        said += struct.pack("!hiiiiii", 0, number, leader, 1, 1, 1, 1)
    return response(said)


def handshake(error: int, *mechanisms: str) -> bytes:
    listed = b"".join(map(wire.text, mechanisms))
    return response(struct.pack("!hi", error, len(mechanisms)) + listed)


def authenticated(error: int = 0, words: str = "") -> bytes:
    return response(struct.pack("!h", error) + wire.text(words) + struct.pack("!i", 0))


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_broker_is_ready(chunk: int | None) -> None:
    answer = play(conversation(Options(AT)), [versions(), metadata()], chunk=chunk).settled
    assert (answer.outcome, answer.cause) == (Outcome.PASS, None)
    assert answer.facts == {"brokers": ["kafka-1:9092"], "controller": 1}


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_has_its_cause(code: int) -> None:
    cause, meaning = ERRORS[code]
    scripts = {
        "at once": (Options(AT), [versions(error=code)]),
        "of the topic": (Options(TOPIC), [versions(), metadata(topic_error=code)]),
        "at the login": (Options(AT, login=LOGIN), [versions(), handshake(0), authenticated(code)]),
    }
    for what, (options, script) in scripts.items():
        answer = play(conversation(options), script).settled
        assert (answer.outcome, answer.cause, answer.facts["code"]) == (Outcome.FAIL, cause, code), what
        assert meaning in answer.detail
        assert answer.layer in cause.layers


def test_an_unknown_error_is_an_error_answer() -> None:
    assert play(conversation(Options(AT)), [versions(error=999)]).settled.cause is Cause.ERROR_ANSWER


@pytest.mark.parametrize(("controller", "brokers"), [(-1, 1), (1, 0)])
def test_a_cluster_without_its_head(controller: int, brokers: int) -> None:
    said = metadata(controller=controller, brokers=brokers)
    assert play(conversation(Options(AT)), [versions(), said]).settled.cause is Cause.NO_QUORUM


def test_a_topics_leaders() -> None:
    whole = play(conversation(Options(TOPIC)), [versions(), metadata(leaders=(1, 2))])
    assert whole.settled.cause is None
    assert wire.metadata_of("orders") in whole.sent
    broken = play(conversation(Options(TOPIC)), [versions(), metadata(leaders=(1, -1, 2))])
    assert (broken.settled.cause, broken.settled.facts["partitions"]) == (Cause.NO_QUORUM, [1])


@pytest.mark.parametrize(("low", "high"), [(0, 3), (5, 12), (0, -1)])
def test_a_broker_that_speaks_other_versions(low: int, high: int) -> None:
    answer = play(conversation(Options(AT)), [versions(low, high)]).settled
    assert answer.cause is Cause.ERROR_ANSWER


def test_closing_before_a_login_is_no_failure() -> None:
    closing: list[bytes | Break] = [versions(), Closed(), handshake(33, "SCRAM-SHA-256")]
    played = play(conversation(Options(AT)), closing)
    assert (played.settled.outcome, played.settled.facts["login"]) == (Outcome.PASS, "demanded")
    assert len(played.dials) == 1
    assert play(conversation(Options(TOPIC)), closing).settled.cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize("second", [Closed(), Quiet(), handshake(34), b"HTTP/1.1"])
def test_closing_for_another_reason_is_closing(second: bytes | Break) -> None:
    played = play(conversation(Options(AT)), [versions(), Closed(reset=True), second])
    assert isinstance(played.broke, Closed)


def test_a_login_is_sent_to_kafka_only() -> None:
    options = Options(AT, login=LOGIN)
    for said in (b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\0\0\1x", b"\xff" * 8):
        stranger = play(conversation(options), [said])
        assert (stranger.settled.cause, stranger.settled.facts["expected"]) == (Cause.WRONG_SERVICE, "kafka")
        assert b"canary" not in stranger.sent
    offered = handshake(33, "PLAIN")
    played = play(
        conversation(options), [versions(), offered, handshake(0, "PLAIN"), authenticated(), metadata()]
    )
    assert played.settled.cause is None
    assert b"\0monitor\0canary" in played.said_secretly
    assert len(played.dials) == 1, "a broker closes at a mechanism that it doesn't know"


def test_an_echo_is_no_broker() -> None:
    echo = wire.request(wire.API_VERSIONS, 0)
    assert play(conversation(Options(AT)), [echo]).settled.cause is Cause.WRONG_SERVICE


def test_a_login_that_scram_can_be_forged_for() -> None:
    forged = response(struct.pack("!hhi", 0, -1, 0))
    script = [versions(), handshake(0, "SCRAM-SHA-512"), forged, forged]
    assert play(conversation(Options(AT, login=LOGIN)), script).settled.cause is Cause.ERROR_ANSWER


def test_tls_is_spoken_on_each_connection() -> None:
    settings = TlsSettings()
    options = Options(AT, tls=settings)
    played = play(conversation(options), [versions(), Closed(), handshake(33, "PLAIN")])
    assert [step.settings for step in played.tls] == [settings, settings]


def test_nonsense_after_the_first_answer_is_the_right_services_error() -> None:
    answer = play(conversation(Options(AT)), [versions(), response(b"\0")]).settled
    assert answer.cause is Cause.ERROR_ANSWER


def test_silence_and_closing_are_left_to_the_engine() -> None:
    assert isinstance(play(conversation(Options(AT)), []).broke, Quiet)
    assert isinstance(play(conversation(Options(AT)), [Closed()]).broke, Closed)
