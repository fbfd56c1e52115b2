"""AMQP's frames, methods and tables."""

import struct

import pytest

from trueup.conversation import Garbled
from trueup.probes import amqpwire as wire
from trueup.probes.amqpwire import Arguments

START = wire.method(wire.START, b"\0\x09" + wire.table({"product": "RabbitMQ"}))


def test_a_frame_there_and_back() -> None:
    assert wire.parse(START) == wire.Said(wire.METHOD, 0, wire.START, START[11:-1])
    assert wire.FRAME.complete(bytearray(START + b"more"), ended=False) == len(START)
    for cut in range(len(START)):
        assert wire.FRAME.complete(bytearray(START[:cut]), ended=False) is None


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1",
        struct.pack("!BHI", 1, 0, wire.FRAME_BYTES_MAX + 1),
        START[:-1] + b"\xcd",
        b"\x04\0\0\0\0\0\0\xce",
    ],
)
def test_what_is_no_frame_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        wire.FRAME.complete(bytearray(said), ended=False)


def test_a_method_frame_without_a_method_is_garbled() -> None:
    with pytest.raises(Garbled):
        wire.parse(wire.frame(wire.METHOD, 0, b"\0\x0a"))


def test_a_table_there_and_back() -> None:
    items = {"product": "trueup", "capabilities": {"connection.blocked": True, "other": False}}
    read = Arguments(wire.table(items)).table()
    assert read == {"product": b"trueup", "capabilities": {"connection.blocked": True, "other": False}}


def test_every_type_of_value_is_passed_over() -> None:
    numbers = b"".join(
        b"\1a" + kind + bytes(size)
        for kind, size in [(b"b", 1), (b"u", 2), (b"I", 4), (b"l", 8), (b"f", 4), (b"d", 8), (b"D", 5)]
    )
    others = b"\1b" + b"V" + b"\1c" + b"T" + bytes(8) + b"\1d" + b"x" + wire.long_text(b"bytes")
    arrays = b"\1e" + b"A" + wire.long_text(b"t\1" + b"S" + wire.long_text(b"x"))
    read = Arguments(wire.long_text(numbers + others + arrays)).table()
    assert read == {"a": None, "b": None, "c": None, "d": None, "e": [True, b"x"]}


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\5\1a",
        wire.long_text(b"\1aS\xff\xff\xff\xff"),
        wire.long_text(b"\1a?"),
        wire.long_text(b"\xffa"),
        b"\0\0",
    ],
)
def test_lying_lengths_are_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        Arguments(data).table()


def test_nesting_has_an_end() -> None:
    nested = b"\1at\1"
    for _ in range(wire.DEPTH_MAX + 2):
        nested = b"\1aF" + wire.long_text(nested)
    with pytest.raises(Garbled):
        Arguments(wire.long_text(nested)).table()
    array = b"t\1"
    for _ in range(wire.DEPTH_MAX + 2):
        array = b"A" + wire.long_text(array)
    with pytest.raises(Garbled):
        Arguments(wire.long_text(b"\1a" + array)).table()
