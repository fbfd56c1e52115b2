"""The exchanges that are measured: what trueup's own probe sends, and how long the answer is."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.beds.certificates import Authority
from tests.beds.nginx import nginx
from tests.beds.postgres import postgres
from tests.beds.redis import redis
from trueup.domain.address import Address, parse_address
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Probe
from trueup.probes.registry import SCHEMES, probe_for
from trueup.probes.wording import Expect

PING = "PING\\r\\n"


@dataclass(frozen=True, slots=True)
class Exchange:
    """``request`` and ``reply_bytes`` are those of the probe's own conversation, taken from a transcript."""

    name: str
    address: str
    port: int
    count: int
    most: float
    """How many times the C client's CPU it may cost."""
    says: str | None = None
    """What ``tcp`` is configured to send, with its escapes."""
    request: bytes = b""
    reply: bytes = b""
    reply_bytes: int = 0
    ca: str | None = None
    is_like_for_like: bool = True
    """Whether blackbox_exporter asks as much."""
    real_port: int | None = None
    """Where the real server is, for clients that don't speak word for word as we do."""


def exchanges(folder: Path, count: int) -> Iterator[Exchange]:
    """What is asked of servers on loopback, each while it's to be measured.

    ``ping`` is the smallest question to Redis, as one can ask it; ``redis`` is the probe's own, which in
    the same breath asks for role, memory and persistence, and must understand some kilobytes of that.

    Redis and nginx are asked once. What they answered is then said by a farm that never sleeps: to wake a
    sleeping server is paid by whoever sends, by a slow client with each word and by a fast one seldom. There
    is one farm at a time: two would keep both processors of a small machine from what is measured.
    """
    authority = Authority(folder)
    page = "location / { return 200 'ready'; }"
    with ExitStack() as servers:
        cache, web = servers.enter_context(redis()), servers.enter_context(nginx(page))
        secure = servers.enter_context(nginx(page, tls=authority.valid("127.0.0.1")))
        database = servers.enter_context(postgres(max_connections=400))
        with farm(folder) as door:
            yield Exchange("connect", f"tcp://127.0.0.1:{door}", door, count, 1.8)
        for plain in (
            Exchange("ping", f"tcp://127.0.0.1:{cache.port}", cache.port, count, 2.0, PING),
            Exchange("redis", cache.url, cache.port, count, 2.7, is_like_for_like=False),
            Exchange("http", web.url, web.port, count, 2.0),
        ):
            with _from_farm(folder, said_by(plain)) as exchange:
                yield exchange
        yield said_by(Exchange("postgres", database.url, database.port, count // 10, 5.0))
        ca = str(authority.file)
        yield said_by(
            Exchange("https", secure.url, secure.port, count // 10, 2.0, ca=ca, is_like_for_like=False)
        )


@contextmanager
def _from_farm(folder: Path, one: Exchange) -> Iterator[Exchange]:
    with farm(folder, one.reply, len(one.request)) as port:
        scheme = one.address.partition("://")[0]
        yield replace(one, address=f"{scheme}://127.0.0.1:{port}", port=port, real_port=one.port)


@contextmanager
def farm(folder: Path, reply: bytes = b"", request_bytes: int = 0) -> Iterator[int]:
    """Answers each request of that size with ``reply``, at the port it yields; with 0 it only accepts."""
    program = folder / "farm"
    if not program.exists():
        source = Path(__file__).with_name("farm.c")
        subprocess.run(["gcc", "-O2", "-Wall", "-o", program, source], check=True)
    file = folder / f"reply-{request_bytes}"
    file.write_bytes(reply)
    process = subprocess.Popen(
        [program, file, str(request_bytes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.communicate("")


def said_by(exchange: Exchange) -> Exchange:
    """The exchange with the bytes that the probe really sends and gets."""
    transcript = asyncio.run(_perform(exchange))
    assert transcript.answer is not None, f"{exchange.name}: {transcript.fault}"
    request = b"".join(said.data for said in transcript.said if said.who == "us")
    reply = b"".join(said.data for said in transcript.said if said.who == "peer")
    # Numbers in an answer change their length from one to the next.
    return replace(exchange, request=request, reply=reply, reply_bytes=len(reply) - len(reply) // 20)


async def _perform(exchange: Exchange) -> Transcript:
    address = parse_address(exchange.address, SCHEMES)
    probe = probe_for(address.scheme)
    dial = probe.dial(address, TlsSettings(ca=exchange.ca) if exchange.ca else None)
    async with Engine() as engine:
        return await engine.perform(dial, probe.conversation(options_of(probe, address, exchange.says)), 5.0)


def options_of(probe: Probe, address: Address, says: str | None) -> Any:
    """The probe's options: its defaults, or what ``tcp`` is to send and to hear."""
    return (
        probe.options(address, send=says, expect=Expect(starts="+PONG")) if says else probe.options(address)
    )
