"""Verdicts of made-up evidence: which observation speaks, and who is blamed."""

import re
from datetime import UTC, datetime

import pytest

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.judge import blame, impact, judge
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.domain.target import Target
from trueup.domain.verdict import Verdict
from trueup.probes.registry import SCHEMES

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
REDIS = Target("cache", at=(parse_address("redis://10.0.0.7", SCHEMES),))


def seen(layer: Layer, outcome: Outcome, cause: Cause | None = None, detail: str = "said so") -> Observation:
    return Observation(layer, outcome, NOW, cause, detail)


def verdict_of(*observations: Observation, target: Target = REDIS) -> Verdict:
    return judge(Evidence(target, observations))


PORT_OK = seen(Layer.PORT, Outcome.PASS)


def test_up_says_nothing_of_layer_cause_or_blame() -> None:
    verdict = verdict_of(PORT_OK, seen(Layer.SERVICE, Outcome.PASS, detail="answers PING"))
    assert verdict.state is State.UP
    assert (verdict.layer, verdict.cause, verdict.blame, verdict.next) == (None, None, None, ())
    assert verdict.summary == "Redis at 10.0.0.7:6379 is up: answers PING"


def test_nothing_looked_at_is_unknown() -> None:
    verdict = verdict_of()
    assert (verdict.state, verdict.cause, verdict.blame) == (State.UNKNOWN, None, None)


def test_could_not_look_is_unknown_and_blames_nobody() -> None:
    verdict = verdict_of(seen(Layer.PORT, Outcome.UNKNOWN, Cause.MONITOR_STARVED))
    assert (verdict.state, verdict.cause, verdict.blame) == (State.UNKNOWN, Cause.MONITOR_STARVED, None)


@pytest.mark.parametrize("reverse", [False, True])
def test_down_before_degraded_then_first_layer_then_rank(reverse: bool) -> None:
    observations = [
        seen(Layer.PORT, Outcome.SLOW, Cause.SLOW),
        seen(Layer.FUNCTION, Outcome.FAIL, Cause.WRONG_ANSWER),
        seen(Layer.SERVICE, Outcome.FAIL, Cause.REPLICATION),
        seen(Layer.SERVICE, Outcome.FAIL, Cause.OVERLOADED),
    ]
    verdict = verdict_of(*(reversed(observations) if reverse else observations))
    assert (verdict.state, verdict.layer, verdict.cause) == (State.DOWN, Layer.SERVICE, Cause.OVERLOADED)
    assert verdict.blame == "cache"
    assert len(verdict.observations) == 4


def test_a_failure_outranks_not_having_looked_elsewhere() -> None:
    verdict = verdict_of(
        seen(Layer.PORT, Outcome.UNKNOWN, Cause.MONITOR_STARVED),
        seen(Layer.PORT, Outcome.FAIL, Cause.REFUSED),
    )
    assert verdict.state is State.DOWN


def test_not_having_looked_outranks_slowness() -> None:
    verdict = verdict_of(seen(Layer.PORT, Outcome.SLOW, Cause.SLOW), seen(Layer.SERVICE, Outcome.UNKNOWN))
    assert verdict.state is State.UNKNOWN


def test_degraded_has_layer_cause_and_blame() -> None:
    verdict = verdict_of(PORT_OK, seen(Layer.SERVICE, Outcome.SLOW, Cause.SLOW, "210 ms, over 100 ms"))
    assert (verdict.state, verdict.layer, verdict.cause) == (State.DEGRADED, Layer.SERVICE, Cause.SLOW)
    assert verdict.blame == "cache"
    assert "210 ms" in verdict.summary


@pytest.mark.parametrize(
    "cause", [cause for cause in Cause if Layer.HOST not in cause.layers or len(cause.layers) > 1]
)
def test_every_cause_from_outside_has_a_sentence_with_its_detail(cause: Cause) -> None:
    layer = next(layer for layer in Layer if layer in cause.layers)
    verdict = verdict_of(seen(layer, Outcome.FAIL, cause, "the very words"))
    assert "the very words" in verdict.summary
    assert not re.search(r"{(host|port|place|title|detail)}", verdict.summary + " ".join(verdict.next))


def test_the_protocol_knows_what_to_do_next() -> None:
    verdict = verdict_of(seen(Layer.SERVICE, Outcome.FAIL, Cause.OVERLOADED))
    assert any("redis-cli" in step for step in verdict.next)


def test_a_runbook_is_a_next_step() -> None:
    target = Target("cache", at=REDIS.at, runbook="https://wiki.example/cache")
    verdict = verdict_of(seen(Layer.PORT, Outcome.FAIL, Cause.REFUSED), target=target)
    assert verdict.next[-1] == "Runbook: https://wiki.example/cache"


def test_an_unverified_certificate_is_said_in_every_verdict() -> None:
    unverified = Observation(Layer.TLS, Outcome.PASS, NOW, facts={"verified": False})
    assert "not verified" in verdict_of(PORT_OK, unverified).summary
    assert "not verified" in verdict_of(unverified, seen(Layer.SERVICE, Outcome.FAIL, Cause.CLOSES)).summary


# -- needs ------------------------------------------------------------------------------------------

TARGETS = (
    Target("web", needs=("api",)),
    Target("api", needs=("db", "cache")),
    Target("db", needs=("storage",)),
    Target("cache"),
    Target("storage"),
)


def verdicts(**states: State) -> dict[str, Verdict]:
    return {
        target.name: Verdict(
            target.name,
            state := states.get(target.name, State.UP),
            f"{target.name} {state}",
            Layer.SERVICE if state is State.DOWN else None,
            Cause.SILENT if state is State.DOWN else None,
            target.name if state is State.DOWN else None,
            observations=(seen(Layer.SERVICE, Outcome.FAIL, Cause.SILENT),),
        )
        for target in TARGETS
    }


def test_a_failure_is_blamed_on_its_root_however_far() -> None:
    blamed = blame(TARGETS, verdicts(web=State.DOWN, api=State.DOWN, db=State.DOWN, storage=State.DOWN))
    for name in ("web", "api", "db"):
        assert (blamed[name].cause, blamed[name].blame) == (Cause.NEEDS, "storage")
        assert blamed[name].layer is Layer.SERVICE
    assert (blamed["storage"].cause, blamed["storage"].blame) == (Cause.SILENT, "storage")


def test_a_needed_target_never_breaks_one_that_passes() -> None:
    blamed = blame(TARGETS, verdicts(storage=State.DOWN))
    assert blamed["web"].state is State.UP
    assert blamed["web"].blame is None


def test_far_roots_count_even_where_what_is_between_passes() -> None:
    blamed = blame(TARGETS, verdicts(web=State.DOWN, storage=State.DOWN))
    assert blamed["web"].blame == "storage"


def test_of_several_roots_the_first_in_order_is_blamed_and_the_others_are_facts() -> None:
    blamed = blame(TARGETS, verdicts(web=State.DOWN, cache=State.DOWN, storage=State.DOWN))
    assert blamed["web"].blame == "cache"
    assert blamed["web"].facts["roots"] == ["cache", "storage"]
    assert blamed["web"].observations[0].facts["roots"] == ["cache", "storage"]


def test_a_degraded_or_unknown_need_takes_no_blame() -> None:
    for state in (State.DEGRADED, State.UNKNOWN):
        blamed = blame(TARGETS, verdicts(web=State.DOWN, api=state))
        assert (blamed["web"].cause, blamed["web"].blame) == (Cause.SILENT, "web")


def test_a_cause_of_the_own_host_is_kept() -> None:
    known = verdicts(api=State.DOWN, db=State.DOWN)
    known["api"] = Verdict("api", State.DOWN, "paused", Layer.HOST, Cause.PAUSED, "api")
    assert blame(TARGETS, known)["api"].cause is Cause.PAUSED


def test_impact_is_everything_that_needs_it() -> None:
    assert impact(TARGETS, "storage") == ("web", "api", "db")
    assert impact(TARGETS, "web") == ()


def test_a_circle_ends() -> None:
    circle = (Target("a", needs=("b",)), Target("b", needs=("a",)))
    known = {name: Verdict(name, State.DOWN, "", Layer.PORT, Cause.REFUSED, name) for name in "ab"}
    assert {verdict.cause for verdict in blame(circle, known).values()} == {Cause.REFUSED}
