"""A receiver of HTTP that behaves, or misbehaves in a way of its own. It serves on the loop of the test."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.beds.server import LOOPBACK


@dataclass(frozen=True)
class Request:
    line: str
    headers: Mapping[str, str]
    """By name in small letters."""
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


How = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    port: int
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{LOOPBACK}:{self.port}"


@asynccontextmanager
async def receiver(*how: How, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Each request is treated as the next of `how` does, the last for ever."""
    ways = list(how)
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            talks.add(task)
        try:
            request = await _read(reader)
            one.requests.append(request)
            await (ways.pop(0) if len(ways) > 1 else ways[0])(request, writer)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(talk, LOOPBACK, 0, ssl=tls)
    one = Receiver(server.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield one
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)
        await server.wait_closed()
        await asyncio.sleep(0)  # a transport that was aborted closes its socket in the next round


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    parted = (line.partition(": ") for line in head[1:-2])
    headers = {name.lower(): value for name, _, value in parted}
    return Request(head[0], headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def answers(status: int, document: Any = None, **headers: str) -> How:
    """A whole answer; a document that is bytes goes as it is."""

    async def way(_: Request, writer: asyncio.StreamWriter) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        lines = [f"HTTP/1.1 {status} Word", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return way


async def hangs(_: Request, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def resets(_: Request, writer: asyncio.StreamWriter) -> None:
    """After it has read everything."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def closes(_: Request, __: asyncio.StreamWriter) -> None:
    """Kindly, without an answer."""


async def babbles(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


def drips(begin: bytes) -> How:
    """A piece at a time, for ever."""

    async def way(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    return way


async def floods(_: Request, writer: asyncio.StreamWriter) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()
