"""A fake mail server, for answers that no real one can be made to give. It serves on the loop of the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.beds.server import LOOPBACK

HEALTHY = {
    "EHLO": "250-fake.example.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go on",
    ".": "250 2.0.0 Ok: queued as FAKE",
    "QUIT": "221 2.0.0 Bye",
    "RSET": "250 2.0.0 Ok",
}


@dataclass
class FakeMail:
    port: int
    lines: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    def said(self, word: str) -> list[str]:
        return [line for line in self.lines if line.startswith(word)]


@asynccontextmanager
async def fake_mail(replies: Mapping[str, str] = {}, greeting: str = "220 fake") -> AsyncIterator[FakeMail]:
    """Replies by the command or its first word; `.` is the end of a mail. "" closes, "…" is silence."""
    says = {**HEALTHY, **replies}
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            talks.add(task)
        try:
            writer.write(f"{greeting}\r\n".encode())
            while said := (await reader.readline()).decode(errors="replace").rstrip("\r\n"):
                word, space, rest = said.partition(" ")
                line = word.upper() + space + rest
                one.lines.append(line)
                reply = says.get(line) or says.get(word.upper(), "502 what?")
                if not await _answer(writer, reply):
                    return
                if reply.startswith("354"):
                    mail = (await reader.readuntil(b"\r\n.\r\n")).decode()
                    one.mails.append(mail)
                    if not await _answer(writer, says["."]):
                        return
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(talk, LOOPBACK, 0)
    one = FakeMail(server.sockets[0].getsockname()[1])
    try:
        yield one
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)
        await server.wait_closed()
        await asyncio.sleep(0)


async def _answer(writer: asyncio.StreamWriter, reply: str) -> bool:
    """Whether it stays."""
    if reply == "…":
        await asyncio.Event().wait()
    if reply:
        with contextlib.suppress(OSError):
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
    return bool(reply) and not reply.startswith("221")
