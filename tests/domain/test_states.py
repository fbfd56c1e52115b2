import itertools

import pytest

from trueup.domain.states import State, worst


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], State.UNKNOWN),
        ([State.UP], State.UP),
        ([State.UP, State.DEGRADED], State.DEGRADED),
        ([State.DEGRADED, State.UNKNOWN], State.UNKNOWN),
        ([State.UNKNOWN, State.DOWN], State.DOWN),
    ],
)
def test_the_worst_state_decides(states: list[State], expected: State) -> None:
    for order in itertools.permutations(states):
        assert worst(order) is expected


def test_exit_statuses_are_the_contracts() -> None:
    assert [state.exit_status for state in (State.UP, State.DEGRADED, State.DOWN, State.UNKNOWN)] == [
        0,
        1,
        2,
        3,
    ]
