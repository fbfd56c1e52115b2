"""Kafka's requests and responses."""

import struct

import pytest

from trueup.conversation import Garbled
from trueup.probes import kafkawire as wire

HEAD = struct.pack("!i", wire.CORRELATION)


def response(body: bytes) -> bytes:
    return struct.pack("!i", 4 + len(body)) + HEAD + body


def test_the_first_request_is_one_that_every_broker_knows() -> None:
    said = wire.request(wire.API_VERSIONS, 0)
    assert said.hex(" ") == "00 00 00 10 00 12 00 00 74 72 75 65 00 06 74 72 75 65 75 70"


def test_a_topic_is_never_made_by_asking_for_it() -> None:
    assert wire.metadata_of("a").endswith(b"\0\0\0\1\0\1a\0")
    assert wire.metadata_of(None).endswith(b"\0\0\0\0\0"), "no topic, not all of them"


def test_a_response_is_read_whole() -> None:
    said = response(b"\0\0\0\0\0\0")
    assert wire.RESPONSE.complete(bytearray(said + b"more"), ended=False) == len(said)
    for cut in range(len(said)):
        assert wire.RESPONSE.complete(bytearray(said[:cut]), ended=False) is None


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400",
        b"\0\0\0\3",
        b"\xff\xff\xff\xff",
        struct.pack("!i", wire.RESPONSE_BYTES_MAX + 1),
        b"\0\0\0\x0b\0\x12\0\0",
    ],
)
def test_what_is_no_response_to_us_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        wire.RESPONSE.complete(bytearray(said), ended=False)


def test_the_versions() -> None:
    said = response(struct.pack("!hi", 0, 2) + struct.pack("!hhhhhh", 3, 0, 12, 18, 0, 3))
    assert wire.api_versions(said) == (0, {3: (0, 12), 18: (0, 3)})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\x7f\xff\xff\xff",
        struct.pack("!hi", 0, 2) + b"\0\3\0\0\0\x0c",
    ],
)
def test_lying_counts_are_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        wire.api_versions(response(body))


def test_lying_lengths_are_garbled() -> None:
    with pytest.raises(Garbled):
        wire.handshake(response(b"\0\0\0\0\0\1\x7f\xffPLAIN"))
    with pytest.raises(Garbled):
        wire.authenticated(response(b"\0\0\xff\xff\x7f\xff\xff\xff"))
    with pytest.raises(Garbled):
        wire.metadata(response(struct.pack("!ii", 0, 1) + b"\0\0\0\1\0\x09short"))
