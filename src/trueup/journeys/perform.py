"""A journey, performed: its steps in order, as far as they lead, and its clean-up whatever happened.

No step starts when the journey's time is over. The clean-up does: each ``always`` step that is left then has
up to ``GRACE_S`` of its own, and all of them together no more than twice that. A journey's time is what its
steps take: what we take ourselves, to start a browser or to wait for our turn, isn't held against it.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.http_settings import HttpSettings
from trueup.domain.journey import JOURNEY_TIMEOUT_S, Journey, Step, filled, references
from trueup.domain.observation import LOCAL, Observation
from trueup.domain.secret import Secret, hide, hide_in
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.journeys.hiding import Hidden, is_secret, secrets_of, secrets_of_step
from trueup.journeys.kinds import performer_of
from trueup.journeys.turns import Turns
from trueup.journeys.walk import StepResult, Walk, unable

GRACE_S: Final = 10.0
LATE_S: Final = 90.0
"""Each kind of step keeps its time by itself; one that is this late is ended: that's a fault of ours."""
GOOD: Final = (Outcome.PASS, Outcome.SLOW)
_TURNS: Final = Turns()
_LOG = logging.getLogger("trueup")


@dataclass(frozen=True, slots=True)
class StepLook:
    """One step as it went: when it began after the journey did, and how long it took, in milliseconds."""

    name: str
    number: int
    kind: str
    outcome: Outcome
    began_ms: float
    took_ms: float
    detail: str
    transcripts: tuple[Transcript, ...] = ()


@dataclass(frozen=True, slots=True)
class JourneyLook:
    """What one performance brought: an observation for each step that was taken, the steps in time, and of
    a browser's step that failed its page as PNG.

    No secret is in any of them, transcripts apart: ``secrets`` are what must be hidden there.
    """

    observations: tuple[Observation, ...]
    steps: tuple[StepLook, ...]
    screenshot: bytes | None = None
    secrets: frozenset[Secret] = frozenset()


async def perform_journey(
    engine: Engine,
    target: Target,
    journey: Journey,
    clock: Clock,
    *,
    vantage: str = LOCAL,
    http: HttpSettings | None = None,
) -> JourneyLook:
    """Perform it once, within the target's timeout and the grace of its clean-up.

    ``http`` holds where the journey has no settings of its own.
    """
    walk = Walk(engine, clock, vantage, journey.http or http, journey.tls)
    await _TURNS.take()
    performance = _Performance(walk, target, journey)
    await performance.run()
    return performance.look()


class _Performance:
    def __init__(self, walk: Walk, target: Target, journey: Journey) -> None:
        self._walk, self._target, self._journey = walk, target, journey
        self._hidden, self._hidden_in_addresses = Hidden(), Hidden()
        self._hidden.add(secrets_of(journey))
        # Of a login in an address, its password is hidden already, and its user may be the same word.
        self._hidden_in_addresses.add(secret for step in journey.steps for secret in step.secrets)
        self._observations: list[Observation] = []
        self._steps: list[StepLook] = []
        self._not_run: list[str] = []
        self._screenshot: bytes | None = None
        self._broken: Outcome | None = None
        """How the first step ended that didn't go well."""
        self._began_s = walk.clock.monotonic_s()
        timeout_s = target.timeout_s if target.timeout_s is not None else JOURNEY_TIMEOUT_S
        self._timeout_s = timeout_s
        self._spent_s = 0.0
        """What the steps have taken."""

    async def run(self) -> None:
        """All steps that are to be taken."""
        for number, step in enumerate(self._journey.steps, 1):
            await _TURNS.take()
            name = name_of(number, step)
            left_s = self._left_s(step)
            if self._broken is not None and not step.always:
                self._not_run.append(name)
            elif self._broken is not None and (lacking := self._lacking(step)) is not None:
                self._not_run.append(f"{name} (nothing has saved {lacking})")
            elif left_s <= 0:
                await self._note(number, step, self._too_late())
            else:
                began_s = self._walk.clock.monotonic_s()
                result = await self._take(step, left_s)
                await self._note(number, step, result, began_s)

    def look(self) -> JourneyLook:
        """What came of it."""
        observations = [self._with_steps(seen) for seen in self._observations]
        if self._broken is None and (slow := self._slow_as_a_whole()) is not None:
            observations.append(slow)
        secrets = frozenset(self._hidden.forms)
        return JourneyLook(tuple(observations), tuple(self._steps), self._screenshot, secrets)

    # -- one step ------------------------------------------------------------------------------

    def _left_s(self, step: Step) -> float:
        """What a step may take: what is left of the journey, or its own time where that's less."""
        left_s = self._timeout_s - self._spent_s
        if step.always:
            left_s = max(left_s, min(GRACE_S, left_s + 2 * GRACE_S))
        return left_s if step.timeout_s is None else min(left_s, step.timeout_s)

    def _lacking(self, step: Step) -> str | None:
        """A saved value that a clean-up names and that never came to be: then there's nothing to clean."""
        saves = {save.name for one in self._journey.steps for save in one.save}
        named = (name for name in _references(step.action) if name in saves)
        return next((name for name in named if name not in self._walk.saved), None)

    async def _take(self, step: Step, left_s: float) -> StepResult:
        """The step's result, whatever happens: an exception of ours says nothing of a target."""
        ready = replace(
            step, action=filled(step.action, self._walk.saved), expect=filled(step.expect, self._walk.saved)
        )
        self._hidden.add(secrets_of_step(ready))
        try:
            async with asyncio.timeout(left_s + LATE_S):
                result = await performer_of(step.kind)(self._walk, ready, left_s)
        except TimeoutError:
            return unable(
                f"trueup didn't come to an end {LATE_S:g} s after the step's time", Cause.MONITOR_STARVED
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            _LOG.warning("a step of %s can't be taken: %s", self._target.name, type(error).__name__)
            return unable(f"trueup failed to take the step: {type(error).__name__}")
        self._walk.saved.update(result.saved)
        saved = {save.name for save in step.save if is_secret(save)} & result.saved.keys()
        self._walk.fresh |= {Secret(result.saved[name]) for name in saved}
        return result

    def _too_late(self) -> StepResult:
        words = f"not begun: the steps before it took {self._spent_s:.1f} s of {self._timeout_s:g} s"
        expected = f"all steps within {self._timeout_s:g} s"
        return StepResult(Outcome.FAIL, words, Cause.SLOW, expected=expected, seen=words)

    async def _note(self, number: int, step: Step, result: StepResult, began_s: float | None = None) -> None:
        now_s = self._walk.clock.monotonic_s()
        began_s = now_s if began_s is None else began_s
        spent_ms = round((now_s - began_s) * 1000, 3)
        self._spent_s += (spent_ms if result.took_ms is None else result.took_ms) / 1000
        for hidden in (self._hidden, self._hidden_in_addresses):
            hidden.add(self._walk.fresh)
        seen = self._observation(number, step, result)
        if seen.outcome not in GOOD and self._broken is None:
            self._broken = seen.outcome
        self._observations.append(seen)
        if result.screenshot is not None and self._screenshot is None:
            self._screenshot = result.screenshot
        began_ms = round((began_s - self._began_s) * 1000, 3)
        self._steps.append(
            StepLook(
                name_of(number, step),
                number,
                step.kind.value,
                seen.outcome,
                began_ms,
                spent_ms,
                seen.detail,
                result.transcripts,
            )
        )

    def _observation(self, number: int, step: Step, result: StepResult) -> Observation:
        secrets = self._hidden.forms
        result = self._held_against_slow(step, self._after_our_own_trouble(result))
        facts: dict[str, Any] = {
            **hide_in(dict(result.facts), secrets),
            "step": name_of(number, step),
            "number": number,
            "kind": step.kind.value,
        }
        if result.address is not None:
            facts["address"] = hide(result.address.text, self._hidden_in_addresses.forms)
        cause = result.cause
        about = hide(result.about, self._hidden_in_addresses.forms)
        detail = hide(result.detail, secrets)
        if about:
            detail = f"{about}: {detail}"
        if result.outcome is Outcome.FAIL:
            facts |= {
                "inner_cause": cause.value if cause is not None else None,
                "inner_layer": result.layer.value,
                "expected": hide_in(result.expected, secrets),
                "seen": hide_in(result.seen, secrets),
            }
            cause = Cause.STEP_FAILED
        if result.outcome is Outcome.PASS:
            detail = f"{name_of(number, step)}: {detail}"
        else:
            called = step.name or step.kind.value
            detail = f"step {number} of {len(self._journey.steps)} ({called}): {detail}"
        return Observation(
            Layer.FUNCTION,
            result.outcome,
            self._walk.clock.now(),
            cause,
            detail,
            result.took_ms,
            facts,
            self._walk.vantage,
        )

    def _after_our_own_trouble(self, result: StepResult) -> StepResult:
        """A clean-up that fails where we ourselves couldn't do what it cleans up proves nothing."""
        if self._broken is Outcome.UNKNOWN and result.outcome is Outcome.FAIL:
            return replace(result, outcome=Outcome.UNKNOWN, cause=None)
        return result

    def _held_against_slow(self, step: Step, result: StepResult) -> StepResult:
        took_ms, slow_s = result.took_ms, step.slow_s
        if (
            result.outcome is not Outcome.PASS
            or slow_s is None
            or took_ms is None
            or took_ms <= slow_s * 1000
        ):
            return result
        words = f"{took_ms:.0f} ms, over {slow_s * 1000:g} ms ({result.detail})"
        return replace(result, outcome=Outcome.SLOW, cause=Cause.SLOW, detail=words)

    # -- all of them ---------------------------------------------------------------------------

    def _with_steps(self, seen: Observation) -> Observation:
        """A step that failed tells what the others took, and which weren't taken."""
        if seen.outcome is not Outcome.FAIL:
            return seen
        took_ms = {step.name: step.took_ms for step in self._steps}
        return replace(seen, facts={**seen.facts, "took_ms": took_ms, "not_run": list(self._not_run)})

    def _slow_as_a_whole(self) -> Observation | None:
        slow_s = self._target.slow_s
        took_ms = [seen.latency_ms for seen in self._observations]
        if slow_s is None or None in took_ms:
            return None
        total_ms = sum(one for one in took_ms if one is not None)
        if total_ms <= slow_s * 1000:
            return None
        words = f"its {len(took_ms)} steps take {total_ms:.0f} ms, over {slow_s * 1000:g} ms"
        now = self._walk.clock.now()
        return Observation(
            Layer.FUNCTION, Outcome.SLOW, now, Cause.SLOW, words, round(total_ms, 3), {}, self._walk.vantage
        )


def name_of(number: int, step: Step) -> str:
    """What a step is called: by its name, else by its number and kind."""
    return step.name or f"{number} {step.kind.value}"


def _references(value: Any) -> Iterator[str]:
    """The names that an action refers to, however deep."""
    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, Secret):
        yield from references(value.reveal())
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _references(inner)
    else:
        for name in getattr(value, "__dataclass_fields__", ()):
            yield from _references(getattr(value, name))
