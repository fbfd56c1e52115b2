"""The document, word for word as the contract has it."""

import json
from datetime import UTC, datetime

from trueup.diagnosis.document import document, target_document
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.domain.target import Kind, Target
from trueup.domain.verdict import Verdict
from trueup.probes.registry import SCHEMES

SEEN = Observation(
    Layer.PORT, Outcome.PASS, datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC), None, "connected", 0.2
)
AT = parse_address("redis://u:secret@h/1", SCHEMES)


def test_a_target() -> None:
    target = Target("shop-db", at=(AT,))
    verdict = Verdict(
        "shop-db", State.DOWN, "no room", Layer.SERVICE, Cause.OVERLOADED, "shop-db", ("look",), (SEEN,)
    )
    assert json.loads(json.dumps(target_document(target, verdict))) == {
        "name": "shop-db",
        "kind": "service",
        "at": "redis://u:***@h/1",
        "state": "down",
        "layer": "service",
        "cause": "overloaded",
        "blame": "shop-db",
        "summary": "no room",
        "next": ["look"],
        "observations": [
            {
                "layer": "port",
                "vantage": "local",
                "outcome": "pass",
                "cause": None,
                "detail": "connected",
                "latency_ms": 0.2,
                "observed_at": "2026-11-21T10:00:00.123Z",
                "facts": {},
            }
        ],
    }


def test_up_has_nulls_and_no_next() -> None:
    shown = target_document(Target("a", at=(AT,)), Verdict("a", State.UP, "up"))
    assert (shown["layer"], shown["cause"], shown["blame"], shown["next"]) == (None, None, None, [])


def test_a_journey_has_no_address() -> None:
    assert target_document(Target("j", Kind.JOURNEY), Verdict("j", State.UP, "up"))["at"] is None


def test_the_state_is_that_of_all_targets_also_on_one_page() -> None:
    assert document([], [State.UP, State.DOWN]) == {"schema": 1, "state": "down", "targets": []}
