"""Every ghost that shows from outside is found and named right, and no control is disturbed."""

import pytest

from bench.ghosts.catalogue import CONTROLS, GHOSTS
from bench.ghosts.ghost import Ghost, verdict_on
from trueup.domain.causes import Cause
from trueup.domain.states import State


@pytest.mark.parametrize("ghost", GHOSTS, ids=lambda ghost: ghost.name)
def test_a_ghost_is_found_and_named(ghost: Ghost) -> None:
    with ghost.make() as asked:
        verdict = verdict_on(asked)
    assert verdict.cause is not None, verdict.summary
    assert verdict.cause.value in ghost.causes, verdict.summary
    assert verdict.state is not State.UP
    if verdict.cause not in (Cause.MONITOR_OFFLINE, Cause.MONITOR_STARVED):
        assert verdict.blame == "ghost"


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_control_is_up(control: Ghost) -> None:
    with control.make() as asked:
        verdict = verdict_on(asked)
    assert verdict.state is State.UP, verdict.summary
    assert (verdict.layer, verdict.cause, verdict.blame) == (None, None, None)
