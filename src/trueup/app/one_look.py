"""One look at each of some targets, all at once: what ``trueup check`` does."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from trueup.app.clock import SystemClock
from trueup.checks.check import Check
from trueup.checks.look import Look, look
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.exposure import as_it_should_be
from trueup.diagnosis.judge import blame, judge
from trueup.domain.location import Location
from trueup.domain.states import Outcome, State, worst
from trueup.domain.target import Target
from trueup.domain.verdict import Verdict
from trueup.engine.engine import Engine

if TYPE_CHECKING:
    from trueup.domain.journey import Journey
    from trueup.journeys.perform import JourneyLook

HERE: Final = Location()
NO_JOURNEYS: "Final[Mapping[str, Journey]]" = {}


@dataclass(frozen=True, slots=True)
class Looked:
    """One target, its verdict, and the looks, or the performance of its steps, that led to it."""

    target: Target
    verdict: Verdict
    looks: tuple[Look, ...]
    journey: "JourneyLook | None" = None


async def look_once(
    checks: Sequence[Check],
    targets: Sequence[Target] | None = None,
    *,
    journeys: "Mapping[str, Journey]" = NO_JOURNEYS,
    ask_host: bool = True,
    location: Location = HERE,
) -> list[Looked]:
    """Look at every check once, perform every journey once, and judge the targets in their order.

    ``targets`` are all of a configuration, in the order in which they're blamed; ``journeys`` are by their
    names. Those without a check or a journey are unknown. ``ask_host``: when one fails, this machine is
    asked why; and of a container that is named, whether it's healthy. ``location`` is where we look from.
    """
    clock = SystemClock()
    async with Engine() as engine:
        judged = targets if targets is not None else _unique(checks)
        performing = asyncio.gather(*(_perform(engine, one, journeys, location) for one in judged))
        looks = await asyncio.gather(*(look(engine, check, clock, vantage=location.name) for check in checks))
        performed = {one.name: done for one, done in zip(judged, await performing, strict=True) if done}
    by_target = _by_target(looks)
    evidence = [_evidence(target, by_target, performed, location) for target in judged]
    asked = [one for one in evidence if one.of(Outcome.FAIL) or one.target.container is not None]
    if asked and ask_host:
        from trueup.app.own_word import own_word

        words = await own_word([(one.target, one.observations) for one in asked])
        evidence = [replace(one, host=words.get(one.target.name)) for one in evidence]
    verdicts = {one.target.name: judge(one) for one in evidence}
    verdicts = blame(judged, verdicts)
    return [
        Looked(
            target,
            verdicts[target.name],
            tuple(by_target.get(target.name, ())),
            performed.get(target.name),
        )
        for target in judged
    ]


async def _perform(
    engine: Engine, target: Target, journeys: "Mapping[str, Journey]", location: Location
) -> "JourneyLook | None":
    """What its steps come to; None of a target that has none."""
    if target.name not in journeys:
        return None
    from trueup.journeys.perform import perform_journey

    return await perform_journey(engine, target, journeys[target.name], SystemClock(), vantage=location.name)


def state_of(looked: Iterable[Looked]) -> State:
    """The worst of all."""
    return worst(one.verdict.state for one in looked)


def _by_target(looks: Iterable[Look]) -> dict[str, list[Look]]:
    found: dict[str, list[Look]] = {}
    for one in looks:
        found.setdefault(one.check.target.name, []).append(one)
    return found


def _unique(checks: Iterable[Check]) -> list[Target]:
    return list({check.target.name: check.target for check in checks}.values())


def _evidence(
    target: Target,
    looks: Mapping[str, list[Look]],
    performed: "Mapping[str, JourneyLook]",
    location: Location,
) -> Evidence:
    if target.name in performed:
        return Evidence(target, performed[target.name].observations)
    seen = tuple(seen for one in looks.get(target.name, ()) for seen in one.observations)
    return Evidence(target, as_it_should_be(target, location, seen))
