"""WebSocket frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.websocket_frame import (
    PAYLOAD_BYTES_MAX,
    PING,
    TEXT,
    Message,
    a_frame,
    frame,
    parse,
)

MASK = b"\x37\xfa\x21\x3d"


def of_server(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([first, size]) + payload
    if size < 0x10000:
        return bytes([first, 126]) + size.to_bytes(2, "big") + payload
    return bytes([first, 127]) + size.to_bytes(8, "big") + payload


def test_our_frames_are_those_of_the_rfc() -> None:
    """RFC 6455, 5.7: a masked text message, "Hello"."""
    assert frame(TEXT, b"Hello", MASK).hex() == "818537fa213d7f9f4d5158"
    assert frame(PING, b"", MASK).hex() == "898037fa213d"


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_lengths(size: int) -> None:
    ours = frame(TEXT, b"x" * size, b"\0\0\0\0")
    assert len(ours) == size + 6 + (0 if size < 126 else 2 if size < 65536 else 8)
    theirs = bytearray(of_server(0x81, b"x" * size))
    assert a_frame().complete(theirs, False) == len(theirs)
    assert a_frame().complete(theirs[:-1], False) is None
    assert parse(bytes(theirs)) == Message(TEXT, b"x" * size)


def test_fragments_and_what_follows() -> None:
    assert parse(of_server(0x01, b"Hel")) == Message(TEXT, b"Hel", final=False)
    assert parse(of_server(0x80, b"lo")) == Message(0, b"lo")
    assert a_frame().complete(bytearray(of_server(0x8A, b"") + b"more"), False) == 2


@pytest.mark.parametrize(
    "said",
    [
        b"\x91\x00",  # a reserved bit
        b"\x83\x00",  # an unknown opcode
        b"\x81\x80\0\0\0\0",  # masked by a server
        b"\x09\x00",  # a fragmented ping
        b"\x89\x7e\x00\x80",  # a long ping
        b"\x81\x7f" + (PAYLOAD_BYTES_MAX + 1).to_bytes(8, "big"),
        b"\x81\x7f" + b"\xff" * 8,
        b"HTTP/1.1",
    ],
)
def test_what_is_no_frame(said: bytes) -> None:
    with pytest.raises(Garbled):
        a_frame().complete(bytearray(said), False)
    with pytest.raises(Garbled):
        parse(said)


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_garbled(noise: bytes) -> None:
    try:
        size = a_frame().complete(bytearray(noise), False)
    except Garbled:
        return
    assert size is None or parse(noise[:size]).opcode in (0, 1, 2, 8, 9, 10)
