"""MQTT's control packets, as far as a probe needs them.

MQTT 3.1.1 (https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/) and MQTT 5.0, sections 2 and 3 of both.
"""

from dataclasses import dataclass
from typing import Final

from trueup.conversation import Frame, Garbled
from trueup.domain.target import Login

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
SUBSCRIBE: Final = 0x82
SUBACK: Final = 0x90
DISCONNECT: Final = 0xE0
QOS_1: Final = 0x02
FROM_SERVER: Final = frozenset({CONNACK, PUBLISH, PUBACK, SUBACK, DISCONNECT, 0xD0, 0xF0})
"""The upper halves of the first byte of a packet that a server may send us."""

BODY_BYTES_MAX: Final = 65_536
KEEP_ALIVE_S: Final = 30
_CLEAN: Final = 0x02
_WITH_USER: Final = 0x80
_WITH_PASSWORD: Final = 0x40
_LEVEL: Final = {3: 4, 5: 5}
"""Protocol level by version: 3.1.1 is level 4."""


@dataclass(frozen=True, slots=True)
class Packet:
    """``kind`` is the packet's type without its flags."""

    kind: int
    flags: int
    body: bytes


def connect(version: int, client: str, login: Login | None) -> bytes:
    """A clean session, without a will."""
    flags, payload = _CLEAN, _text(client)
    if login is not None:
        flags |= _WITH_PASSWORD | _WITH_USER  # in 3.1.1 no password comes without a user (3.1.2.9)
        payload += _text(login.user or "") + _text(login.password.reveal())
    head = _text("MQTT") + bytes([_LEVEL[version], flags]) + KEEP_ALIVE_S.to_bytes(2, "big")
    return packet(CONNECT, head + _no_properties(version) + payload)


def subscribe(version: int, topic: str, identifier: int) -> bytes:
    """To one topic, at QoS 1."""
    return packet(
        SUBSCRIBE, identifier.to_bytes(2, "big") + _no_properties(version) + _text(topic) + bytes([1])
    )


def publish(version: int, topic: str, identifier: int, message: bytes) -> bytes:
    """At QoS 1, not retained."""
    head = _text(topic) + identifier.to_bytes(2, "big") + _no_properties(version)
    return packet(PUBLISH | QOS_1, head + message)


def disconnect() -> bytes:
    """The same in both versions."""
    return packet(DISCONNECT, b"")


def packet(first: int, body: bytes) -> bytes:
    """A packet with its length (2.2.3): seven bits a byte, the lowest first."""
    size, digits = len(body), bytearray()
    while True:
        size, digit = size >> 7, size & 0x7F
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([first]) + bytes(digits) + body


def reading(*first: int) -> Frame:
    """Reads a packet; where ``first`` is given, of one of these kinds only."""
    kinds = frozenset(first) or FROM_SERVER

    def measure(received: bytearray) -> int | None:
        if received and not _is_one_of(kinds, received[0]):
            raise Garbled(bytes(received))
        place = _body_at(received)
        if place is None:
            return None
        start, size = place
        return start + size if len(received) >= start + size else None

    return Frame(measure, BODY_BYTES_MAX + 8)


def _is_one_of(kinds: frozenset[int], first: int) -> bool:
    """Whether a packet of these begins with that byte; only PUBLISH has flags there (2.2.2)."""
    return first & 0xF0 in kinds and (first & 0xF0 == PUBLISH or not first & 0x0F)


def parse(said: bytes) -> Packet:
    """One whole packet. Raises: Garbled."""
    place = _body_at(bytearray(said))
    if place is None or len(said) != sum(place):
        raise Garbled(said)
    return Packet(said[0] & 0xF0, said[0] & 0x0F, said[place[0] :])


def message_of(published: Packet, version: int) -> tuple[bytes, bytes]:
    """Topic and message of a PUBLISH. Raises: Garbled."""
    body = published.body
    topic, rest = body[2 : 2 + int.from_bytes(body[:2], "big")], body[2 + int.from_bytes(body[:2], "big") :]
    if published.flags & 0x06:
        rest = rest[2:]
    if version == 5:
        rest = without_properties(rest)
    return topic, rest


def without_properties(rest: bytes) -> bytes:
    """What follows the properties of MQTT 5. Raises: Garbled."""
    size, place = _length(rest, 0)
    if size is None or place + size > len(rest):
        raise Garbled(rest)
    return rest[place + size :]


def _body_at(received: bytearray) -> tuple[int, int] | None:
    """Where the body begins and how long it is; None while that isn't known. Raises: Garbled."""
    size, place = _length(received, 1)
    if size is None:
        return None
    if size > BODY_BYTES_MAX:
        raise Garbled(bytes(received))
    return place, size


def _length(data: bytes | bytearray, start: int) -> tuple[int | None, int]:
    """A variable byte integer and where it ends; None while it's incomplete. Raises: Garbled."""
    size = 0
    for digit in range(4):
        if start + digit >= len(data):
            return None, start
        byte = data[start + digit]
        size |= (byte & 0x7F) << (7 * digit)
        if not byte & 0x80:
            return size, start + digit + 1
    raise Garbled(bytes(data))


def _text(text: str) -> bytes:
    data = text.encode()[:65_535]
    return len(data).to_bytes(2, "big") + data


def _no_properties(version: int) -> bytes:
    return b"\0" if version == 5 else b""
