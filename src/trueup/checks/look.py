"""One look: perform the check's conversation, and when it fails ask what a person would ask next."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from trueup.checks.beyond import go_beyond
from trueup.checks.check import Check
from trueup.checks.observe import observe
from trueup.checks.patience import Patience
from trueup.checks.perform import perform
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.observation import LOCAL, Observation
from trueup.domain.states import Outcome
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript

GOOD: Final = (Outcome.PASS, Outcome.SLOW)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought: observations from the outside in, and what was said."""

    check: Check
    observations: tuple[Observation, ...]
    transcripts: tuple[Transcript, ...]


async def look(
    engine: Engine, check: Check, clock: Clock, *, vantage: str = LOCAL, follow_up: bool = True
) -> Look:
    """Look at ``check`` once, within its deadline. ``follow_up`` False keeps to the one conversation."""
    if check.probe is None:
        return await _look_at_bare(engine, check, clock, vantage)
    if follow_up:
        return await _look_and_ask(engine, check, clock, vantage)
    ends_s = asyncio.get_running_loop().time() + check.timeout_s
    transcript = await perform(engine, check, check.timeout_s)
    seen = observe(check, transcript, clock.now(), vantage)
    seen = await go_beyond(check, seen, clock, vantage, ends_s)
    return Look(check, tuple(seen), (transcript,))


async def _look_at_bare(engine: Engine, check: Check, clock: Clock, vantage: str) -> Look:
    from trueup.checks.bare import look_at_bare, look_behind_tls

    loop = asyncio.get_running_loop()
    ends_s = loop.time() + check.timeout_s
    bare = await look_at_bare(engine, check)
    if bare.check is None:
        from trueup.checks.questions import unless_offline

        seen = unless_offline(observe(check, bare.transcript, clock.now(), vantage), bare.transcript.peer)
        return Look(check, tuple(seen), (bare.transcript,))
    identified = await look(engine, bare.check, clock, vantage=vantage, follow_up=bare.elsewhere)
    if any(seen.cause is Cause.CLOSES for seen in identified.observations):
        # MongoDB and others give themselves away in plain words, and talk in TLS only.
        inside = await look_behind_tls(engine, bare.check, ends_s - loop.time())
        if inside is not None:
            identified = await look(engine, inside, clock, vantage=vantage, follow_up=False)
    speaks = {"speaks": identified.check.address.scheme}
    told = (replace(seen, facts={**seen.facts, **speaks}) for seen in identified.observations)
    return Look(check, tuple(told), (bare.transcript, *identified.transcripts))


async def _look_and_ask(engine: Engine, check: Check, clock: Clock, vantage: str) -> Look:
    patience = Patience(engine, check)
    patience.keep_time()
    try:
        transcript = await perform(engine, check, check.timeout_s)
        return await look_on(engine, check, clock, transcript, patience, vantage=vantage)
    finally:
        patience.end()


async def look_on(
    engine: Engine,
    check: Check,
    clock: Clock,
    transcript: Transcript,
    patience: Patience,
    *,
    vantage: str = LOCAL,
) -> Look:
    """What a conversation that has just ended brought, and when it failed what is asked next.

    The caller ends ``patience``.
    """
    patience.heard()
    seen = observe(check, transcript, clock.now(), vantage)
    seen = await go_beyond(check, seen, clock, vantage, patience.ends_s)
    if any(one.outcome not in GOOD for one in seen):
        # Questions come after a failure only, and so does the code that asks them.
        from trueup.checks.questions import ask_on

        known, left_s = patience.asking, patience.left_s()
        seen = await ask_on(engine, check, transcript, seen, asking=known, left_s=left_s)
    return Look(check, tuple(seen), (transcript,))
