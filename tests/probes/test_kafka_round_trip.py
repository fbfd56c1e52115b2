"""A record of our own in Kafka, against a script."""

import struct

import pytest

from tests.playbook import NONCE, Played, address, play
from trueup.conversation import Astray, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes import kafkawire as wire
from trueup.probes.kafka import Options, conversation
from trueup.probes.kafka_records import batch
from trueup.probes.kafka_round_trip import (
    CREATE_TOPICS,
    DELETE_RECORDS,
    FETCH,
    FETCHES,
    PRODUCE,
    TOPIC,
    TRIES,
)

from .test_kafka import AT, authenticated, handshake, metadata, response

VALUE = b"trueup:" + NONCE[:8].hex().encode()


def speaks(*apis: int, high: int = 12) -> bytes:
    rows = b"".join(struct.pack("!hhh", api, 0, high) for api in (wire.METADATA, *apis))
    return response(struct.pack("!hi", 0, 1 + len(apis)) + rows)


def topic(leader: int = 1, error: int = 0) -> bytes:
    said = struct.pack("!iii", 0, 1, 1) + wire.text("kafka-1") + struct.pack("!ih", 9092, -1)
    said += struct.pack("!hi", -1, 1) + struct.pack("!ih", 1, error) + wire.text(TOPIC) + b"\0"
    parts = struct.pack("!hiiiiii", 0, 0, leader, 1, 1, 1, 1)
    return response(said + (struct.pack("!i", 0) if error else struct.pack("!i", 1) + parts))


def created(error: int = 0) -> bytes:
    return response(struct.pack("!ii", 0, 1) + wire.text(TOPIC) + struct.pack("!hh", error, -1))


def of_topic(partition: bytes) -> bytes:
    return struct.pack("!i", 1) + wire.text(TOPIC) + struct.pack("!i", 1) + partition


def produced(error: int = 0, offset: int = 41) -> bytes:
    return response(of_topic(struct.pack("!ihqq", 0, error, offset, -1)) + struct.pack("!i", 0))


def fetched(*values: bytes, error: int = 0) -> bytes:
    data = b"".join(
        struct.pack("!q", offset) + batch(value)[8:] for offset, value in enumerate(values, start=41)
    )
    told = struct.pack("!ihqqii", 0, error, 42, 42, -1, len(data)) + data
    return response(struct.pack("!i", 0) + of_topic(told))


ALL = speaks(PRODUCE, FETCH, CREATE_TOPICS, DELETE_RECORDS)
DELETED = response(struct.pack("!i", 0) + of_topic(struct.pack("!iqh", 0, 42, 0)))
THERE = [ALL, metadata(), topic()]
HEALTHY = [*THERE, ALL, produced(), fetched(VALUE), DELETED]


def trip(*says: bytes | Break, beside: bytes | Break = b"") -> Played:
    return play(conversation(Options(AT, roundtrip=True)), says, beside=[beside])


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_record_is_produced_and_fetched(chunk: int | None) -> None:
    played = play(conversation(Options(AT, roundtrip=True)), HEALTHY, beside=[b""], chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [(dial.host, dial.port) for dial in played.dials] == [("kafka-1", 9092)]
    assert VALUE in played.sent
    before = struct.pack("!iq", 0, 42)
    assert before in played.sent, "deleted as far as ours"
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]


def test_the_topic_is_made_where_it_is_not_there() -> None:
    waits: list[bytes | Break] = [topic(leader=-1), Quiet()]
    played = trip(ALL, metadata(), topic(error=3), created(), *waits, topic(), *HEALTHY[3:])
    assert played.settled.cause is None
    assert wire.text("retention.ms") in played.sent
    meanwhile = [ALL, metadata(), topic(error=3), created(36), topic(), *HEALTHY[3:]]
    assert trip(*meanwhile).settled.cause is None


def test_without_the_right_to_delete_its_age_does_it() -> None:
    old = speaks(PRODUCE, FETCH)
    assert trip(old, metadata(), topic(), old, produced(), fetched(VALUE)).settled.cause is None


@pytest.mark.parametrize(
    ("says", "layer", "cause"),
    [
        ([speaks(PRODUCE), metadata()], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([speaks(PRODUCE, FETCH, high=2), metadata()], Layer.SERVICE, Cause.ERROR_ANSWER),
        ([speaks(PRODUCE, FETCH), metadata(), topic(error=3)], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([ALL, metadata(), topic(error=3), created(29)], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([ALL, metadata(), *[topic(leader=-1), Quiet()] * TRIES], Layer.SERVICE, Cause.NO_QUORUM),
        ([*THERE, ALL, produced(19)], Layer.SERVICE, Cause.NO_QUORUM),
        ([*THERE, ALL, produced(56)], Layer.FUNCTION, Cause.DISK_FULL),
        ([*THERE, ALL, produced(), fetched(error=29)], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([*THERE, ALL, produced(), fetched(b"other"), DELETED], Layer.FUNCTION, Cause.WRONG_ANSWER),
        ([*THERE, ALL, produced(), *[fetched()] * FETCHES, DELETED], Layer.FUNCTION, Cause.WRONG_ANSWER),
        ([*THERE, ALL, response(struct.pack("!i", 0))], Layer.SERVICE, Cause.ERROR_ANSWER),
        ([*THERE, b"HTTP/1.1 400 Bad Request\r\n"], Layer.SERVICE, Cause.WRONG_SERVICE),
    ],
)
def test_a_part_that_fails(says: list[bytes | Break], layer: Layer, cause: Cause) -> None:
    settled = trip(*says).settled
    assert (settled.layer, settled.cause) == (layer, cause)


def test_a_leader_that_can_not_be_reached() -> None:
    settled = trip(*THERE, beside=Astray(Cause.REFUSED, "connection refused")).settled
    assert (settled.layer, settled.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
    assert settled.facts["leader"] == "kafka-1:9092"


def test_the_leader_gets_the_login_when_it_has_shown_who_it_is() -> None:
    options = Options(address("kafka://monitor:canary@127.0.0.1"), roundtrip=True)
    login = [handshake(0, "PLAIN"), authenticated()]
    plain = [handshake(33, "PLAIN"), *login]
    says = [ALL, *plain, metadata(), topic(), ALL, *plain, produced(), fetched(VALUE), DELETED]
    played = play(conversation(options), says, beside=[b""])
    assert played.settled.cause is None
    assert played.said_secretly.count(b"canary") == 2
    assert [dial.host for dial in played.dials] == ["127.0.0.1", "kafka-1", "kafka-1"]
    stranger = play(
        conversation(options), [ALL, *plain, metadata(), topic(), b"HTTP/1.1 x\r\n"], beside=[b""]
    )
    assert stranger.said_secretly.count(b"canary") == 1


def test_closing_before_a_login_is_a_refusal() -> None:
    closing: list[bytes | Break] = [ALL, Closed(), handshake(33, "PLAIN")]
    assert trip(*closing).settled.cause is Cause.LOGIN_REFUSED
    advertised = Options(AT, advertised=True)
    assert play(conversation(advertised), closing).settled.cause is Cause.LOGIN_REFUSED


def test_advertised_addresses() -> None:
    options = Options(AT, advertised=True)
    assert play(conversation(options), [ALL, metadata()], beside=[b""]).settled.cause is None
    settled = play(conversation(options), [ALL, metadata()]).settled
    assert (settled.layer, settled.cause) == (Layer.SERVICE, Cause.WRONG_ANSWER)
    assert "kafka-1:9092, which can't be reached from here: refused" in settled.detail
