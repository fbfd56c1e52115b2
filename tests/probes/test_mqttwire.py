"""MQTT's packets."""

import pytest

from trueup.conversation import Garbled
from trueup.domain.secret import Secret
from trueup.domain.target import Login
from trueup.probes.mqttwire import (
    BODY_BYTES_MAX,
    CONNACK,
    PUBLISH,
    Packet,
    connect,
    message_of,
    packet,
    parse,
    publish,
    reading,
    subscribe,
)


def test_the_packets_that_we_send() -> None:
    assert connect(3, "probe", None).hex(" ") == "10 11 00 04 4d 51 54 54 04 02 00 1e 00 05 70 72 6f 62 65"
    assert connect(5, "p", None).hex(" ") == "10 0e 00 04 4d 51 54 54 05 02 00 1e 00 00 01 70"
    with_login = connect(3, "p", Login(Secret("s"), "u"))
    assert with_login.hex(" ").endswith("04 c2 00 1e 00 01 70 00 01 75 00 01 73")
    assert subscribe(3, "a", 1).hex(" ") == "82 06 00 01 00 01 61 01"
    assert subscribe(5, "a", 1).hex(" ") == "82 07 00 01 00 00 01 61 01"
    assert publish(3, "a", 2, b"hi").hex(" ") == "32 07 00 01 61 00 02 68 69"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, BODY_BYTES_MAX])
def test_a_packet_and_its_length_there_and_back(size: int) -> None:
    said = packet(PUBLISH, b"x" * size)
    assert parse(said) == Packet(PUBLISH, 0, b"x" * size)
    frame = reading()
    assert frame.complete(bytearray(said), ended=False) == len(said)
    assert frame.complete(bytearray(said + b"more"), ended=False) == len(said)
    for cut in (0, 1, len(said) - 1):
        assert cut == len(said) or frame.complete(bytearray(said[:cut]), ended=False) is None


@pytest.mark.parametrize(
    "said",
    [packet(PUBLISH, b"x" * (BODY_BYTES_MAX + 1))[:8], b"\x30\xff\xff\xff\xff", b"\x10\0", b"HTTP/1.1 400"],
)
def test_what_no_broker_sends_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        reading().complete(bytearray(said), ended=False)
    with pytest.raises(Garbled):
        reading(CONNACK).complete(bytearray(b"\x30\x00"), ended=False)


def test_the_message_of_a_publication() -> None:
    assert message_of(parse(publish(3, "a/b", 2, b"hi")), 3) == (b"a/b", b"hi")
    assert message_of(parse(publish(5, "a/b", 2, b"hi")), 5) == (b"a/b", b"hi")
    at_qos_0 = Packet(PUBLISH, 0, b"\0\1a\3\x01\x02\x03hi")
    assert message_of(at_qos_0, 5) == (b"a", b"hi")
    with pytest.raises(Garbled):
        message_of(Packet(PUBLISH, 0, b"\0\1a\x7fhi"), 5)
