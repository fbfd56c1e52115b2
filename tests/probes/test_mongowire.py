import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.bson import encode
from trueup.probes.mongowire import command, parse, replies


def measured(said: bytes, count: int = 1) -> int | None:
    return replies(count).complete(bytearray(said), ended=False)


def test_a_hello_as_the_documentation_gives_it() -> None:
    said = command(1, {"hello": 1})
    assert said.hex() == (
        "340000000100000000000000dd07000000000000001f0000001068656c6c6f00010000000224646200060000006"
        "1646d696e0000"
    )


def test_messages_are_counted_and_read() -> None:
    said = command(1, {"ok": 1}) + command(2, {"ok": 0})
    for size in range(len(said)):
        assert measured(said[:size], 2) is None
    assert measured(said + b"more", 2) == len(said)
    assert parse(said) == [{"ok": 1, "$db": "admin"}, {"ok": 0, "$db": "admin"}]
    assert len(parse(said[:-1])) == 1


def test_a_checksum_is_passed_over() -> None:
    body = struct.pack("<IB", 1, 0) + encode({"ok": 1}) + b"crc!"
    assert parse(struct.pack("<iiii", 16 + len(body), 1, 1, 2013) + body) == [{"ok": 1}]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad",
        b"SSH-",
        b"\x05\0\0\0",
        struct.pack("<iiii", 50, 1, 1, 1),
        struct.pack("<iiii", -1, 1, 1, 2013),
        struct.pack("<iiii", 30, 1, 1, 2013) + bytes(4) + b"\1" + bytes(9),
    ],
)
def test_what_is_no_message_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        _ = measured(said), parse(said)


@given(st.binary(max_size=200))
def test_nothing_that_is_said_raises_anything_else(said: bytes) -> None:
    for act in (lambda: measured(said, 2), lambda: parse(said)):
        try:
            act()
        except Garbled:
            continue
