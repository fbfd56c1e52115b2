"""What one look makes of a target, by what is known of the others."""

from tests.alerts.made import NOW, FakeClock
from trueup.app.evaluator import Evaluator
from trueup.app.watched import Watched
from trueup.diagnosis.evidence import Evidence
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.domain.tier import Confirm, Tier

AT_ONCE = Tier(confirm=Confirm(1, 0.0))
DB, WEB = Target("db"), Target("web", needs=("db",))


def test_what_was_down_when_it_was_last_seen_is_blamed_until_it_is_seen_again() -> None:
    clock = FakeClock(NOW)
    evaluator = Evaluator(Watched((DB, WEB), {}, {"db": AT_ONCE, "web": AT_ONCE}), clock)
    seen = Observation(Layer.SERVICE, Outcome.FAIL, NOW, Cause.ERROR_ANSWER, "it fails")
    for target in (DB, WEB):
        evaluator.looked(target.name, Evidence(target, (seen,)), NOW)
    evaluator.void_what_is_soft("the machine slept")
    shown = evaluator.looked("web", Evidence(WEB, (seen,)), NOW).verdict
    assert (shown.cause, shown.blame) == (Cause.NEEDS, "db")
    well = Observation(Layer.SERVICE, Outcome.PASS, NOW)
    evaluator.looked("db", Evidence(DB, (well,)), NOW)
    shown = evaluator.looked("web", Evidence(WEB, (seen,)), NOW).verdict
    assert (shown.cause, shown.blame) == (Cause.ERROR_ANSWER, "web")
