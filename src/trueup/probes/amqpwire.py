"""AMQP 0-9-1's frames and methods, as far as a probe needs them.

https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf (sections 2.3 and 4.2) and its RabbitMQ extensions
(confirm.select, connection.blocked). Table values are of 4.2.5.5 with RabbitMQ's types.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import Frame, Garbled

HEADER: Final = b"AMQP\x00\x00\x09\x01"
METHOD: Final = 1
CONTENT_HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8
FRAME_END: Final = 0xCE
FRAME_BYTES_MAX: Final = 131_072
"""What a peer may say in one frame before we agree on less, and what we agree to."""

DEPTH_MAX: Final = 8
_HEAD: Final = struct.Struct("!BHI")

Method = tuple[int, int]
"""Class and method."""

START: Final = (10, 10)
START_OK: Final = (10, 11)
SECURE: Final = (10, 20)
TUNE: Final = (10, 30)
TUNE_OK: Final = (10, 31)
OPEN: Final = (10, 40)
OPEN_OK: Final = (10, 41)
CLOSE: Final = (10, 50)
CLOSE_OK: Final = (10, 51)
BLOCKED: Final = (10, 60)
UNBLOCKED: Final = (10, 61)
CHANNEL_OPEN: Final = (20, 10)
CHANNEL_OPEN_OK: Final = (20, 11)
CHANNEL_CLOSE: Final = (20, 40)
DECLARE: Final = (50, 10)
DECLARE_OK: Final = (50, 11)
CONSUME: Final = (60, 20)
CONSUME_OK: Final = (60, 21)
PUBLISH: Final = (60, 40)
RETURN: Final = (60, 50)
DELIVER: Final = (60, 60)
ACK: Final = (60, 80)
NACK: Final = (60, 120)
CONFIRM_SELECT: Final = (85, 10)
CONFIRM_SELECT_OK: Final = (85, 11)


@dataclass(frozen=True, slots=True)
class Said:
    """One frame. ``method`` is set for a method frame; ``rest`` are its arguments, else the payload."""

    kind: int
    channel: int
    method: Method | None
    rest: bytes


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """A frame with its end."""
    return _HEAD.pack(kind, channel, len(payload)) + payload + bytes([FRAME_END])


def method(which: Method, arguments: bytes = b"", channel: int = 0) -> bytes:
    """A method frame."""
    return frame(METHOD, channel, struct.pack("!HH", *which) + arguments)


def content(body: bytes, channel: int) -> bytes:
    """The content of a ``basic.publish``: a header without properties, and one body frame."""
    return frame(CONTENT_HEADER, channel, struct.pack("!HHQH", 60, 0, len(body), 0)) + frame(
        BODY, channel, body
    )


def short_text(text: str | bytes) -> bytes:
    """A short string: at most 255 bytes."""
    data = (text.encode() if isinstance(text, str) else text)[:255]
    return bytes([len(data)]) + data


def long_text(text: bytes) -> bytes:
    """A long string."""
    return len(text).to_bytes(4, "big") + text


def table(items: dict[str, Any]) -> bytes:
    """A field table of texts, booleans and tables."""
    data = b"".join(short_text(name) + _value(value) for name, value in items.items())
    return long_text(data)


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"t" + bytes([value])
    if isinstance(value, dict):
        return b"F" + table(value)
    return b"S" + long_text(str(value).encode())


def _measure(received: bytearray) -> int | None:
    if received and received[0] not in (METHOD, CONTENT_HEADER, BODY, HEARTBEAT):
        raise Garbled(bytes(received))
    if len(received) < _HEAD.size:
        return None
    size = _HEAD.unpack_from(received)[2]
    if size > FRAME_BYTES_MAX:
        raise Garbled(bytes(received))
    end: int = _HEAD.size + size
    if len(received) <= end:
        return None
    if received[end] != FRAME_END:
        raise Garbled(bytes(received))
    return end + 1


FRAME: Final = Frame(_measure, FRAME_BYTES_MAX + 8)
"""Reads one frame."""


def _measure_greeting(received: bytearray) -> int | None:
    start = bytes(received[:4])
    if start and start == HEADER[: len(start)]:
        return len(HEADER) if len(received) >= len(HEADER) else None
    return _measure(received)


GREETING: Final = Frame(_measure_greeting, FRAME_BYTES_MAX + 8)
"""Reads one frame, or the header that a server sends which speaks another version (4.2.2)."""


def parse(said: bytes) -> Said:
    """One whole frame. Raises: Garbled."""
    if _measure(bytearray(said)) != len(said):
        raise Garbled(said)
    kind, channel, _ = _HEAD.unpack_from(said)
    payload = said[_HEAD.size : -1]
    if kind != METHOD:
        return Said(kind, channel, None, payload)
    if len(payload) < 4:
        raise Garbled(said)
    return Said(kind, channel, struct.unpack_from("!HH", payload), payload[4:])


class Arguments:
    """Reads a method's arguments one after another. Every method raises ``Garbled`` past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def at_end(self) -> bool:
        """Whether all has been read."""
        return self._place >= len(self._data)

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        taken = self._data[self._place : self._place + size]
        if len(taken) != size:
            raise Garbled(self._data)
        self._place += size
        return taken

    def number(self, size: int) -> int:
        """An unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def short_text(self) -> bytes:
        """A short string."""
        return self.take(self.number(1))

    def long_text(self) -> bytes:
        """A long string."""
        return self.take(self.number(4))

    def table(self, depth: int = 0) -> dict[str, Any]:
        """A field table. Values that say nothing to us are None."""
        if depth > DEPTH_MAX:
            raise Garbled(self._data)
        inner, items = Arguments(self.long_text()), dict[str, Any]()
        while not inner.at_end:
            name = inner.short_text().decode("utf-8", "replace")
            items[name] = inner.value(depth)
        return items

    def value(self, depth: int) -> Any:
        """A typed value."""
        kind = self.take(1)
        if kind == b"S":
            return self.long_text()
        if kind == b"t":
            return self.number(1) != 0
        if kind == b"F":
            return self.table(depth + 1)
        if kind == b"A":
            return self._array(depth + 1)
        if kind == b"x":
            self.long_text()
        elif kind in _SIZES:
            self.take(_SIZES[kind])
        else:
            raise Garbled(self._data)
        return None

    def _array(self, depth: int) -> list[Any]:
        if depth > DEPTH_MAX:
            raise Garbled(self._data)
        inner, items = Arguments(self.long_text()), list[Any]()
        while not inner.at_end:
            items.append(inner.value(depth))
        return items


_SIZES: Final = {
    b"b": 1, b"B": 1, b"s": 2, b"u": 2, b"U": 2, b"I": 4, b"i": 4, b"l": 8, b"L": 8, b"f": 4, b"d": 8,
    b"D": 5, b"T": 8, b"V": 0,
}  # fmt: skip
