"""BER as LDAP restricts it: definite lengths, tags of one byte (ITU-T X.690, 8.1; RFC 4511, 5.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Garbled

MESSAGE_BYTES_MAX: Final = 262_144
LENGTH_BYTES_MAX: Final = 4
INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET, BOOLEAN = 0x02, 0x04, 0x0A, 0x30, 0x31, 0x01


@dataclass(frozen=True, slots=True)
class Element:
    """A tag and its content, not looked into."""

    tag: int
    content: bytes

    def parts(self) -> Iterator["Element"]:
        """The elements in a constructed one.

        Raises:
            Garbled: its content is no series of elements.
        """
        place = 0
        while place < len(self.content):
            header = _header(self.content, place)
            if header is None or header[1] + header[2] > len(self.content):
                raise Garbled(self.content)
            tag, start, size = header
            yield Element(tag, self.content[start : start + size])
            place = start + size

    def number(self) -> int:
        """The value of an INTEGER or ENUMERATED.

        Raises:
            Garbled: it's neither, or has more than eight bytes.
        """
        if self.tag not in {INTEGER, ENUMERATED} or not 1 <= len(self.content) <= 8:
            raise Garbled(self.content)
        return int.from_bytes(self.content, signed=True)


def measure(received: bytearray) -> int | None:
    """How long the SEQUENCE is with which ``received`` begins, for a ``Frame``.

    Raises:
        Garbled: it begins with none, or claims more than ``MESSAGE_BYTES_MAX``.
    """
    if received and received[0] != SEQUENCE:
        raise Garbled(bytes(received))
    header = _header(received, 0)
    if header is None:
        return None
    _, start, size = header
    if size > MESSAGE_BYTES_MAX:
        raise Garbled(bytes(received))
    return start + size if len(received) >= start + size else None


def read(received: bytes) -> Element:
    """The element that ``received`` is.

    Raises:
        Garbled: it's none, or not exactly one.
    """
    elements = list(Element(SEQUENCE, received).parts())
    if len(elements) != 1:
        raise Garbled(received)
    return elements[0]


def element(tag: int, *contents: bytes) -> bytes:
    """An element around these contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def number(value: int, tag: int = INTEGER) -> bytes:
    """An INTEGER or ENUMERATED that isn't negative."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1))


def octets(value: bytes, tag: int = OCTETS) -> bytes:
    """An OCTET STRING."""
    return element(tag, value)


def _header(received: bytes | bytearray, place: int) -> tuple[int, int, int] | None:
    """Tag, where the content begins, and its size; None while they are incomplete."""
    if len(received) < place + 2:
        return None
    tag, size = received[place], received[place + 1]
    if tag & 0x1F == 0x1F:
        raise Garbled(bytes(received))
    if size < 0x80:
        return tag, place + 2, size
    count = size & 0x7F
    if not 1 <= count <= LENGTH_BYTES_MAX:
        raise Garbled(bytes(received))
    start = place + 2 + count
    if len(received) < start:
        return None
    return tag, start, int.from_bytes(received[place + 2 : start])
