"""A probe's conversation with a real peer, through the real engine."""

import asyncio
from dataclasses import fields
from typing import Any

from tests.playbook import address
from trueup.conversation import Answer
from trueup.domain.causes import Cause
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.faults import Fault
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Farewell, Probe
from trueup.probes.registry import probe_for


def perform(
    url: str, *, timeout_s: float = 5.0, tls: TlsSettings | None = None, **options: Any
) -> Transcript:
    """One conversation with what is at `url`. `options` are the probe's own.

    Where this machine was too busy to judge, it's had once more.
    """

    async def once() -> Transcript:
        async with Engine() as engine:
            return await begin(engine, url, timeout_s=timeout_s, tls=tls, **options)

    for _ in range(3):
        had = asyncio.run(once())
        if had.fault is None or had.fault.cause is not Cause.MONITOR_STARVED:
            break
    return had


async def begin(
    engine: Engine, url: str, *, timeout_s: float = 5.0, tls: TlsSettings | None = None, **options: Any
) -> Transcript:
    """The same, on an engine that is there already."""
    at = address(url)
    probe = probe_for(at.scheme)
    if tls is not None and "tls" in names_of_options(probe):
        options["tls"] = tls
    return await engine.perform(
        probe.dial(at, tls),
        probe.conversation(probe.options(at, **options)),
        timeout_s,
        polite=probe.farewell is Farewell.POLITE,
    )


def answer(url: str, **options: Any) -> Answer:
    """The answer, which must be there."""
    transcript = perform(url, **options)
    assert transcript.answer is not None, f"no answer: {transcript.fault}"
    return transcript.answer


def look(url: str, **options: Any) -> Answer | Fault:
    """What one conversation came to."""
    transcript = perform(url, **options)
    found = transcript.answer or transcript.fault
    assert found is not None
    return found


def names_of_options(probe: Probe) -> set[str]:
    """The configuration keys that a probe understands."""
    assert isinstance(probe.options, type)
    return {field.name for field in fields(probe.options)}
