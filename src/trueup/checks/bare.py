"""A bare ``HOST:PORT``: looked at as whatever answers there."""

import asyncio
from dataclasses import dataclass, replace
from math import floor

from trueup.checks.check import PATIENCE, Check
from trueup.checks.follow_up import addresses_besides_the_first, connect, other_addresses
from trueup.checks.identify import (
    bare_address,
    identify,
    identify_behind_tls,
    is_proven,
    know_all,
    probes_for_port,
)
from trueup.conversation import Answer, Dial
from trueup.domain.states import Layer, Outcome
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Farewell, Probe
from trueup.probes.registry import by_scheme


@dataclass(frozen=True, slots=True)
class Bare:
    """``check`` is the check of who was found there, None where nobody was; then the transcript tells.

    The check's deadline is what is left of the bare one's. ``elsewhere``: only another address of the name
    accepts.
    """

    transcript: Transcript
    check: Check | None
    elsewhere: bool = False


async def look_at_bare(engine: Engine, check: Check) -> Bare:
    """Connect, find out who answers, and say with which probe to look; all within the check's deadline."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + check.timeout_s
    address = check.address
    dial = Dial(address.host, address.port or 0)
    transcript, working = await _connect(engine, dial, check.timeout_s)
    elsewhere = working is not None
    if working is not None:
        dial = dial._replace(host=working)
    elif transcript.fault is not None:
        return Bare(transcript, None)
    await know_all()
    for probe in probes_for_port(dial.port):
        if await _answers(engine, probe, dial, (ends_s - loop.time()) * 0.4):
            return Bare(transcript, _as(check, probe.name, ends_s - loop.time()), elsewhere)
    found = await identify(engine, dial, min(check.timeout_s, ends_s - loop.time()) / 2)
    if found is not None:
        return Bare(transcript, _as(check, found.scheme, ends_s - loop.time()), elsewhere)
    if elsewhere:
        return Bare(transcript, _as(check, "tcp", ends_s - loop.time()), elsewhere)
    words = "connected; nobody we know answers"
    transcript.answer = Answer(Outcome.PASS, None, words, {"unidentified": True}, Layer.PORT)
    return Bare(transcript, None)


async def _connect(engine: Engine, dial: Dial, timeout_s: float) -> tuple[Transcript, str | None]:
    """The connection, and another address of the name that accepts where the first doesn't, or not yet."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + timeout_s
    talk = asyncio.ensure_future(engine.perform(dial, connect(), timeout_s))
    try:
        await asyncio.wait([talk], timeout=timeout_s * PATIENCE)
        if not talk.done() or talk.result().fault is not None:
            others = addresses_besides_the_first(engine, dial)
            outcomes = await other_addresses(engine, dial, others, (ends_s - loop.time()) / 2)
            working = next((text for text, outcome in outcomes.items() if outcome == Outcome.PASS), None)
            if working is not None:
                return Transcript(dial), working
        return await talk, None
    finally:
        talk.cancel()


async def look_behind_tls(engine: Engine, check: Check, left_s: float) -> Check | None:
    """The check of who answers inside TLS where ``check``, without it, was hung up on; None where nobody."""
    address = check.address
    found = await identify_behind_tls(engine, Dial(address.host, address.port or 0), left_s / 2)
    return None if found is None else _as(check, found.scheme, left_s / 2)


async def _answers(engine: Engine, probe: Probe, dial: Dial, timeout_s: float) -> bool:
    """Whether the protocol at home on this port is spoken there."""
    tls = all(how.tls for how in probe.schemes.values() if how.port == dial.port)
    if tls or timeout_s <= 0:
        return False  # TLS is found by the ladder, without verifying anything
    options = probe.options(bare_address(dial, probe))
    polite = probe.farewell is Farewell.POLITE
    return is_proven(await engine.perform(dial, probe.conversation(options), timeout_s, polite=polite))


def _as(check: Check, scheme: str, left_s: float) -> Check:
    probe = by_scheme()[scheme]
    address = replace(check.address, scheme=scheme)
    timeout_s = max(0.1, floor(left_s * 10) / 10)  # a deadline is said in words
    return replace(check, address=address, probe=probe, options=probe.options(address), timeout_s=timeout_s)
