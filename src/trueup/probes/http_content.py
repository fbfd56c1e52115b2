"""What a response's body says, its content coding taken off, within bounds (RFC 9110, 8.4.1)."""

from typing import Final

from trueup.probes.http_message import Response

CONTENT_BYTES_MAX: Final = 1_048_576
"""More than this isn't unpacked: a few kilobytes can hold gigabytes of nothing."""

_AUTO: Final = 15 | 32
"""zlib's words for its largest window, and gzip or zlib as the first bytes say."""

_RAW: Final = -15


class Unreadable(ValueError):  # noqa: N818 - it is said of a body in a sentence
    """The body can't be unpacked; the message says why."""


def content_of(response: Response) -> tuple[bytes, bool]:
    """The body as it was meant, and whether that is all of it.

    Raises:
        Unreadable: it isn't what its Content-Encoding says, or in a coding that we don't read.
    """
    body, coding = response.body, response.headers.get(b"content-encoding", b"").strip().lower()
    if coding in (b"", b"identity") or not body:
        return body, not response.cut
    if coding in (b"gzip", b"x-gzip"):
        content, whole = _inflate(body, _AUTO)
    elif coding == b"deflate":
        content, whole = _deflate(body)
    else:
        raise Unreadable(
            f"its body is coded as {response.header(b'content-encoding')}, which trueup can't read"
        )
    return content, whole and not response.cut


def _inflate(body: bytes, window_bits: int) -> tuple[bytes, bool]:
    import zlib

    unpacker = zlib.decompressobj(window_bits)
    try:
        content = unpacker.decompress(body, CONTENT_BYTES_MAX)
    except zlib.error as error:
        raise Unreadable(f"its body can't be unpacked ({error})") from None
    return content, unpacker.eof


def _deflate(body: bytes) -> tuple[bytes, bool]:
    """A zlib stream by the RFC; some servers send the bare one (RFC 9110, 8.4.1.2)."""
    try:
        return _inflate(body, _AUTO)
    except Unreadable:
        return _inflate(body, _RAW)
