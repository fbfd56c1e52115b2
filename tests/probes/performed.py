"""Probes performed by the real engine against real servers."""

import asyncio
from typing import Any

from trueup.conversation import Answer
from trueup.domain.address import parse_address
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.faults import Fault
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Farewell
from trueup.probes.registry import SCHEMES, probe_for


def transcript_of(at: str, *, timeout_s: float = 5.0, **options: Any) -> Transcript:
    """One conversation with the service at ``at``; ``options`` are those of its probe."""
    address = parse_address(at, SCHEMES)
    probe = probe_for(address.scheme)
    tls = options.get("tls")
    assert tls is None or isinstance(tls, TlsSettings)

    async def perform() -> Transcript:
        async with Engine() as engine:
            return await engine.perform(
                probe.dial(address, tls),
                probe.conversation(probe.options(address, **options)),
                timeout_s,
                polite=probe.farewell is Farewell.POLITE,
            )

    return asyncio.run(perform())


def look(at: str, *, timeout_s: float = 5.0, **options: Any) -> Answer | Fault:
    """What one conversation came to."""
    transcript = transcript_of(at, timeout_s=timeout_s, **options)
    found = transcript.answer or transcript.fault
    assert found is not None
    return found
