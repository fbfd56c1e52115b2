"""Little conversations for the engine's own tests."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

from tests.engine.peers import Peer
from trueup.conversation import (
    Answer,
    Ask,
    Conversation,
    Dial,
    Line,
    Read,
    Receive,
    Transport,
    ready,
)
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript


def connected() -> Conversation:
    """A connection and no more."""
    yield from ()
    return ready("connected")


def hear(read: Read | None = None) -> Conversation:
    """One reply, unasked; the answer's detail is what came."""
    return ready((yield Receive(read or Line())).decode("latin-1"))


def ask(data: bytes, read: Read | None = None) -> Conversation:
    """One question and its reply."""
    return ready((yield Ask(data, read or Line())).decode("latin-1"))


def at(peer: Peer, **more: Any) -> Dial:
    return Dial(peer.host, peer.port, **more)


def at_datagrams(server: socket.socket) -> Dial:
    host, port = server.getsockname()
    return Dial(host, port, Transport.UDP)


def perform(
    dial: Dial,
    conversation: Conversation,
    timeout_s: float = 5.0,
    *,
    polite: bool = False,
    meanwhile: Callable[[], None] | None = None,
) -> Transcript:
    """On an engine of its own. `meanwhile` is called on the loop once the conversation has begun."""

    async def once() -> Transcript:
        async with Engine() as engine:
            future = asyncio.ensure_future(engine.perform(dial, conversation, timeout_s, polite=polite))
            await begun(engine, future)
            if meanwhile is not None:
                meanwhile()
            return await future

    return asyncio.run(once())


async def begun(engine: Engine, future: asyncio.Future[Transcript]) -> None:
    """Wait until the only conversation of an engine has begun, and not a turn of the loop longer."""
    while not engine.in_flight and not future.done():  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], timeout_s: float = 20) -> None:
    """Wait on the loop until it's true. Raises AssertionError when it doesn't become so."""
    for _ in range(int(timeout_s * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {timeout_s:g} s")


def block(seconds: float) -> None:
    """Keep the whole loop waiting, as a bug of ours or a busy machine would."""
    time.sleep(seconds)


def answer_of(transcript: Transcript) -> Answer:
    assert transcript.answer is not None, f"no answer: {transcript.fault}"
    return transcript.answer
