"""A queue that outlives its process, and what crashes and failures can do to it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.made import LATER, NOW, REFUSED, SENT, FakeClock, ids, row
from tests.alerts.test_lane import lane, next_of
from trueup.alerts.lane import (
    AGAIN_AFTER_S,
    ASKED_S_MAX,
    GIVEN_UP_AFTER_S,
)
from trueup.alerts.sender import Outcome, Taken
from trueup.domain.alert import Delivery, Notification


def test_after_a_restart_pause_and_age_go_on() -> None:
    clock = FakeClock(NOW)
    queue = lane(clock)
    old = row(attempts=3, due_at=NOW + timedelta(seconds=40), at=NOW - timedelta(hours=12))
    queue.put([old])
    assert queue.wakes_s() == pytest.approx(clock.passed_s + 40)
    begun_s = clock.passed_s
    while len(queue):
        queue.settle(next_of(queue, clock), LATER)
    assert clock.passed_s - begun_s == pytest.approx(GIVEN_UP_AFTER_S / 2, abs=1000)


@pytest.mark.parametrize("is_exact", [True, False])
def test_a_channel_that_takes_something_is_told_at_once_what_an_earlier_run_left(is_exact: bool) -> None:
    clock = FakeClock(NOW)
    queue = lane(clock, is_exact=is_exact)
    paused = NOW + timedelta(minutes=15)
    queue.put([row(attempts=5, due_at=paused), row("closed", due_at=NOW), row(incident=18)])
    queue.settle(next_of(queue, clock), LATER)
    queue.settle(next_of(queue, clock), SENT)
    told = []
    while clock.now() < paused and (left := queue.take()) is not None:
        queue.settle(left, SENT)
        told += ids(left.rows)
    assert told == ["17-opened", "17-closed"]


def test_what_was_refused_by_itself_since_waits_on_when_another_is_taken() -> None:
    clock = FakeClock(NOW)
    queue = lane(clock)
    queue.put([row(attempts=5, due_at=NOW)])
    queue.settle(next_of(queue, clock), REFUSED)
    queue.put([row(incident=18)])
    queue.settle(next_of(queue, clock), SENT)
    assert queue.take() is None


def test_however_old_what_a_new_process_takes_over_is_tried_for_hours() -> None:
    clock = FakeClock(NOW)
    queue = lane(clock)
    queue.put([row(attempts=3, at=NOW - timedelta(days=30), due_at=NOW + timedelta(days=3))])
    begun_s = clock.passed_s
    queue.settle(next_of(queue, clock), LATER)
    assert clock.passed_s - begun_s <= ASKED_S_MAX  # its pause was set by a clock that's wrong now
    assert len(queue) == 1


def test_whoever_may_have_had_it_is_told_that_it_is_a_repeat() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    (waiting,) = queue.settle(next_of(queue, clock), replace(LATER, is_uncertain=True))
    assert waiting.is_repeat
    (waiting,) = queue.settle(next_of(queue, clock), LATER)
    assert waiting.is_repeat
    assert next_of(queue, clock).is_repeat


def test_the_rest_knows_what_was_under_way() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row(), row(incident=18)])
    next_of(queue, clock)
    assert [(one.alert.id, one.is_repeat) for one in queue.rest()] == [
        ("17-opened", True),
        ("18-opened", False),
    ]
    assert len(queue) == 0


def test_attempts_that_fail_together_are_one_failure() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put(row(incident=number) for number in range(4))
    under_way = [next_of(queue, clock) for _ in range(4)]
    for parcel in under_way:
        clock.pass_s(0.5)
        queue.settle(parcel, LATER)
    assert queue.wakes_s() == pytest.approx(clock.passed_s + AGAIN_AFTER_S[0])


def test_a_mended_channel_is_tried_at_once() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row(), row(incident=18, due_at=NOW + timedelta(hours=8))])
    for _ in range(5):
        queue.settle(next_of(queue, clock), REFUSED)
    queue.mended()
    assert ids(next_of(queue, clock).rows) == ["17-opened"]
    assert queue.take() is None


EVENTS = ("opened", "changed", "reminder", "closed")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 3)),
        st.tuples(st.just("take"), st.sampled_from(["sent", "later", "refused", "lost", "crash"])),
        st.tuples(st.just("pass"), st.sampled_from([1.0, 30.0, 1000.0])),
        st.tuples(st.just("jump"), st.sampled_from([-86400.0, 86400.0])),
    ),
    max_size=40,
)


@given(steps=STEPS, is_exact=st.booleans())
def test_whatever_fails_or_crashes_each_row_arrives_and_in_order(
    steps: list[tuple[str, object]], is_exact: bool
) -> None:
    """The store has each row; a crash loses the lane, and what was under way comes back as a repeat."""
    clock = FakeClock()
    queue = lane(clock, is_exact=is_exact)
    stored: dict[str, Notification] = {}
    arrived: list[tuple[str, bool]] = []
    said: dict[int, int] = {}

    def attempt(outcome: str) -> None:
        nonlocal queue
        parcel = queue.take()
        if parcel is None:
            return
        stored.update((one.alert.id, replace(one, delivery=Delivery.SENDING)) for one in parcel.rows)
        if outcome in ("sent", "lost", "crash"):
            arrived.extend((one.alert.id, one.is_repeat) for one in parcel.rows)
        if outcome == "crash":
            queue = lane(clock, is_exact=is_exact)
            queue.put(
                replace(one, is_repeat=one.is_repeat or one.delivery is Delivery.SENDING)
                for one in stored.values()
            )
            return
        answer = {
            "sent": SENT,
            "refused": REFUSED,
            "lost": Outcome(Taken.LATER, "reset", is_uncertain=True),
        }.get(outcome, LATER)
        for changed in queue.settle(parcel, answer):
            assert changed.delivery is not Delivery.DEAD
            if changed.delivery is Delivery.WAITING:
                stored[changed.alert.id] = changed
            else:
                del stored[changed.alert.id]

    made = []
    for step, how in steps:
        match step, how:
            case "put", int(incident):
                place = said.get(incident, 0)
                if place < len(EVENTS):
                    said[incident] = place + 1
                    one = row(EVENTS[place], incident, at=clock.now(), due_at=clock.now())
                    made.append(one.alert.id)
                    stored[one.alert.id] = one
                    queue.put([one])
            case "take", str(outcome):
                attempt(outcome)
            case "pass", float(seconds):
                clock.pass_s(seconds)
            case "jump", float(seconds):
                clock.jump(seconds=seconds)
    for _ in range(1000):
        if not stored:
            break
        wakes_s = queue.wakes_s()
        assert wakes_s is not None
        clock.pass_s(max(0.0, wakes_s - clock.passed_s))
        attempt("sent")
    assert {one for one, _ in arrived} == set(made)
    for incident in said:
        first = list(dict.fromkeys(one for one, _ in arrived if one.startswith(f"{incident}-")))
        assert first == [f"{incident}-{event}" for event in EVENTS[: len(first)]]
    seen: set[str] = set()
    for name, is_repeat in arrived:
        assert is_repeat or name not in seen, "a second arrival says that it may be one"
        seen.add(name)
