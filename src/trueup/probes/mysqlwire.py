"""MySQL's packets, protocol 4.1, as far as a login and text queries need them.

https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
https://mariadb.com/kb/en/clientserver-protocol/
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Frame, Garbled, TooLong
from trueup.domain.printable import printable

REPLY_BYTES_MAX: Final = 262_144
"""All packets of one reply together: a query for a check has a short answer."""

PACKET_BYTES_MAX: Final = 65_536
"""A packet before the login is done."""

OK: Final = 0x00
MORE_DATA: Final = 0x01
EOF: Final = 0xFE
ERR: Final = 0xFF
LOCAL_INFILE: Final = 0xFB

COM_QUIT: Final = b"\x01"
COM_QUERY: Final = b"\x03"
COM_PING: Final = b"\x0e"

CLIENT_LONG_PASSWORD: Final = 1
CLIENT_CONNECT_WITH_DB: Final = 1 << 3
CLIENT_PROTOCOL_41: Final = 1 << 9
CLIENT_SSL: Final = 1 << 11
CLIENT_TRANSACTIONS: Final = 1 << 13
CLIENT_SECURE_CONNECTION: Final = 1 << 15
CLIENT_PLUGIN_AUTH: Final = 1 << 19
UTF8MB4: Final = 45
_OURS: Final = (
    CLIENT_LONG_PASSWORD
    | CLIENT_PROTOCOL_41
    | CLIENT_TRANSACTIONS
    | CLIENT_SECURE_CONNECTION
    | CLIENT_PLUGIN_AUTH
)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself: ``nonce`` is what a password is scrambled with."""

    version: str
    capabilities: int
    nonce: bytes
    plugin: str

    @property
    def offers_tls(self) -> bool:
        """Whether the session can be turned to TLS."""
        return bool(self.capabilities & CLIENT_SSL)

    @property
    def is_mariadb(self) -> bool:
        """MariaDB says so in its version; everything else is taken for MySQL."""
        return "MariaDB" in self.version


@dataclass(frozen=True, slots=True)
class ServerError:
    """An ERR packet."""

    code: int
    message: str

    @property
    def spoken(self) -> str:
        """As a person reads it, made safe to show."""
        return printable(f"{self.code}: {self.message}", 300)


def packet(sequence: int, payload: bytes) -> bytes:
    """One packet."""
    return len(payload).to_bytes(3, "little") + bytes([sequence & 0xFF]) + payload


def command(payload: bytes) -> bytes:
    """One packet that begins an exchange."""
    return packet(0, payload)


def tls_request() -> bytes:
    """The payload by which a client asks for TLS: a login's first 32 bytes."""
    return struct.pack("<IIB23x", _OURS | CLIENT_SSL, REPLY_BYTES_MAX, UTF8MB4)


def login(user: str, scrambled: bytes, plugin: str, database: str, *, tls: bool) -> bytes:
    """The payload that asks to be let in (HandshakeResponse41)."""
    flags = _OURS | (CLIENT_CONNECT_WITH_DB if database else 0) | (CLIENT_SSL if tls else 0)
    head = struct.pack("<IIB23x", flags, REPLY_BYTES_MAX, UTF8MB4)
    word = bytes([len(scrambled)]) + scrambled
    where = database.encode() + b"\0" if database else b""
    return head + user.encode() + b"\0" + word + where + plugin.encode() + b"\0"


def _packets(received: bytes | bytearray) -> Iterator[tuple[bytes, int]]:
    """The whole packets' payloads, each with the place where it ends."""
    place = 0
    while place + 4 <= len(received):
        end = place + 4 + int.from_bytes(received[place : place + 3], "little")
        if end > len(received):
            return
        yield bytes(received[place + 4 : end]), end
        place = end


def _first_end(received: bytearray) -> int | None:
    """A greeting begins with the packet's length, the number 0 and the protocol version or an error."""
    size = int.from_bytes(received[:3], "little")
    if len(received) >= 3 and not 1 <= size <= PACKET_BYTES_MAX:
        raise Garbled(bytes(received))
    if bytes(received[3:4]) not in (b"", b"\0") or bytes(received[4:5]) not in (b"", b"\x0a", b"\xff"):
        raise Garbled(bytes(received))
    return 4 + size if 4 <= 4 + size <= len(received) else None


def _packet_end(received: bytearray) -> int | None:
    size = int.from_bytes(received[:3], "little")
    if len(received) >= 3 and not 1 <= size <= PACKET_BYTES_MAX:
        raise Garbled(bytes(received))
    return 4 + size if len(received) >= 4 + size and len(received) >= 4 else None


class ResultRead:
    """Reads what answers a query: OK or an error alone, or columns up to an EOF and rows up to another.

    For one reply: it keeps in mind how far it has read, so that a reply of many rows isn't walked from its
    beginning with each segment.
    """

    __slots__ = ("_ends", "_place")
    bytes_max = REPLY_BYTES_MAX

    def __init__(self) -> None:
        self._place = self._ends = 0

    def complete(self, received: bytearray, ended: bool) -> int | None:
        """Raises: Garbled at a packet that can't be, TooLong at one that claims too much."""
        while len(received) - self._place >= 4:
            began = self._place
            size = int.from_bytes(received[began : began + 3], "little")
            if size > REPLY_BYTES_MAX:
                raise TooLong(bytes(received))
            if began + 4 + size > len(received):
                return None
            self._place = began + 4 + size
            first = received[began + 4] if size else -1
            if first < 0 or (began == 0 and first == LOCAL_INFILE):
                raise Garbled(bytes(received))
            self._ends += first == EOF and size < 9
            if first == ERR or (began == 0 and first == OK) or self._ends == 2:
                return self._place
        return None


GREETING: Final = Frame(_first_end, PACKET_BYTES_MAX + 4)
PACKET: Final = Frame(_packet_end, PACKET_BYTES_MAX + 4)


def is_eof(payload: bytes) -> bool:
    """The end of columns or rows: not a row that begins with the same byte, which is longer."""
    return payload[:1] == b"\xfe" and len(payload) < 9


def payload_of(received: bytes) -> tuple[int, bytes]:
    """Number and payload of a single packet."""
    return received[3], received[4:]


def parse_greeting(payload: bytes) -> Greeting:
    """A HandshakeV10.

    Raises:
        Garbled: it's another or ends early.
    """
    version, nul, rest = payload[1:].partition(b"\0")
    if payload[:1] != b"\x0a" or not nul or len(rest) < 31:
        raise Garbled(payload)
    low, high, size = struct.unpack_from("<H3xHB", rest, 13)
    more = max(13, size - 8)
    plugin = rest[31 + more :].split(b"\0")[0]
    return Greeting(
        printable(version.removeprefix(b"5.5.5-"), 80),  # put before MariaDB's own for old replicas
        low | high << 16,
        rest[4:12] + rest[31 : 31 + more].rstrip(b"\0"),
        printable(plugin, 80),
    )


def parse_error(payload: bytes) -> ServerError:
    """An ERR packet: code, with or without a SQLSTATE, and words.

    Raises:
        Garbled: it's none.
    """
    if payload[:1] != b"\xff" or len(payload) < 3:
        raise Garbled(payload)
    words = payload[9:] if payload[3:4] == b"#" else payload[3:]
    return ServerError(int.from_bytes(payload[1:3], "little"), words.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Result:
    """``columns`` are names; ``rows`` are values as text, NULL as None."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[bytes | None, ...], ...] = ()


def parse_result(received: bytes) -> Result | ServerError:
    """What answers a query.

    Raises:
        Garbled: a length that can't be.
    """
    payloads = [payload for payload, _ in _packets(received)]
    failed = next((payload for payload in payloads if payload[:1] == b"\xff"), None)
    if failed is not None:
        return parse_error(failed)
    if not payloads or payloads[0][:1] == b"\0":
        return Result()
    columns, rows, is_column = [], [], True
    for payload in payloads[1:]:
        if is_eof(payload):
            is_column = False
        elif is_column:
            columns.append(_column(payload))
        else:
            rows.append(tuple(_values(payload)))
    return Result(tuple(columns), tuple(rows))


def _column(payload: bytes) -> str:
    """Its name: the fifth of the texts that a column definition begins with."""
    values = _values(payload)
    for _ in range(4):
        next(values, None)
    return printable(next(values, None) or b"", 80)


def _values(payload: bytes) -> Iterator[bytes | None]:
    """Texts, each behind its length (protocol's length-encoded strings); 0xfb is NULL."""
    place = 0
    while place < len(payload):
        first = payload[place]
        place += 1
        if first == 0xFB:
            yield None
            continue
        size, wide = first, {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
        if wide:
            size = int.from_bytes(payload[place : place + wide], "little")
            place += wide
        if first == 0xFF or place + size > len(payload):
            raise Garbled(payload)
        yield payload[place : place + size]
        place += size
