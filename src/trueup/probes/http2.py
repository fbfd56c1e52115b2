"""HTTP/2, as little of it as one request after another needs (RFC 9113)."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Final

from hpack import Decoder, Encoder, HPACKError

from trueup.conversation import Ask, Frame, Garbled, Receive, Send, Step

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
ACK = END_STREAM = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20
ERRORS: Final = (
    # RFC 9113, 7, by number.
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip
FRAME_BYTES_MAX: Final = 16_384
"""What we allow a frame by saying nothing of it (RFC 9113, 6.5.2)."""

FRAMES_MAX: Final = 500
BODY_BYTES_MAX: Final = 65_536
HEADER_BYTES_MAX: Final = 65_536
_HEAD_BYTES: Final = 9


@dataclass(slots=True)
class Reply:
    """What came of one request. ``headers`` has the trailers too; names in lower case.

    ``reset`` and ``goaway`` are error codes, where the server gave up the stream or the connection before
    the reply was whole. ``debug`` is what it said with GOAWAY.
    """

    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytes = b""
    reset: int | None = None
    goaway: int | None = None
    debug: bytes = b""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame's bytes (RFC 9113, 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def a_frame() -> Frame:
    """Reads one frame."""
    return Frame(_measure, FRAME_BYTES_MAX + _HEAD_BYTES)


def _measure(received: bytearray) -> int | None:
    if len(received) < _HEAD_BYTES:
        return None
    size = int.from_bytes(received[:3], "big")
    if size > FRAME_BYTES_MAX:
        raise Garbled(bytes(received[:512]))
    return _HEAD_BYTES + size if len(received) >= _HEAD_BYTES + size else None


def parse(said: bytes) -> Chunk:
    """A whole frame, its padding taken off.

    Raises:
        Garbled: more padding than payload.
    """
    kind, flags, payload = said[3], said[4], said[_HEAD_BYTES:]
    stream = int.from_bytes(said[5:9], "big") & 0x7FFFFFFF
    if kind in (DATA, HEADERS) and flags & PADDED:
        if not payload or payload[0] >= len(payload):
            raise Garbled(said[:512])
        payload = payload[1 : len(payload) - payload[0]]
    if kind == HEADERS and flags & PRIORITY:
        if len(payload) < 5:
            raise Garbled(said[:512])
        payload = payload[5:]
    return Chunk(kind, flags, stream, payload)


class Session:
    """One connection's requests, one at a time. Our side of it; the server's first frame proves who it is."""

    def __init__(self) -> None:
        self._decoder = Decoder(max_header_list_size=HEADER_BYTES_MAX)
        self._encoder = Encoder()
        self._stream = 1
        self._greeted = False

    def ask(
        self, headers: Iterable[tuple[str, str]], body: bytes, *, secret: bool = False
    ) -> Generator[Step, bytes, Reply]:
        """Send a request and collect its reply.

        Raises:
            Garbled: it doesn't speak HTTP/2.
        """
        opening = b"" if self._greeted else PREFACE + frame(SETTINGS, 0, 0)
        block = self._encoder.encode(list(headers), huffman=False)
        request = frame(HEADERS, END_HEADERS, self._stream, block) + frame(
            DATA, END_STREAM, self._stream, body
        )
        said = yield Ask(opening + request, a_frame(), secret=secret)
        reply = Reply()
        for _ in range(FRAMES_MAX):
            chunk = parse(said)
            if not self._greeted:
                if chunk.kind != SETTINGS or chunk.stream or len(chunk.payload) % 6:
                    raise Garbled(said[:512])  # RFC 9113, 3.4: its preface is a SETTINGS frame
                self._greeted = True
            if (yield from self._take(chunk, reply)):
                self._stream += 2
                return reply
            said = yield Receive(a_frame())
        raise Garbled(said[:512])

    def _take(self, chunk: Chunk, reply: Reply) -> Generator[Step, bytes, bool]:
        """Whether the reply is over with this frame."""
        if chunk.kind == SETTINGS and not chunk.flags & ACK:
            yield Send(frame(SETTINGS, ACK, 0))
        elif chunk.kind == PING and not chunk.flags & ACK:
            yield Send(frame(PING, ACK, 0, chunk.payload[:8]))
        elif chunk.kind == GOAWAY:
            return self._on_goaway(chunk.payload, reply)
        elif chunk.stream == self._stream:
            return (yield from self._on_stream(chunk, reply))
        elif chunk.kind == HEADERS:  # of a stream that we gave up; its table entries count all the same
            yield from self._headers(chunk)
        return False

    def _on_goaway(self, payload: bytes, reply: Reply) -> bool:
        """It takes no more streams; one that it has taken is still answered (RFC 9113, 6.8)."""
        if len(payload) < 8:
            raise Garbled(payload)
        last, code = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF, int.from_bytes(payload[4:8], "big")
        reply.goaway, reply.debug = code, payload[8:200]
        return code != 0 or last < self._stream

    def _on_stream(self, chunk: Chunk, reply: Reply) -> Generator[Step, bytes, bool]:
        if chunk.kind == RST_STREAM:
            reply.reset = int.from_bytes(chunk.payload[:4], "big")
            return True
        if chunk.kind == DATA:
            reply.data += chunk.payload
            if len(reply.data) > BODY_BYTES_MAX:
                raise Garbled(chunk.payload[:512])
        elif chunk.kind == HEADERS:
            reply.headers.update((yield from self._headers(chunk)))
        return chunk.kind in (DATA, HEADERS) and bool(chunk.flags & END_STREAM)

    def _headers(self, chunk: Chunk) -> Generator[Step, bytes, dict[bytes, bytes]]:
        """A header block, with the frames that continue it."""
        block, flags = chunk.payload, chunk.flags
        while not flags & END_HEADERS:
            more = parse((yield Receive(a_frame())))
            block, flags = block + more.payload, more.flags
            if more.kind != CONTINUATION or more.stream != chunk.stream or len(block) > HEADER_BYTES_MAX:
                raise Garbled(more.payload[:512])
        try:
            return {bytes(name): bytes(value) for name, value in self._decoder.decode(block, raw=True)}
        except HPACKError as error:
            raise Garbled(block[:512]) from error
