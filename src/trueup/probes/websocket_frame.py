"""WebSocket frames (RFC 6455, 5.2), as far as a client needs them."""

from dataclasses import dataclass
from typing import Final

from trueup.conversation import Frame, Garbled

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
PAYLOAD_BYTES_MAX: Final = 131_072
_CONTROL_BYTES_MAX: Final = 125
_KNOWN: Final = frozenset({0, TEXT, 2, CLOSE, PING, PONG})


@dataclass(frozen=True, slots=True)
class Message:
    """One frame. ``final``: its message ends with it. ``opcode`` 0 goes on with the one before."""

    opcode: int
    payload: bytes
    final: bool = True


def frame(opcode: int, payload: bytes, mask: bytes) -> bytes:
    """A client's frame, masked as it must be (RFC 6455, 5.3). ``mask`` is 4 unpredictable bytes."""
    size = len(payload)
    if size <= _CONTROL_BYTES_MAX:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 0x10000:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def a_frame() -> Frame:
    """Reads one frame of a server."""
    return Frame(_measure, PAYLOAD_BYTES_MAX + 10)


def _measure(received: bytearray) -> int | None:
    layout = _layout(received)
    if layout is None:
        return None
    start, size = layout
    return start + size if len(received) >= start + size else None


def _layout(received: bytearray | bytes) -> tuple[int, int] | None:
    """Where the payload begins and how long it is; None while the head is incomplete."""
    if len(received) < 2:
        if received and (received[0] & 0x70 or received[0] & 0x0F not in _KNOWN):
            raise Garbled(bytes(received))
        return None
    first, size = received[0], received[1]
    # Reserved bits belong to extensions, none of which we ask for; a server doesn't mask (5.1, 5.2).
    if first & 0x70 or first & 0x0F not in _KNOWN or size & 0x80:
        raise Garbled(bytes(received[:64]))
    start = 2 + {126: 2, 127: 8}.get(size, 0)
    if len(received) < start:
        return None
    if size > _CONTROL_BYTES_MAX:
        if first & 0x08:
            raise Garbled(bytes(received[:64]))
        size = int.from_bytes(received[2:start], "big")
    if size > PAYLOAD_BYTES_MAX or (first & 0x08 and not first & 0x80):
        raise Garbled(bytes(received[:64]))
    return start, size


def parse(received: bytes) -> Message:
    """A whole frame.

    Raises:
        Garbled: it is none.
    """
    layout = _layout(received)
    if layout is None:
        raise Garbled(received)
    return Message(received[0] & 0x0F, received[layout[0] :], bool(received[0] & 0x80))
