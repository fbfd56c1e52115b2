"""What is the same as before, and what must be looked at closely."""

from dataclasses import replace

import pytest

from trueup.checks.check import Check, check_address
from trueup.checks.same import tells_all, took_ms
from trueup.conversation import Answer, Dial, Transport, degraded, fails, ready
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer
from trueup.domain.target import Login
from trueup.engine.faults import Fault, Stage, stopped_fault
from trueup.engine.transcript import Transcript
from trueup.probes.registry import SCHEMES

DIAL = Dial("127.0.0.1", 6379)


def check(text: str = "redis://127.0.0.1") -> Check:
    return check_address(parse_address(text, SCHEMES))


def said(answer: Answer | None, *marks: tuple[Answer, float], fault: Fault | None = None) -> Transcript:
    return Transcript(
        DIAL,
        answer,
        fault,
        list(marks),
        peer="127.0.0.1",
        resolve_ms=1.0,
        connect_ms=0.5,
        total_ms=3.0,
    )


WELL = said(ready("PONG", role="master"))


def test_the_same_answer_has_nothing_but_new_times() -> None:
    again = replace(said(ready("PONG", role="master")), total_ms=5.0, connect_ms=0.7)
    assert tells_all(check(), WELL)
    assert took_ms(check(), WELL, again) == {Layer.PORT: 0.7, Layer.SERVICE: 4.0}


@pytest.mark.parametrize(
    "other",
    [
        said(ready("PONG", role="replica")),
        said(ready("PING", role="master")),
        said(fails(Cause.STARTING_UP, "PONG", role="master")),
        said(None, fault=stopped_fault(Stage.TALKING)),
        said(ready("PONG", role="master"), (ready("knows us"), 2.0)),
        replace(WELL, peer="127.0.0.2"),
        replace(WELL, redials=1),
        replace(WELL, connect_ms=None),
    ],
)
def test_whatever_differs_is_looked_at_closely(other: Transcript) -> None:
    assert took_ms(check(), WELL, other) is None


def test_marks_are_held_against_their_own_and_timed() -> None:
    mark = ready("logged in", layer=Layer.SERVICE)
    before = said(ready("1 row", layer=Layer.FUNCTION), (mark, 2.0))
    assert took_ms(check(), before, before) == {Layer.PORT: 0.5, Layer.SERVICE: 1.0, Layer.FUNCTION: 2.0}
    other = said(ready("1 row", layer=Layer.FUNCTION), (ready("logged in, late"), 2.0))
    assert took_ms(check(), before, other) is None


def test_one_that_was_slow_is_no_longer_the_same() -> None:
    patient, hasty = check(), check()
    hasty = replace(hasty, target=replace(hasty.target, slow_s=0.0015))
    assert took_ms(patient, WELL, WELL) is not None
    assert took_ms(hasty, WELL, WELL) is None


def test_while_our_own_loop_was_late_nothing_is_said_of_times() -> None:
    hasty = replace(check(), target=replace(check().target, slow_s=0.0015))
    assert took_ms(hasty, WELL, replace(WELL, lag_ms=500.0)) == {}


@pytest.mark.parametrize(
    "other",
    [
        said(degraded(Cause.READ_ONLY, "read-only")),
        said(ready("PONG"), (degraded(Cause.READ_ONLY, "read-only"), 1.0)),
        said(None, fault=stopped_fault(Stage.TALKING)),
        replace(WELL, tls_ms=2.0),
        replace(WELL, redials=1),
        replace(WELL, dial=DIAL._replace(transport=Transport.UDP), connect_ms=None),
    ],
)
def test_what_is_no_measure_for_the_next(other: Transcript) -> None:
    assert not tells_all(check(), other)


def test_a_session_goes_beyond_what_is_said() -> None:
    one = check("ssh://127.0.0.1")
    assert tells_all(one, WELL)
    assert one.probe is not None
    login = Login(Secret("secret"), "ann")
    assert not tells_all(replace(one, options=replace(one.options, login=login)), WELL)
