"""Kafka's record batches (magic 2), as far as one record of our own takes.

https://kafka.apache.org/documentation/#recordbatch
"""

import struct
from typing import Final

from trueup.conversation import Garbled

_HEAD: Final = struct.Struct("!qiibI")
"""Base offset, length, leader epoch, magic, checksum."""

_BODY: Final = struct.Struct("!hiqqqhii")
"""Attributes, last offset, first and last time, producer, its epoch, first sequence, count."""

NOBODY: Final = -1
NO_TIME: Final = -1
"""A conversation has no clock; the broker's own then counts."""

MAGIC: Final = 2
COMPRESSION: Final = 0b111
BATCHES_MAX: Final = 100


def _table() -> tuple[int, ...]:
    table = []
    for start in range(256):
        value = start
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC32C: Final = _table()
"""Castagnoli's polynomial, reflected (RFC 3720, B.4)."""


def crc32c(data: bytes) -> int:
    """The checksum of a batch."""
    value = 0xFFFF_FFFF
    for byte in data:
        value = value >> 8 ^ _CRC32C[(value ^ byte) & 0xFF]
    return value ^ 0xFFFF_FFFF


def batch(value: bytes) -> bytes:
    """A batch of one record without a key."""
    record = b"\0" + _varint(0) + _varint(0) + _varint(-1) + _varint(len(value)) + value + _varint(0)
    body = _BODY.pack(0, 0, NO_TIME, NO_TIME, NOBODY, NOBODY, NOBODY, 1) + _varint(len(record)) + record
    return _HEAD.pack(0, _HEAD.size - 12 + len(body), NOBODY, MAGIC, crc32c(body)) + body


def holds(batches: bytes, offset: int, value: bytes) -> bool:
    """Whether the record at ``offset`` is this; a batch that the broker has compressed isn't looked into.

    Raises:
        Garbled: they are no batches.
    """
    place = 0
    for _ in range(BATCHES_MAX):
        if len(batches) - place < _HEAD.size + _BODY.size:
            return False
        first, size, _, magic, _ = _HEAD.unpack_from(batches, place)
        if magic != MAGIC or size < _HEAD.size - 12 + _BODY.size:
            raise Garbled(batches)
        attributes, last = _BODY.unpack_from(batches, place + _HEAD.size)[:2]
        end = place + 12 + size
        if first <= offset <= first + last:
            return bool(attributes & COMPRESSION) or value in batches[place:end]
        place = end
    return False


def _varint(number: int) -> bytes:
    """A signed number of any length: zigzag, seven bits a byte, the lowest first."""
    left, said = (number << 1) ^ (number >> 63), bytearray()
    while True:
        if left < 0x80:
            said.append(left)
            return bytes(said)
        said.append(left & 0x7F | 0x80)
        left >>= 7
