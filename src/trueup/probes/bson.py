"""BSON, as far as MongoDB's short commands and replies need it. https://bsonspec.org/spec.html

Dates come as milliseconds, timestamps as whole numbers, identifiers and decimals as their bytes.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from trueup.conversation import Garbled

DEPTH_MAX: Final = 16
_FIXED: Final[dict[int, tuple[str, int]]] = {
    0x01: ("<d", 8),
    0x09: ("<q", 8),
    0x10: ("<i", 4),
    0x11: ("<Q", 8),
    0x12: ("<q", 8),
}
_BARE: Final[dict[int, Any]] = {0x06: None, 0x0A: None, 0x7F: None, 0xFF: None}
"""Undefined, null, and the keys that sort after and before all others: types without a value."""

_RAW: Final = {0x07: 12, 0x13: 16}
_TEXTS: Final = frozenset({0x02, 0x0D, 0x0E})


def encode(document: Mapping[str, Any]) -> bytes:
    """A document of texts, bytes, whole numbers, booleans, None, lists and documents, in their order."""
    body = b"".join(_element(name.encode() + b"\0", value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: bytes, value: Any) -> bytes:
    if value is None:
        return b"\x0a" + name
    if isinstance(value, bool):
        return b"\x08" + name + bytes([value])
    if isinstance(value, int):
        return b"\x10" + name + struct.pack("<i", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return b"\x02" + name + struct.pack("<i", len(text)) + text
    if isinstance(value, bytes):
        return b"\x05" + name + struct.pack("<iB", len(value), 0) + value
    if isinstance(value, list):
        return b"\x04" + name + encode({str(place): item for place, item in enumerate(value)})
    assert isinstance(value, Mapping), f"no BSON for {type(value).__name__}"
    return b"\x03" + name + encode(value)


def decode(data: bytes) -> dict[str, Any]:
    """The document that ``data`` is, from its first byte to its last.

    Raises:
        Garbled: it isn't one, claims more than it has, or is nested too deep.
    """
    reader = _Reader(data)
    document = reader.document(0)
    if reader.place != len(data):
        raise Garbled(data)
    return document


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def document(self, depth: int) -> dict[str, Any]:
        began = self.place
        end = began + self.number("<i", 4) - 1
        if depth > DEPTH_MAX or not self.place <= end < len(self._data):
            raise Garbled(self._data)
        found: dict[str, Any] = {}
        while self.place < end:
            kind = self.take(1)[0]
            name = self.word()
            found[name] = self.value(kind, depth)
        if self.place != end or self.take(1) != b"\0":
            raise Garbled(self._data)
        return found

    def value(self, kind: int, depth: int) -> Any:
        if kind in _FIXED:
            return self.number(*_FIXED[kind])
        if kind in _BARE:
            return _BARE[kind]
        if kind in _RAW:
            return self.take(_RAW[kind])
        if kind in _TEXTS:
            return self.text()
        read = self._readers(depth).get(kind)
        if read is None:
            raise Garbled(self._data)
        return read()

    def _readers(self, depth: int) -> Mapping[int, Callable[[], Any]]:
        return {
            0x03: lambda: self.document(depth + 1),
            0x04: lambda: list(self.document(depth + 1).values()),
            0x05: self.binary,
            0x08: lambda: self.take(1) != b"\0",
            0x0B: lambda: (self.word(), self.word()),
            0x0C: lambda: (self.text(), self.take(12)),
            0x0F: lambda: (self.number("<i", 4), self.text(), self.document(depth + 1)),
        }

    def number(self, form: str, size: int) -> Any:
        return struct.unpack(form, self.take(size))[0]

    def binary(self) -> bytes:
        size = self.number("<i", 4)
        self.take(1)
        return self.take(size)

    def text(self) -> str:
        size = self.number("<i", 4)
        said = self.take(size)
        if not said.endswith(b"\0"):
            raise Garbled(self._data)
        return said[:-1].decode("utf-8", "replace")

    def word(self) -> str:
        end = self._data.find(b"\0", self.place)
        if end < 0:
            raise Garbled(self._data)
        said = self._data[self.place : end]
        self.place = end + 1
        return said.decode("utf-8", "replace")

    def take(self, size: int) -> bytes:
        if size < 0 or self.place + size > len(self._data):
            raise Garbled(self._data)
        said = self._data[self.place : self.place + size]
        self.place += size
        return said
