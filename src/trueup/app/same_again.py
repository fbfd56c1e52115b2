"""A target that answers just as it did has the same verdict again, which costs less than making it anew."""

from dataclasses import replace

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.judge import judge
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome, State
from trueup.domain.verdict import Verdict


def judged(last: Verdict | None, evidence: Evidence) -> Verdict:
    """The verdict on ``evidence``; ``last`` is the one before it, if any."""
    if last is None or last.state is not State.UP or evidence.host is not None:
        return judge(evidence)
    before, now = last.observations, evidence.observations
    if len(before) != len(now) or not all(map(_is_as_good, before, now)):
        return judge(evidence)
    return replace(last, observations=now)


def _is_as_good(before: Observation, now: Observation) -> bool:
    return (
        now.outcome is Outcome.PASS
        and before.outcome is Outcome.PASS
        and now.layer is before.layer
        and now.detail == before.detail
        and now.facts == before.facts
    )
