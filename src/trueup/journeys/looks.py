"""What a step has in common with a look at a service: it is one, with its causes and follow-up questions."""

from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Final

from trueup.checks.check import Check
from trueup.checks.look import Look, look
from trueup.checks.observe import LAG_MS_MAX
from trueup.domain.observation import Observation
from trueup.domain.printable import printable
from trueup.domain.states import Outcome
from trueup.engine.transcript import Transcript
from trueup.journeys.walk import SEEN_CHARS_MAX, StepResult, Walk

WORST_FIRST: Final = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.SLOW, Outcome.PASS)


async def look_as_step(walk: Walk, check: Check, expected: str) -> StepResult:
    """Look once, and say of all layers what the worst of them came to.

    ``expected`` is what was hoped for, in words.
    """
    seen = await look(walk.engine, check, walk.clock, vantage=walk.vantage)
    return result_of(seen, expected)


def result_of(seen: Look, expected: str) -> StepResult:
    """The observation that decides, as a step's result."""
    decides = _deciding(seen.observations)
    facts = dict(decides.facts)
    if any(one.facts.get("verified") is False for one in seen.observations):
        facts["verified"] = False
    failed = decides.outcome is Outcome.FAIL
    return StepResult(
        decides.outcome,
        decides.detail,
        decides.cause,
        decides.layer,
        expected=expected if failed else None,
        seen=printable(decides.detail, SEEN_CHARS_MAX) if failed else None,
        took_ms=_took_ms(seen.transcripts),
        facts=facts,
        transcripts=seen.transcripts,
    )


def _deciding(observations: Sequence[Observation]) -> Observation:
    """The first layer of the worst outcome; of what passed, the deepest."""
    for outcome in WORST_FIRST:
        found = [one for one in observations if one.outcome is outcome]
        if found:
            return found[-1] if outcome is Outcome.PASS else found[0]
    raise AssertionError("a look without an observation")


def _took_ms(transcripts: Sequence[Transcript]) -> float | None:
    """Of all its conversations together, as far as our own loop was in time."""
    if any(one.lag_ms > LAG_MS_MAX for one in transcripts):
        return None
    return round(sum(one.exchange_ms for one in transcripts), 3)


def expectation(expect: Any, otherwise: str) -> str:
    """An ``expect`` in words, as it's configured; ``otherwise`` where it has nothing in it."""
    if not is_dataclass(expect):
        return otherwise
    said = []
    for one in fields(expect):
        value = getattr(expect, one.name)
        default = one.default if one.default is not MISSING else ()
        if value not in (None, (), {}, "", default):
            said.append(f"{one.name.removesuffix('_s')}: {_shown(value)}")
    return printable(", ".join(said) or otherwise, SEEN_CHARS_MAX)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_shown(inner)}" for name, inner in value.items())
    if isinstance(value, tuple):
        return " or ".join(map(_shown, value))
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value) if isinstance(value, str) else str(value)
