"""RESP, the protocol of Redis, as far as replies must be told apart and measured.

https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from collections.abc import Generator
from typing import Final

from trueup.conversation import Ask, Garbled, Step
from trueup.conversation.reads import REPLY_BYTES_MAX

_SIMPLE, _ERROR, _INTEGER, _BULK, _ARRAY = b"+-:$*"
LINE_BYTES_MAX: Final = 4096
BULK_BYTES_MAX: Final = 131_072
ITEMS_MAX: Final = 1024
DEPTH_MAX: Final = 4


class ErrorReply(bytes):
    """An error reply's line without its minus sign, as ``NOAUTH Authentication required.``"""

    __slots__ = ()


Reply = bytes | int | None | list["Reply"]
"""One reply. An ``ErrorReply`` is bytes too."""


def command(*words: bytes) -> bytes:
    """One command as an array of bulk strings."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


class Replies:
    """The read of ``count`` replies, which keeps them: hand it to ``Ask``, then look at ``found``.

    One error that comes instead of all of them ends the connection anyway.
    """

    __slots__ = ("_count", "_place", "found")

    bytes_max: Final = REPLY_BYTES_MAX

    def __init__(self, count: int) -> None:
        self._count = count
        self._place = 0
        self.found: list[Reply] = []

    def complete(self, received: bytearray, ended: bool) -> int | None:
        """Where the last of them ends. What is complete isn't parsed again when more comes."""
        said, found = bytes(received), self.found
        while len(found) < self._count:
            read = _read(said, self._place, 0)
            if read is None:
                return None
            reply, self._place = read
            found.append(reply)
        return self._place


def replies_to(asked: bytes, count: int) -> Generator[Step, bytes, list[Reply]]:
    """Ask, and the ``count`` replies that it takes.

    Raises:
        Garbled: not RESP.
    """
    replies = Replies(count)
    yield Ask(asked, replies)
    return replies.found


def parse(received: bytes) -> list[Reply]:
    """The complete replies in ``received``.

    Raises:
        Garbled: not RESP.
    """
    found: list[Reply] = []
    place = 0
    while place < len(received) and (read := _read(received, place, 0)) is not None:
        reply, place = read
        found.append(reply)
    return found


def _read(said: bytes, place: int, depth: int) -> tuple[Reply, int] | None:
    """The reply that begins at ``place``, and where it ends; None while it's incomplete."""
    end = said.find(b"\r\n", place)
    if end < 0:
        _expect_more(said, place)
        return None
    kind, word, after = said[place], said[place + 1 : end], end + 2
    if kind == _BULK:
        size = _length(word, said, BULK_BYTES_MAX)
        if size < 0:
            return None, after
        last = after + size
        if last + 2 > len(said):
            return None
        if not said.startswith(b"\r\n", last):
            raise Garbled(said)
        return said[after:last], last + 2
    if kind == _SIMPLE:
        return word, after
    if kind == _INTEGER:
        return _number(word, said), after
    if kind == _ARRAY:
        return _read_array(_length(word, said, ITEMS_MAX), said, after, depth)
    if kind == _ERROR:
        return ErrorReply(word), after
    raise Garbled(said)


def _read_array(size: int, said: bytes, place: int, depth: int) -> tuple[list[Reply] | None, int] | None:
    if depth >= DEPTH_MAX:
        raise Garbled(said)
    if size < 0:
        return None, place
    items: list[Reply] = []
    for _ in range(size):
        read = _read(said, place, depth + 1)
        if read is None:
            return None
        item, place = read
        items.append(item)
    return items, place


def _expect_more(said: bytes, place: int) -> None:
    """A line that isn't complete yet must at least begin like one and have an end in sight."""
    if place < len(said) and (said[place] not in b"+-:$*" or len(said) - place > LINE_BYTES_MAX):
        raise Garbled(said)


def _length(digits: bytes, said: bytes, most: int) -> int:
    if digits.isdigit() and len(digits) <= 10 and (length := int(digits)) <= most:
        return length
    if digits == b"-1":
        return -1
    raise Garbled(said)


def _number(digits: bytes, said: bytes) -> int:
    if not digits.removeprefix(b"-").isdigit() or len(digits) > 20:
        raise Garbled(said)
    return int(digits)
