"""How a conversation says when a reply is complete. Every read is bounded in bytes.

Reads and steps are named tuples: thousands are made each second, and their classes at each start.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

LINE_BYTES_MAX: Final = 4096
REPLY_BYTES_MAX: Final = 262_144


class Read(Protocol):
    """Decides how much of what has come is the reply."""

    @property
    def bytes_max(self) -> int:
        """The read fails with ``TooLong`` when more than this came without completing it."""
        ...

    def complete(self, received: bytearray, ended: bool) -> int | None:
        """How many of the bytes are the reply, or None while it's incomplete.

        ``ended`` says that the peer has closed: a read for which that isn't the end returns None.

        Raises:
            Garbled: when no further byte could make it a valid reply.
        """
        ...


class Line(NamedTuple):
    """One line, its line feed included (the carriage return too, where there is one)."""

    bytes_max: int = LINE_BYTES_MAX

    def complete(self, received: bytearray, ended: bool) -> int | None:
        return received.find(b"\n") + 1 or None


class Exactly(NamedTuple):
    """This many bytes."""

    size_bytes: int

    @property
    def bytes_max(self) -> int:
        return self.size_bytes

    def complete(self, received: bytearray, ended: bool) -> int | None:
        return self.size_bytes if len(received) >= self.size_bytes else None


class Until(NamedTuple):
    """Everything up to and including ``mark``."""

    mark: bytes
    bytes_max: int = REPLY_BYTES_MAX

    def complete(self, received: bytearray, ended: bool) -> int | None:
        place = received.find(self.mark)
        return None if place < 0 else place + len(self.mark)


class Some(NamedTuple):
    """Whatever comes first, up to ``bytes_max`` bytes: at least one."""

    bytes_max: int = LINE_BYTES_MAX

    def complete(self, received: bytearray, ended: bool) -> int | None:
        return min(len(received), self.bytes_max) or None


class ToEnd(NamedTuple):
    """Everything until the peer closes; nothing at all is a valid reply."""

    bytes_max: int = REPLY_BYTES_MAX

    def complete(self, received: bytearray, ended: bool) -> int | None:
        return len(received) if ended else None


class Frame(NamedTuple):
    """As much as ``measure`` says: it gets what has come and returns the reply's length or None.

    ``measure`` must be a pure function and may raise ``Garbled``.
    """

    measure: Callable[[bytearray], int | None]
    bytes_max: int = REPLY_BYTES_MAX

    def complete(self, received: bytearray, ended: bool) -> int | None:
        return self.measure(received)


class Datagram(NamedTuple):
    """One whole datagram, for UDP and ICMP."""

    bytes_max: int = 65_535

    def complete(self, received: bytearray, ended: bool) -> int | None:
        return len(received) or None
