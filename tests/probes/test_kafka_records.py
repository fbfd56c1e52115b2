"""Kafka's record batches."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.kafka_records import batch, crc32c, holds

VALUE = b"trueup:0102030405060708"


def at(offset: int, said: bytes) -> bytes:
    """As a broker keeps it."""
    return struct.pack("!q", offset) + said[8:]


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def test_a_batch_is_as_the_documentation_has_it() -> None:
    said = batch(b"x")
    first, size, _, magic, checksum = struct.unpack_from("!qiibI", said)
    assert (first, size, magic) == (0, len(said) - 12, 2)
    assert checksum == crc32c(said[21:])
    assert said.endswith(b"\x0e\0\0\0\x01\x02x\0"), (
        "7 bytes: nothing, no time, no offset, no key, x, no headers"
    )


def test_a_record_is_found_at_its_offset() -> None:
    batches = at(7, batch(b"other")) + at(8, batch(VALUE)) + at(9, batch(b"last"))
    assert holds(batches, 8, VALUE)
    assert not holds(batches, 7, VALUE)
    assert not holds(batches, 10, VALUE)
    assert not holds(batches[:-5], 9, b"lost")
    assert not holds(b"", 0, VALUE)


def test_what_a_broker_has_compressed_is_believed() -> None:
    said = bytearray(at(8, batch(b"anything")))
    said[22] = 1
    assert holds(bytes(said), 8, VALUE)


@pytest.mark.parametrize(("place", "byte"), [(16, 1), (8, 0xFF), (11, 0)])
def test_what_is_no_batch_is_garbled(place: int, byte: int) -> None:
    said = bytearray(batch(VALUE))
    said[place] = byte
    with pytest.raises(Garbled):
        holds(bytes(said), 0, VALUE)


@given(st.binary(max_size=200), st.integers(-(2**63), 2**63 - 1))
def test_nothing_else_is_raised(said: bytes, offset: int) -> None:
    with contextlib.suppress(Garbled):
        holds(said, offset, VALUE)
