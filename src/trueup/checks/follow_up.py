"""Questions that are asked after a failure only: they cost more, and tell why."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trueup.checks.certificate import facts_of
from trueup.conversation import Conversation, Dial, ready
from trueup.domain.states import Outcome
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript


def connect() -> Conversation:
    """A connection and no more."""
    yield from ()
    return ready("connected")


def addresses_besides_the_first(engine: Engine, dial: Dial) -> list[str]:
    """What else the name resolved to when it was dialled."""
    found = engine.resolver.addresses_of(dial.host, dial.port, lambda _: None)
    return [place.text for place in found[1:]] if isinstance(found, tuple) else []


async def other_addresses(
    engine: Engine, dial: Dial, others: Sequence[str], timeout_s: float
) -> dict[str, str]:
    """Whether ``others``, of the same name, accept a connection: ``pass`` or the cause, of each."""
    looks = (engine.perform(dial._replace(host=text, tls=None), connect(), timeout_s) for text in others)
    found = await asyncio.gather(*looks)
    return {text: _outcome(other) for text, other in zip(others, found, strict=True)}


def _outcome(transcript: Transcript) -> str:
    fault = transcript.fault
    if fault is None:
        return Outcome.PASS.value
    return (fault.cause or fault.outcome).value


async def certificate_facts(engine: Engine, dial: Dial, timeout_s: float) -> dict[str, Any]:
    """The facts of a certificate that wasn't accepted, read by a handshake without verification."""
    settings = replace(dial.tls or TlsSettings(), verify=False)
    transcript = await engine.perform(dial._replace(tls=settings), connect(), timeout_s)
    der = transcript.tls.get("certificate")
    return facts_of(der) if der else {}
