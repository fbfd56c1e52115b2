"""A process of its own that does on loopback what no honest server does. See `hostile_peers.py`.

    echo '[{"does": "floods", "said": ["78"]}, ...]' | python -m tests.probes.hostile_server

reads the doors from the first line of its input, prints their ports, serves until the input ends, and prints
what it heard: a list for each door, of the first bytes of each connection. Bytes are in hexadecimal.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import sys
from typing import Any

HEARD_BYTES_MAX = 65_536
DRIP_S = 0.02
CHUNK_BYTES = 65_536
_RESET = b"\1\0\0\0\0\0\0\0"

Door = dict[str, Any]


class Visit:
    """One connection to a door."""

    def __init__(
        self, door: Door, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._number = number
        self._said = [bytes.fromhex(piece) for piece in door.get("said", [])]
        self._turns = [(bool(asked), bytes.fromhex(piece)) for asked, piece in door.get("turns", [])]
        self._cuts: list[int] = door.get("cuts", [])
        self._ends: str = door.get("ends", "stays")
        self.heard = bytearray()

    async def listen(self) -> bytes:
        data = await self._reader.read(CHUNK_BYTES)
        if len(self.heard) < HEARD_BYTES_MAX:
            self.heard += data
        return data

    async def say(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError
        self._writer.write(data)
        await self._writer.drain()
        await asyncio.sleep(0)  # a lost TLS connection swallows what is written and never waits

    async def end(self) -> None:
        """As the door says: it stays until the client goes, closes, or resets."""
        if self._ends == "stays":
            while await self.listen():
                pass
        elif self._ends == "resets":
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._writer.transport.abort()

    async def says(self) -> None:
        """Each piece at once, whatever the client does."""
        for piece in self._said:
            await self.say(piece)
        await self.end()

    async def floods(self) -> None:
        """The same without an end."""
        hearing = asyncio.ensure_future(self._hear_all())
        block = self._said[0] * max(1, CHUNK_BYTES // len(self._said[0]))
        try:
            while not hearing.done():
                await self.say(block)
        finally:
            hearing.cancel()

    async def drips(self) -> None:
        """A byte now and then, without an end."""
        hearing = asyncio.ensure_future(self._hear_all())
        try:
            while not hearing.done():
                for byte in self._said[0]:
                    await self.say(bytes([byte]))
                    await asyncio.sleep(DRIP_S)
        finally:
            hearing.cancel()

    async def echoes(self) -> None:
        while data := await self.listen():
            await self.say(data)

    async def replies(self) -> None:
        """The same to everything; the first piece unasked, if there are two."""
        if len(self._said) > 1:
            await self.say(self._said[0])
        while await self.listen():
            await self.say(self._said[-1])

    async def replays(self) -> None:
        """A conversation as it was, cut off: each connection at the next place."""
        left = self._cuts[self._number % len(self._cuts)]
        for asked, piece in self._turns:
            if asked:
                await self.listen()
            await self.say(piece[:left])
            left -= len(piece)
            if left <= 0:
                break
        await self.end()

    async def _hear_all(self) -> None:
        with contextlib.suppress(OSError):
            while await self.listen():
                pass


async def open_door(door: Door, visits: list[Visit]) -> tuple[asyncio.Server, int]:
    context = None
    if door.get("certificate"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(door["certificate"], door["key"])

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(door, len(visits), reader, writer)
        visits.append(visit)
        with contextlib.suppress(OSError, ssl.SSLError):
            await getattr(visit, door["does"])()
        with contextlib.suppress(OSError, ssl.SSLError, RuntimeError):
            writer.close()

    server = await asyncio.start_server(welcome, "127.0.0.1", 0, ssl=context, backlog=1024)
    return server, server.sockets[0].getsockname()[1]


class Datagrams(asyncio.DatagramProtocol):
    """A door for datagrams: it sends its pieces for each that comes, or says the same back."""

    def __init__(self, door: Door) -> None:
        self._said = [bytes.fromhex(piece) for piece in door.get("said", [])]
        self._echoes = door["does"] == "echoes"
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        assert self._transport is not None
        # A header whose number is the right one goes further than one that isn't.
        for piece in [data] if self._echoes else self._said:
            self._transport.sendto(piece.replace(b"ID", data[:2]), addr)


async def serve(doors: list[Door]) -> list[list[str]]:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # clients that go away in a handshake
    visits: list[list[Visit]] = [[] for _ in doors]
    ports = []
    for door, visitors in zip(doors, visits, strict=True):
        if door.get("udp"):
            transport, _ = await loop.create_datagram_endpoint(
                lambda door=door: Datagrams(door),  # type: ignore[misc]  # bound now
                ("127.0.0.1", 0),
            )
            ports.append(transport.get_extra_info("sockname")[1])
        else:
            _server, port = await open_door(door, visitors)
            ports.append(port)
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    return [[visit.heard.hex() for visit in visitors] for visitors in visits]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(serve(json.loads(sys.stdin.readline())))), flush=True)
