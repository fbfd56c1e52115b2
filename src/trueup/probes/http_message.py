"""HTTP/1.1 messages: a request as bytes, and a response as the read that completes it (RFC 9112).

httptools (llhttp) does the parsing, strictly first. What it refuses is parsed once more as browsers do,
because a page that people can see isn't down.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from trueup.conversation import Garbled
from trueup.domain.causes import Cause
from trueup.domain.printable import printable

HEAD_BYTES_MAX: Final = 65_536
HEADERS_MAX: Final = 100
BODY_BYTES_MAX: Final = 262_144
"""What is read of a body, as it travels. The rest isn't waited for."""

ENDLESS_TYPES: Final = (b"text/event-stream", b"multipart/x-mixed-replace")
"""Streams that never end: their head is the whole answer."""

_PREFIX: Final = b"HTTP/1."
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_SERVER: Final = re.compile(rb"\n[Ss]erver[ \t]*:[ \t]*([^\r\n]*)")
_SEEN_BYTES: Final = 512
_WITHOUT_BODY: Final = ("HEAD", "CONNECT")
_PATH_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"


class Response:
    """One response, and the read that completes it: hand it to ``Ask``, then look at it.

    ``status`` is 0 until the head is complete. ``body`` is as it travelled, chunks joined, coded perhaps
    (``http_content``). ``cut``: there was more of it than we read. ``keeps``: the connection can be asked
    again. ``broken``: why this is no whole response, and the cause that it means.
    """

    bytes_max: Final = HEAD_BYTES_MAX + BODY_BYTES_MAX + 65_536

    # httptools calls whatever of these isn't None. Headers are read when they are asked for: most never are.
    on_message_begin = on_status = on_header = on_chunk_header = on_chunk_complete = None

    # How every response begins: most end with much of it unchanged.
    status = 0
    cut = keeps = False
    broken: tuple[Cause, str] | None = None
    _head = b""
    _headers: dict[bytes, bytes] | None = None
    _complete = False
    _size_bytes = _fed_bytes = 0

    def __init__(self, method: str = "GET") -> None:
        self._headless = method in _WITHOUT_BODY
        self._pieces: list[bytes] = []
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """What came of the body, chunks joined."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """By their names in lower case; what comes twice is joined with a comma (RFC 9110, 5.3)."""
        if self._headers is None:
            self._headers = {}
            for name, value in self._lines():
                known = self._headers.get(name)
                self._headers[name] = value if known is None else known + b", " + value
        return self._headers

    @property
    def cookies(self) -> list[bytes]:
        """The values of Set-Cookie, which can't be joined."""
        return [value for name, value in self._lines() if name == b"set-cookie"]

    def header(self, name: bytes) -> str:
        """One header's value, made safe to show; empty where there is none."""
        value = self.headers.get(name)
        return printable(value) if value else ""

    @property
    def server(self) -> str:
        """What the server calls itself, made safe to show."""
        found = _SERVER.search(self._head)
        return printable(found[1]) if found else ""

    @property
    def line(self) -> str:
        """The status line for people, as ``HTTP 502 Bad Gateway``."""
        reason = printable(self._head[12 : self._head.find(b"\n")].strip(), 60)
        return f"HTTP {self.status} {reason}" if reason else f"HTTP {self.status}"

    def _lines(self) -> Iterator[tuple[bytes, bytes]]:
        for line in self._head.split(b"\n")[1:]:
            name, colon, value = line.partition(b":")
            if colon:
                yield name.strip().lower(), value.strip()

    @property
    def _length(self) -> int | None:
        length = self.headers.get(b"content-length", b"")
        return int(length) if length.isdigit() and len(length) < 20 else None

    # -- the read ------------------------------------------------------------------------------

    def complete(self, received: bytearray, ended: bool) -> int | None:
        """All that came, once the response is complete or can't become so; what follows a 101 is left.

        Raises:
            Garbled: it isn't HTTP/1.
        """
        size = len(received)
        if not self._fed_bytes and not received.startswith(_PREFIX):
            if _PREFIX.startswith(received) and not ended:
                return None
            if received:
                raise Garbled(bytes(received[:_SEEN_BYTES]))
            return None
        end = self._feed(received) if size > self._fed_bytes else size
        if self.status and not self._head:
            self._read_head(received)
        if self._complete or self.broken is not None:
            self._parser = None  # it holds our methods: a circle that would wait for the collector
            return end
        if not self.status and size > HEAD_BYTES_MAX:
            return self._break(f"its head is longer than {HEAD_BYTES_MAX} bytes", size)
        if ended and self.status:
            return self._at_end(size)
        return None

    def break_off(self, cause: Cause, how: str) -> None:
        """No more will come: ``how`` ends a sentence about what came."""
        self._parser = None
        self.keeps = False
        length = self._length
        got = f"{self._size_bytes} of {length}" if length is not None else f"{self._size_bytes}"
        self.broken = (cause, f"{self.line}, but its body {how} after {got} bytes")

    def _feed(self, received: bytearray) -> int:
        """Parse what is new. Returns where the response ends, if it does."""
        parser, fed, self._fed_bytes = self._parser, self._fed_bytes, len(received)
        assert parser is not None
        try:
            parser.feed_data(bytes(received[fed:]) if fed else received)
        except HttpParserUpgrade as upgrade:
            self._complete = True
            return fed + int(upgrade.args[0])
        except HttpParserError as error:
            if not self._complete and not self.broken:
                return self._on_garbled(received, error)
        return len(received)

    def _read_head(self, received: bytearray) -> None:
        """Keep the final head, and see what it says of an end that the parser doesn't wait for."""
        self._head = _final_head(received)
        if self._head.count(b"\n") > HEADERS_MAX + 1:
            self._break(f"it sends more than {HEADERS_MAX} headers", 0)
        elif not self._complete and self.headers.get(b"content-type", b"").lower().startswith(ENDLESS_TYPES):
            self._complete = self.cut = True
            self.keeps = False

    def _on_garbled(self, received: bytearray, error: HttpParserError) -> int:
        words = str(error).rstrip(".").lower()
        if self.status == 101:  # its Connection header misses; nobody says how it goes on
            self._complete = True
        elif self.status:
            self._read_head(received)
            self.break_off(Cause.ERROR_ANSWER, f"is malformed ({words})")
        else:
            return self._parse_leniently(received, words)
        return len(received)

    def _parse_leniently(self, received: bytearray, words: str) -> int:
        """From the beginning, as a browser would: bare line feeds, stray characters, odd versions."""
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_transfer_encoding=True,
            lenient_version=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        try:
            self._parser.feed_data(bytes(received))
        except HttpParserUpgrade as upgrade:
            self._complete = True
            return int(upgrade.args[0])
        except HttpParserError:
            if not self._complete and not self.status:
                self._break(f"its head can't be understood ({words})", 0)
        return len(received)

    def _at_end(self, size: int) -> int:
        """The peer has closed: the end of a body without a length (RFC 9112, 6.3), else too early."""
        if self._length is not None or b"chunked" in self.headers.get(b"transfer-encoding", b"").lower():
            self.break_off(Cause.ERROR_ANSWER, "ends")
        self._parser = None
        return size

    def _break(self, words: str, size: int) -> int:
        self.broken = (Cause.ERROR_ANSWER, f"it speaks HTTP, but {words}")
        self._parser = None
        return size

    # -- what httptools calls ------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        if self._complete or self._parser is None:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return  # an interim response (RFC 9110, 15.2): the next one counts
        if status < 100:
            self._break("its status is no status", 0)
            return
        self.status = status
        self.keeps = self._parser.should_keep_alive()
        self._complete = self._headless

    def on_body(self, piece: bytes) -> None:
        if self._complete:
            return
        room = BODY_BYTES_MAX - self._size_bytes
        if len(piece) > room:
            piece, self.cut, self._complete, self.keeps = piece[:room], True, True, False
        self._size_bytes += len(piece)
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        if self.status:
            self._complete = True


def _final_head(received: bytearray) -> bytes:
    """The head of the response that counts: the interim ones before it are left out."""
    start = 0
    while True:
        end = _HEAD_END.search(received, start)
        head = bytes(received[start : end.end() if end else len(received)])
        if end is None or head[9:10] != b"1" or head[9:12] == b"101":
            return head
        start = end.end()


def request(
    method: str,
    target: str,
    host: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    keep: bool = False,
) -> bytes:
    """A request's bytes. ``headers`` win over ours. ``keep`` asks for the connection to stay open."""
    keeping = "keep-alive" if keep else "close"
    if not headers and not body:
        return (
            f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: trueup\r\n"
            f"Accept: */*\r\nConnection: {keeping}\r\n\r\n"
        ).encode()
    lines = {"host": ("Host", host), "user-agent": ("User-Agent", "trueup"), "accept": ("Accept", "*/*")}
    lines["connection"] = ("Connection", keeping)
    if body or method in ("POST", "PUT", "PATCH"):
        lines["content-length"] = ("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        lines[name.lower()] = (name, value)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.values())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


def target_of(path: str) -> str:
    """The request target of an address's path: no fragment, nothing that could end the line."""
    path = path.partition("#")[0] or "/"
    if path.isascii() and path.isprintable() and " " not in path:
        return path
    from urllib.parse import quote

    return quote(path, safe=_PATH_SAFE)
