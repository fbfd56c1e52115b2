"""A record of our own in Kafka: produced to the leader of a topic of our own, fetched and deleted."""

import struct
from collections.abc import Callable, Generator
from typing import Final, TypeVar

from trueup.conversation import (
    Answer,
    Ask,
    Astray,
    Beside,
    Dial,
    Exactly,
    Garbled,
    Nonce,
    Quiet,
    Receive,
    StartTls,
    Step,
    fails,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.probes import kafka_records as records
from trueup.probes import kafkawire as wire

TOPIC: Final = "trueup-probe"
"""Made where it isn't there and the broker lets us; what is in it is deleted after an hour at the latest."""

RETENTION: Final = {"retention.ms": "3600000"}
PRODUCE: Final = 0
FETCH: Final = 1
CREATE_TOPICS: Final = 19
DELETE_RECORDS: Final = 21
VERSION_OF: Final = {PRODUCE: 3, FETCH: 4, CREATE_TOPICS: 4, DELETE_RECORDS: 0}
"""The oldest that Kafka 4 still speaks, or the last without "flexible" encoding."""

UNKNOWN_TOPIC: Final = 3
EXISTS: Final = 36
PATIENCE_MS: Final = 3000
TRIES: Final = 10
APART_S: Final = 0.3
FETCHES: Final = 5
FETCH_BYTES_MAX: Final = 65_536

_Told = TypeVar("_Told")
Versions = dict[int, tuple[int, int]]
Judge = Callable[[int, str | None], Answer]
"""The word for an error code."""

Enter = Callable[[Dial], Generator[Step, bytes, Answer | None]]
"""Opens another connection, says hello and logs in; an answer where that ends it."""


def reach(place: tuple[str, int], secured: StartTls | None) -> Generator[Step, bytes, str | None]:
    """Why the broker can't be reached where clients are sent to; None where it can."""
    host, port = place
    try:
        if not 0 < port < 65_536 or not host:
            return "no address"
        yield Beside(Dial(host, port), read=None, secured=secured)
    except Astray as astray:
        return f"{astray.cause.value}: {astray.detail}"
    return None


def round_trip(
    versions: Versions, secured: StartTls | None, enter: Enter, judge: Judge
) -> Generator[Step, bytes, Answer]:
    """The function layer's answer."""
    for api in (PRODUCE, FETCH):
        if not _speaks(versions, api):
            words = f"it doesn't speak version {VERSION_OF[api]} of request {api}"
            return fails(Cause.ERROR_ANSWER, words, layer=Layer.FUNCTION)
    place = yield from _leader(versions, judge)
    if isinstance(place, Answer):
        return place
    shown = printable(f"{place[0]}:{place[1]}", 100)
    if (problem := (yield from reach(place, secured))) is not None:
        words = f"it sends clients to {shown}, which can't be reached from here: {problem}"
        return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION, leader=shown)
    if (refused := (yield from enter(Dial(*place)))) is not None:
        return refused
    return (yield from _there_and_back(versions, judge))


def _speaks(versions: Versions, api: int) -> bool:
    low, high = versions.get(api, (0, -1))
    return low <= VERSION_OF[api] <= high


def _leader(versions: Versions, judge: Judge) -> Generator[Step, bytes, tuple[str, int] | Answer]:
    """Where the leader of our topic's first partition is. The topic is made where it isn't there."""
    made = False
    for _ in range(TRIES):
        cluster = wire.metadata((yield Ask(wire.metadata_of(TOPIC), wire.RESPONSE)))
        topic = next((one for one in cluster.topics if one.name == TOPIC), None)
        if topic is not None and topic.error == UNKNOWN_TOPIC and not made:
            made = True
            if not _speaks(versions, CREATE_TOPICS):
                words = f"there is no topic {TOPIC}, and it makes none: make it, with one partition"
                return fails(Cause.ERROR_ANSWER, words, layer=Layer.FUNCTION)
            if (refused := (yield from _make(judge))) is not None:
                return refused
            continue
        leader = next((one.leader for one in topic.partitions if one.number == 0), -1) if topic else -1
        if leader in cluster.places:
            return cluster.places[leader]
        try:  # a new topic has no leader for a moment
            yield Receive(Exactly(1), within_s=APART_S)
        except Quiet as quiet:
            if quiet.final:
                raise
    return fails(Cause.NO_QUORUM, f"topic {TOPIC} gets no leader")


def _make(judge: Judge) -> Generator[Step, bytes, Answer | None]:
    configs = struct.pack("!i", len(RETENTION)) + b"".join(
        wire.text(name) + wire.text(value) for name, value in RETENTION.items()
    )
    # One partition, as many copies as the broker makes of any topic, assigned by it.
    topic = wire.text(TOPIC) + struct.pack("!ihi", 1, -1, 0) + configs
    body = struct.pack("!i", 1) + topic + struct.pack("!ib", PATIENCE_MS, 0)
    said = yield Ask(wire.request(CREATE_TOPICS, VERSION_OF[CREATE_TOPICS], body), wire.RESPONSE)
    response = wire.Response(said)
    response.take(4)
    for error, words in response.array(lambda: _created(response)):
        if error not in (0, EXISTS):
            return judge(error, words)
    return None


def _created(response: wire.Response) -> tuple[int, str | None]:
    response.text()
    return response.number(2), response.text()


def _there_and_back(versions: Versions, judge: Judge) -> Generator[Step, bytes, Answer]:
    value = b"trueup:" + (yield Nonce(8)).hex().encode()
    error, offset = yield from _produce(value)
    if error:
        return judge(error, None)
    read = False
    for _ in range(FETCHES):
        error, batches = yield from _fetch(offset)
        if error:
            return judge(error, None)
        if batches:
            read = records.holds(batches, offset, value)
            break
    if _speaks(versions, DELETE_RECORDS):  # else its age does it
        body = _of_topic(struct.pack("!iq", 0, offset + 1)) + struct.pack("!i", PATIENCE_MS)
        yield Ask(wire.request(DELETE_RECORDS, VERSION_OF[DELETE_RECORDS], body), wire.RESPONSE)
    if not read:
        return fails(Cause.WRONG_ANSWER, "what was produced isn't fetched", layer=Layer.FUNCTION)
    return ready("produced and fetched a record", layer=Layer.FUNCTION)


def _only(topics: list[tuple[str | None, list[_Told]]]) -> _Told:
    """What is told of the one partition of the one topic that was asked about."""
    if len(topics) != 1 or len(topics[0][1]) != 1:
        raise Garbled(repr(topics).encode())
    return topics[0][1][0]


def _of_topic(partition: bytes) -> bytes:
    """The list of our only topic, with its only partition."""
    return struct.pack("!i", 1) + wire.text(TOPIC) + struct.pack("!i", 1) + partition


def _produce(value: bytes) -> Generator[Step, bytes, tuple[int, int]]:
    """The error code, and the offset that the record got."""
    data = records.batch(value)
    partition = struct.pack("!ii", 0, len(data)) + data
    all_in_sync = -1
    body = struct.pack("!hhi", -1, all_in_sync, PATIENCE_MS) + _of_topic(partition)
    response = wire.Response((yield Ask(wire.request(PRODUCE, VERSION_OF[PRODUCE], body), wire.RESPONSE)))
    return _only(response.array(lambda: (response.text(), response.array(lambda: _produced(response)))))


def _produced(response: wire.Response) -> tuple[int, int]:
    response.take(4)
    error, offset = response.number(2), response.number(8)
    response.take(8)
    return error, offset


def _fetch(offset: int) -> Generator[Step, bytes, tuple[int, bytes]]:
    """The error code, and the batches from this offset on."""
    partition = struct.pack("!iqi", 0, offset, FETCH_BYTES_MAX)
    head = struct.pack("!iiiib", -1, 500, 1, FETCH_BYTES_MAX, 0)
    body = head + _of_topic(partition)
    response = wire.Response((yield Ask(wire.request(FETCH, VERSION_OF[FETCH], body), wire.RESPONSE)))
    response.take(4)
    return _only(response.array(lambda: (response.text(), response.array(lambda: _fetched(response)))))


def _fetched(response: wire.Response) -> tuple[int, bytes]:
    response.take(4)
    error = response.number(2)
    response.take(16)
    response.array(lambda: response.take(16))
    return error, response.data()
