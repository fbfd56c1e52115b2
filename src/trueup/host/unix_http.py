"""HTTP GET over a unix socket, bounded in time and bytes: RFC 9112. There is no other method here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from trueup.host.unreadable import HostUnreadable, Reason

_HEAD_BYTES_MAX: Final = 16384
_TIMEOUT_S: Final = 3.0
BODY_BYTES_MAX: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    head: Head
    body: bytes


def parse_head(text: bytes) -> Head:
    """Raises:
    HostUnreadable: not the head of an HTTP/1 response.
    """
    first, *lines = text.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal():
        raise HostUnreadable("HTTP", f"unlike a response: {first[:80]!r}", Reason.MALFORMED)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Head(int(status), headers)


async def get(
    socket_path: str,
    target: str,
    *,
    size_bytes_max: int = BODY_BYTES_MAX,
    keep_cut: bool = False,
    timeout_s: float = _TIMEOUT_S,
) -> Response:
    """One request on a connection of its own.

    ``keep_cut``: what goes beyond ``size_bytes_max`` is dropped instead of refused.

    Raises:
        HostUnreadable: nobody listens, we may not, no answer in time, too long, or not HTTP.
    """
    parts: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(timeout_s), _request(socket_path, target) as (head, reader):
            async for part in _body(socket_path, head, reader):
                parts.append(part)
                size_bytes += len(part)
                if size_bytes > size_bytes_max:
                    break
    except TimeoutError as error:
        raise HostUnreadable(socket_path, f"no answer within {timeout_s:g} s", Reason.TIMEOUT) from error
    if size_bytes > size_bytes_max and not keep_cut:
        raise HostUnreadable(socket_path, f"answered more than {size_bytes_max} bytes", Reason.MALFORMED)
    return Response(head, b"".join(parts)[:size_bytes_max])


@contextlib.asynccontextmanager
async def following(
    socket_path: str, target: str, *, line_bytes_max: int = 65536
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The lines of an answer that doesn't end, as they come. They end when the peer ends them.

    Raises:
        HostUnreadable: as ``get``, on entering or between lines.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                head, reader = await stack.enter_async_context(_request(socket_path, target))
        except TimeoutError as error:
            raise HostUnreadable(socket_path, f"no answer within {_TIMEOUT_S:g} s", Reason.TIMEOUT) from error
        if head.status != 200:
            raise HostUnreadable(socket_path, f"answered {head.status} to {target}")
        yield _lines(_body(socket_path, head, reader), socket_path, line_bytes_max)


async def _lines(body: AsyncIterator[bytes], socket_path: str, line_bytes_max: int) -> AsyncIterator[bytes]:
    rest = b""
    async for part in body:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line
        if len(rest) > line_bytes_max:
            raise HostUnreadable(socket_path, "a line without end", Reason.MALFORMED)


@contextlib.asynccontextmanager
async def _request(socket_path: str, target: str) -> AsyncIterator[tuple[Head, asyncio.StreamReader]]:
    writer = None
    try:
        with _named(socket_path):
            reader, writer = await asyncio.open_unix_connection(socket_path, limit=_HEAD_BYTES_MAX)
            writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            head = parse_head(await reader.readuntil(b"\r\n\r\n"))
        yield head, reader
    finally:
        if writer is not None:
            writer.close()


@contextlib.contextmanager
def _named(socket_path: str) -> Iterator[None]:
    """What goes wrong with the socket is told as ours."""
    try:
        yield
    except TimeoutError:
        raise  # an OSError too, but the caller's own
    except OSError as error:
        raise HostUnreadable.of(socket_path, error) from error
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise HostUnreadable(socket_path, f"a broken answer: {error}", Reason.MALFORMED) from error


async def _body(socket_path: str, head: Head, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    with _named(socket_path):
        if head.headers.get("transfer-encoding", "").lower() == "chunked":
            while size_bytes := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                async for part in _exactly(size_bytes, reader):
                    yield part
                await reader.readexactly(2)
        elif "content-length" in head.headers:
            async for part in _exactly(int(head.headers["content-length"]), reader):
                yield part
        else:
            while part := await reader.read(_HEAD_BYTES_MAX):
                yield part


async def _exactly(size_bytes: int, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size_bytes > 0:
        part = await reader.read(min(size_bytes, _HEAD_BYTES_MAX))
        if not part:
            raise asyncio.IncompleteReadError(part, size_bytes)
        size_bytes -= len(part)
        yield part
