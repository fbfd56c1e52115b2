"""Verdicts: one target by its evidence, then all of a configuration by what they need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding
from trueup.diagnosis.rules import RULES
from trueup.domain.causes import Cause
from trueup.domain.observation import LOCAL, Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.domain.target import Target
from trueup.domain.verdict import Verdict


def judge(evidence: Evidence) -> Verdict:
    """The verdict on one target by itself: the first rule that finds something speaks."""
    finding = next(found for rule in RULES if (found := rule(evidence)) is not None)
    ill = finding.state in (State.DOWN, State.DEGRADED)
    return Verdict(
        target=evidence.target.name,
        state=finding.state,
        summary=finding.summary,
        layer=finding.layer,
        cause=finding.cause,
        blame=evidence.target.name if ill else None,
        next=finding.next,
        observations=(*evidence.observations, *_from_the_host(evidence, finding)),
        facts=finding.facts,
    )


def _from_the_host(evidence: Evidence, finding: Finding) -> tuple[Observation, ...]:
    """What the machine said, as an observation of its own beside those from outside."""
    report = evidence.host
    if report is None or finding.cause is None or not finding.by_host:
        return ()
    return (
        Observation(
            Layer.HOST,
            Outcome.FAIL if finding.state is State.DOWN else Outcome.SLOW,
            report.taken_at,
            finding.cause if Layer.HOST in finding.cause.layers else None,
            finding.summary,
            facts=finding.facts,
            vantage=f"agent:{report.host}" if evidence.target.host else LOCAL,
        ),
    )


def blame(targets: Sequence[Target], verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """The verdicts with the blame where it belongs: a target that fails for want of another says so.

    A target that is down by a cause of its own host keeps it. A root is a needed target that is down
    while nothing that it needs is; of several, the first in the order of ``targets`` is blamed.
    """
    needs = {target.name: target.needs for target in targets}
    down = {name for name, verdict in verdicts.items() if verdict.state is State.DOWN}
    blamed = dict(verdicts)
    for target in targets:
        verdict = verdicts.get(target.name)
        if verdict is None or verdict.state is not State.DOWN or verdict.layer is Layer.HOST:
            continue
        roots = _in_order(targets, _roots(target.name, needs, down))
        if roots:
            blamed[target.name] = _because_of(verdict, roots, verdicts)
    return blamed


def impact(targets: Sequence[Target], name: str) -> tuple[str, ...]:
    """Everything that needs ``name``, however far, in the order of ``targets``."""
    needs = {target.name: target.needs for target in targets}
    return tuple(target.name for target in targets if name in needed(target.name, needs))


def needed(name: str, needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """All that ``name`` needs, however far; not itself."""
    found: set[str] = set()
    ahead = list(needs.get(name, ()))
    while ahead:
        one = ahead.pop()
        if one not in found and one != name:
            found.add(one)
            ahead.extend(needs.get(one, ()))
    return found


def _roots(name: str, needs: Mapping[str, tuple[str, ...]], down: set[str]) -> set[str]:
    return {one for one in needed(name, needs) & down if not needed(one, needs) & down}


def _in_order(targets: Iterable[Target], names: set[str]) -> list[str]:
    return [target.name for target in targets if target.name in names]


def _because_of(verdict: Verdict, roots: list[str], verdicts: Mapping[str, Verdict]) -> Verdict:
    root = verdicts[roots[0]]
    words = f"{verdict.target} fails because {root.target} is down: {root.summary}"
    facts = {**verdict.facts, "roots": roots, "own_cause": verdict.cause.value if verdict.cause else None}
    observations = tuple(
        replace(seen, facts={**seen.facts, "roots": roots})
        if seen.layer is verdict.layer and seen.cause is verdict.cause
        else seen
        for seen in verdict.observations
    )
    return replace(
        verdict,
        cause=Cause.NEEDS,
        blame=roots[0],
        summary=words,
        next=(f"Mend {root.target} first", *root.next),
        observations=observations,
        facts=facts,
    )
