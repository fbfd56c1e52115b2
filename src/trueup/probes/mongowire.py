"""MongoDB's messages: OP_MSG with one document each way.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import struct
from collections.abc import Mapping
from typing import Any, Final

from trueup.conversation import Frame, Garbled
from trueup.probes.bson import decode, encode

OP_MSG: Final = 2013
HEADER_BYTES: Final = 16
MESSAGE_BYTES_MAX: Final = 262_144
CHECKSUM_PRESENT: Final = 1


def command(number: int, document: Mapping[str, Any], database: str = "admin") -> bytes:
    """A command; ``number`` is what its reply refers to."""
    body = struct.pack("<IB", 0, 0) + encode({**document, "$db": database})
    return struct.pack("<iiii", HEADER_BYTES + len(body), number, 0, OP_MSG) + body


def replies(count: int) -> Frame:
    """Reads ``count`` messages."""

    def measure(received: bytearray) -> int | None:
        place = 0
        for _ in range(count):
            if len(received) - place < HEADER_BYTES:
                _size(received, place)
                return None
            place += _size(received, place)
            if place > len(received):
                return None
        return place

    return Frame(measure, count * MESSAGE_BYTES_MAX)


def _size(received: bytes | bytearray, place: int) -> int:
    """The length of the message at ``place``, of which some may be missing; 0 while that can't be known."""
    head = received[place : place + HEADER_BYTES]
    if len(head) < 4:
        return 0
    size = int.from_bytes(head[:4], "little", signed=True)
    if not HEADER_BYTES + 10 <= size <= MESSAGE_BYTES_MAX:
        raise Garbled(bytes(received))
    if len(head) == HEADER_BYTES and int.from_bytes(head[12:], "little") != OP_MSG:
        raise Garbled(bytes(received))
    return size


def parse(received: bytes) -> list[dict[str, Any]]:
    """The documents of the whole messages in ``received``, in order.

    Raises:
        Garbled: a message that isn't OP_MSG with one document.
    """
    found: list[dict[str, Any]] = []
    place = 0
    while len(received) - place >= HEADER_BYTES:
        end = place + _size(received, place)
        if end > len(received):
            break
        flags, kind = struct.unpack_from("<IB", received, place + HEADER_BYTES)
        if kind != 0:
            raise Garbled(received)
        found.append(decode(received[place + HEADER_BYTES + 5 : end - 4 * (flags & CHECKSUM_PRESENT)]))
        place = end
    return found
