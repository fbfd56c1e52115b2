"""PostgreSQL's messages, protocol 3.0, as far as a login and simple queries need them.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Frame, Garbled, TooLong
from trueup.domain.printable import printable

SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
TERMINATE: Final = b"X\0\0\0\4"
PROTOCOL: Final = 0x0003_0000
REPLY_BYTES_MAX: Final = 262_144
"""All messages of one reply together: a query for a check has a short answer."""

FIRST_BYTES_MAX: Final = 30_000
"""The longest message before the login is done; libpq's own bound (fe-connect.c)."""

FIRST_KINDS: Final = b"RENv"
"""With what a server begins to speak after a startup message: Authentication, ErrorResponse,
NoticeResponse, NegotiateProtocolVersion."""

KINDS: Final = FIRST_KINDS + b"SKZTDCIAGHWcdn123ts"
"""Everything that a backend may send."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its letter and what follows the length."""

    kind: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class ServerError:
    """An ErrorResponse. ``sqlstate`` is its code, ``routine`` where in the source it was raised: these are
    the same in every language, ``message`` isn't.
    """

    severity: str
    sqlstate: str
    message: str
    routine: str

    @property
    def spoken(self) -> str:
        """As a person reads it, made safe to show."""
        return printable(f"{self.severity} {self.sqlstate}: {self.message}", 300)


def startup(user: str, database: str) -> bytes:
    """The message that asks to be let in."""
    parameters = {"user": user, "database": database, "application_name": "trueup", "client_encoding": "UTF8"}
    words = b"".join(name.encode() + b"\0" + word.encode() + b"\0" for name, word in parameters.items())
    return struct.pack("!II", len(words) + 9, PROTOCOL) + words + b"\0"


def message(kind: bytes, body: bytes) -> bytes:
    """One message of the frontend's."""
    return kind + struct.pack("!I", len(body) + 4) + body


def query(statement: str) -> bytes:
    """A simple query."""
    return message(b"Q", statement.encode() + b"\0")


class Through:
    """Reads whole messages, as far as the first whose letter is in ``last``. For one reply: it keeps in mind
    how far it has read, so that a reply of many messages isn't walked from its beginning with each segment.
    """

    __slots__ = ("_kinds", "_last", "_place", "bytes_max")

    def __init__(self, last: bytes, kinds: bytes = KINDS, bytes_max: int = REPLY_BYTES_MAX) -> None:
        self._last, self._kinds = last, kinds
        self._place = 0
        self.bytes_max = bytes_max

    def complete(self, received: bytearray, ended: bool) -> int | None:
        """Raises: Garbled at a message that can't be, TooLong at one that claims too much."""
        place = self._place
        while place < len(received):
            kind = received[place]
            if kind not in self._kinds:
                raise Garbled(bytes(received))
            if len(received) - place < 5:
                break
            size = int.from_bytes(received[place + 1 : place + 5], "big")
            if size < 4:
                raise Garbled(bytes(received))
            if size > self.bytes_max:
                raise TooLong(bytes(received))
            if place + 1 + size > len(received):
                break
            place += 1 + size
            if kind in self._last:
                return place
        self._place = place
        return None


def _first_end(received: bytearray) -> int | None:
    if received[:1] == b"E" and len(received) >= 5 and received[1]:  # a length over 16 MB: no length
        if b"\r" in received:  # a line of somebody else's: the postmaster writes none
            raise Garbled(bytes(received))
        return received.find(b"\n\0") + 2 if b"\n\0" in received else None
    return Through(b"RE", FIRST_KINDS, FIRST_BYTES_MAX).complete(received, ended=False)


def _tls_end(received: bytearray) -> int | None:
    if received.startswith((b"S", b"N")):
        return len(received)
    if received and not received.startswith(b"E"):
        raise Garbled(bytes(received))
    return _first_end(received)


FIRST_MESSAGES: Final = Frame(_first_end, 2 * FIRST_BYTES_MAX)
"""What answers a startup message: a demand, or an error."""

TLS_ANSWER: Final = Frame(_tls_end, 2 * FIRST_BYTES_MAX)
"""What answers an SSLRequest: ``S``, ``N``, or an error. More than the one letter is somebody else's."""


def parse(received: bytes) -> list[Message]:
    """The whole messages in ``received``; what follows the last whole one is left out.

    Raises:
        Garbled: a length that can't be.
    """
    found: list[Message] = []
    place = 0
    while place + 5 <= len(received):
        size = int.from_bytes(received[place + 1 : place + 5], "big")
        if size < 4:
            raise Garbled(received)
        if place + 1 + size > len(received):
            break
        found.append(Message(received[place : place + 1], received[place + 5 : place + 1 + size]))
        place += 1 + size
    return found


def error_in(messages: Iterable[Message]) -> ServerError | None:
    """The first ErrorResponse among them."""
    return next((_error(one.body) for one in messages if one.kind == b"E"), None)


def _error(body: bytes) -> ServerError:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    return ServerError(
        printable(fields.get(b"V") or fields.get(b"S", "ERROR")),
        printable(fields.get(b"C", ""), 5),
        fields.get(b"M", ""),
        fields.get(b"R", ""),
    )


def error_before_protocol(received: bytes) -> str | None:
    """What a postmaster says that can't even fork: ``E``, words and a NUL, as before protocol 3.0.

    (postmaster.c, report_fork_failure_to_client.)
    """
    if received.startswith(b"E") and received.endswith(b"\n\0"):
        return printable(received[1:].rstrip(b"\n\0"))
    return None


def authentication(body: bytes) -> tuple[int, bytes]:
    """The kind of login that an Authentication message asks for, and its data.

    Raises:
        Garbled: too short.
    """
    if len(body) < 4:
        raise Garbled(body)
    return int.from_bytes(body[:4], "big"), body[4:]


def parameters(messages: Iterable[Message]) -> dict[str, str]:
    """What ParameterStatus messages tell: ``server_version``, ``is_superuser``, and more."""
    found: dict[str, str] = {}
    for one in messages:
        if one.kind == b"S":
            name, _, word = one.body.partition(b"\0")
            found[printable(name)] = printable(word.rstrip(b"\0"))
    return found


def rows_of(messages: Iterable[Message]) -> list[list[bytes | None]]:
    """The rows of the last result among ``messages``, each value as text or None.

    Raises:
        Garbled: a row that claims more than it has.
    """
    rows: list[list[bytes | None]] = []
    for one in messages:
        if one.kind == b"T":
            rows = []
        elif one.kind == b"D":
            rows.append(_row(one.body))
    return rows


def _row(body: bytes) -> list[bytes | None]:
    count = int.from_bytes(body[:2], "big")
    values: list[bytes | None] = []
    place = 2
    for _ in range(count):
        size = int.from_bytes(body[place : place + 4], "big", signed=True)
        if len(body) - place < 4 or size < -1 or place + 4 + size > len(body):
            raise Garbled(body)
        values.append(None if size < 0 else body[place + 4 : place + 4 + size])
        place += 4 + max(size, 0)
    return values
