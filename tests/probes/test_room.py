"""What is nearly full."""

import pytest

from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.probes.room import nearly_full, short_of


@pytest.mark.parametrize(
    ("used", "most", "nearly"),
    [(0, 0, False), (9, 0, False), (89, 100, False), (90, 100, True), (100, 100, True), (2, 3, False)],
)
def test_a_tenth_must_be_left(used: int, most: int, nearly: bool) -> None:
    assert nearly_full(used, most) is nearly


def test_it_is_degraded_and_says_of_what() -> None:
    answer = short_of("connections", 90, 100, {"connections": 90}, limit="max_connections")
    assert answer is not None
    assert (answer.outcome, answer.cause) == (Outcome.SLOW, Cause.OVERLOADED)
    assert answer.detail == "nearly out of connections: 90 of 100 in use (max_connections)"
    assert answer.facts == {"connections": 90}
    assert short_of("connections", 1, 100, {}) is None
