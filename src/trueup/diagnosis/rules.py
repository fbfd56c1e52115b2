"""The rules that make a verdict of evidence, in order: the first that finds something speaks."""

from dataclasses import replace
from typing import Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding, Rule
from trueup.diagnosis.words import is_of_a_job, journey_sentence, next_steps, sentence, up_sentence
from trueup.domain.observation import Observation
from trueup.domain.states import LAYERS_OUTSIDE_IN, STATE_OF_OUTCOME, Layer, Outcome, State
from trueup.domain.target import Kind


def explained_by_the_host(evidence: Evidence) -> Finding | None:
    """A question from outside failed, and the machine itself says why."""
    failed = evidence.first_broken(Outcome.FAIL)
    if failed is None or evidence.host is None:
        return None
    from trueup.diagnosis.host_rules import why_it_failed

    found = why_it_failed(evidence, failed, evidence.host)
    return None if found is None else replace(found, summary=found.summary + _caveat(evidence))


def broken_layer(evidence: Evidence) -> Finding | None:
    """A question from outside failed: the first layer that fails is the one to mend."""
    found = _by(evidence, evidence.first_broken(Outcome.FAIL))
    if found is None or evidence.host is None:
        return found
    from trueup.diagnosis.host_rules import with_what_changes

    return with_what_changes(found, evidence, evidence.host)


def could_not_look(evidence: Evidence) -> Finding | None:
    """A question could not be asked, for reasons of our own: nobody knows, and nobody is blamed."""
    return _by(evidence, evidence.first_broken(Outcome.UNKNOWN))


def weakened(evidence: Evidence) -> Finding | None:
    """Everything works, but slowly, or not for long, or short of something that it will need."""
    return _by(evidence, evidence.first_broken(Outcome.SLOW))


def unwell_inside(evidence: Evidence) -> Finding | None:
    """Everything works as seen from outside, and the machine says otherwise: the container's own health check
    fails, or another than the process or unit that is named answers.
    """
    passed = _deepest(evidence)
    if passed is None or evidence.host is None:
        return None
    from trueup.diagnosis.host_rules import why_it_is_unwell

    return why_it_is_unwell(evidence, passed, evidence.host)


def all_passed(evidence: Evidence) -> Finding | None:
    """Every question that was asked was answered as it should be."""
    deepest = _deepest(evidence)
    if deepest is None:
        return None
    passed = tuple(evidence.of(Outcome.PASS))
    if evidence.target.kind is Kind.JOURNEY:
        steps = [seen for seen in passed if not is_of_a_job(seen)]
        words = journey_sentence(evidence.target, steps)
    else:
        words = up_sentence(evidence.target, deepest)
    return Finding(State.UP, words + _caveat(evidence), supports=passed)


def _deepest(evidence: Evidence) -> Observation | None:
    passed = [seen for seen in evidence.of(Outcome.PASS) if seen.layer is not Layer.HOST]
    asked = [seen for seen in passed if not is_of_a_job(seen)]
    return max(asked or passed, key=lambda seen: LAYERS_OUTSIDE_IN.index(seen.layer), default=None)


def never_looked(evidence: Evidence) -> Finding | None:
    """Nothing was seen: what wasn't looked at isn't green."""
    target = evidence.target
    if not target.enabled:
        return Finding(State.UNKNOWN, f"{target.name} isn't looked at: it is configured with enabled: false")
    words = _NOT_LOOKED_AT.get(target.kind, "nobody has looked at it yet")
    return Finding(State.UNKNOWN, f"Nobody knows about {target.name}: {words}")


_NOT_LOOKED_AT: Final = {
    Kind.HEARTBEAT: "a heartbeat reports by itself, to a running monitor",
}


RULES: Final[tuple[Rule, ...]] = (
    explained_by_the_host,
    broken_layer,
    could_not_look,
    weakened,
    unwell_inside,
    all_passed,
    never_looked,
)


def _by(evidence: Evidence, seen: Observation | None) -> Finding | None:
    if seen is None:
        return None
    target = evidence.target
    return Finding(
        STATE_OF_OUTCOME[seen.outcome],
        sentence(target, seen) + _caveat(evidence),
        seen.layer,
        seen.cause,
        next_steps(target, seen),
        (seen,),
    )


def _caveat(evidence: Evidence) -> str:
    unverified = any(
        seen.layer in (Layer.TLS, Layer.FUNCTION) and seen.facts.get("verified") is False
        for seen in evidence.observations
    )
    return " (the certificate was not verified, as configured)" if unverified else ""
