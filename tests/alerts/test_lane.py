"""The queue of one channel, on a clock that stands still until it's moved."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.alerts.made import LATER, NOW, REFUSED, SENT, FakeClock, ids, row
from trueup.alerts.lane import (
    AGAIN_AFTER_S,
    ASKED_S_MAX,
    DIGEST_MAX,
    GIVEN_UP_AFTER_S,
    ONE_BY_ONE_MAX,
    PER_MINUTE_MAX,
    Lane,
)
from trueup.alerts.sender import Parcel
from trueup.domain.alert import Delivery, Notification
from trueup.domain.causes import Cause


def lane(clock: FakeClock, *, is_exact: bool = True, apart_s: float = 0.0, chance: float = 0.5) -> Lane:
    return Lane(clock, is_exact=is_exact, apart_s=apart_s, chance=lambda: chance)


def next_of(queue: Lane, clock: FakeClock) -> Parcel:
    """What is sent next, when its time has come."""
    while (parcel := queue.take()) is None:
        wakes_s = queue.wakes_s()
        assert wakes_s is not None
        assert wakes_s > clock.passed_s, "a lane that has nothing to send must say when it will"
        clock.pass_s(wakes_s - clock.passed_s)
    return parcel


def test_a_row_is_taken_once_and_then_told() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    parcel = queue.take()
    assert parcel is not None
    assert queue.take() is None
    (told,) = queue.settle(parcel, SENT)
    assert (told.delivery, told.sent_at, told.attempts, told.result) == (
        Delivery.SENT,
        NOW,
        1,
        "200 OK",
    )
    assert len(queue) == 0
    assert queue.wakes_s() is None


def test_the_same_row_put_twice_is_one() -> None:
    queue = lane(FakeClock())
    queue.put([row(), row()])
    queue.put([row()])
    assert len(queue) == 1


def test_the_pauses_grow_and_then_stay() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    pauses = []
    for _ in range(7):
        begun_s = clock.passed_s
        queue.settle(next_of(queue, clock), LATER)
        pauses.append(clock.passed_s - begun_s)
    assert pauses == pytest.approx([0, *AGAIN_AFTER_S, AGAIN_AFTER_S[-1]])


@pytest.mark.parametrize(("chance", "pause_s"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
def test_the_pauses_are_spread_by_a_fifth(chance: float, pause_s: float) -> None:
    clock = FakeClock()
    queue = lane(clock, chance=chance)
    queue.put([row()])
    queue.settle(next_of(queue, clock), LATER)
    assert queue.wakes_s() == pytest.approx(clock.passed_s + pause_s)


@pytest.mark.parametrize(("asked_s", "waits_s"), [(120.0, 120.0), (1.0, 5.0), (1e9, ASKED_S_MAX)])
def test_a_receiver_that_asks_for_a_pause_gets_it_within_reason(asked_s: float, waits_s: float) -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    (waiting,) = queue.settle(next_of(queue, clock), replace(LATER, again_after_s=asked_s))
    assert queue.wakes_s() == pytest.approx(clock.passed_s + waits_s)
    assert waiting.due_at == NOW + timedelta(seconds=waits_s)
    assert (waiting.delivery, waiting.attempts, waiting.result) == (Delivery.WAITING, 1, LATER.said)


def test_news_end_a_pause_but_never_one_that_was_asked_for() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    for _ in range(4):
        queue.settle(next_of(queue, clock), LATER)
    clock.pass_s(2)
    queue.put([row(incident=18)])
    assert queue.wakes_s() == pytest.approx(clock.passed_s + AGAIN_AFTER_S[0] - 2)
    queue.settle(next_of(queue, clock), replace(LATER, again_after_s=600.0))
    queue.put([row(incident=19)])
    assert queue.wakes_s() == pytest.approx(clock.passed_s + 600)


def test_a_channel_that_works_again_is_told_everything_at_once() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put(row(incident=number) for number in range(3))
    for _ in range(4):
        queue.settle(next_of(queue, clock), LATER)
    queue.settle(next_of(queue, clock), SENT)
    mended_s = clock.passed_s
    while len(queue):
        queue.settle(next_of(queue, clock), SENT)
    assert clock.passed_s == mended_s


def test_what_was_refused_keeps_only_its_own_incident_waiting() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row(), row("closed"), row(incident=18)])
    queue.settle(next_of(queue, clock), REFUSED)
    assert ids(next_of(queue, clock).rows) == ["18-opened"]
    assert queue.take() is None
    clock.pass_s(AGAIN_AFTER_S[0])
    assert ids(next_of(queue, clock).rows) == ["17-opened"]


def test_an_exact_channel_gets_each_event_of_an_incident_in_order() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row("closed"), row("changed"), row("opened")])
    seen = []
    while len(queue):
        parcel = next_of(queue, clock)
        assert queue.take() is None  # nothing else of this incident while one is under way
        seen += ids(parcel.rows)
        queue.settle(parcel, SENT)
    assert seen == ["17-opened", "17-changed", "17-closed"]


def test_what_mattered_more_goes_first() -> None:
    clock = FakeClock()
    queue = lane(clock)
    older = row(incident=2, at=NOW - timedelta(hours=1))
    queue.put([row(incident=4), row(incident=3, tier=3), row(incident=1, tier=1), older])
    order = []
    for _ in range(4):
        parcel = next_of(queue, clock)
        order.append(parcel.rows[0].alert.incident)
        queue.settle(parcel, SENT)
    assert order == [1, 2, 4, 3]


def test_people_hear_of_an_end_before_its_beginning_once() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False)
    queue.put([row("opened")])
    queue.settle(next_of(queue, clock), LATER)
    queue.put([row("changed"), row("closed")])
    parcel = next_of(queue, clock)
    assert ids(parcel.rows) == ["17-opened", "17-changed", "17-closed"]
    assert [one.id for one in parcel.alerts] == ["17-closed"]
    told = queue.settle(parcel, SENT)
    assert [one.delivery for one in told] == [Delivery.MERGED, Delivery.MERGED, Delivery.SENT]
    assert len(queue) == 0


def test_a_few_incidents_are_told_one_by_one_and_many_together() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False)
    queue.put(row(incident=number) for number in range(ONE_BY_ONE_MAX))
    sizes = []
    while len(queue):
        parcel = next_of(queue, clock)
        sizes.append(len(parcel.rows))
        queue.settle(parcel, SENT)
    assert sizes == [1] * ONE_BY_ONE_MAX
    queue.put(row(incident=number) for number in range(500))
    while len(queue):
        parcel = next_of(queue, clock)
        sizes.append(len(parcel.rows))
        told = queue.settle(parcel, SENT)
    assert sizes[ONE_BY_ONE_MAX:] == [DIGEST_MAX] * 5
    assert told[0].result == "200 OK, with 99 others in one message"


def test_what_has_one_cause_on_one_machine_is_told_together_however_few() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False)
    queue.put(row(incident=number, host="db-1") for number in (1, 3))
    queue.put([row(incident=2), row(incident=4, host="db-2"), row(incident=5, host="db-1", cause=Cause.SLOW)])
    told = []
    while len(queue):
        parcel = next_of(queue, clock)
        told.append([one.alert.incident for one in parcel.rows])
        queue.settle(parcel, SENT)
    assert told == [[1, 3], [2], [4], [5]]


def test_people_get_no_more_than_so_many_messages_a_minute_and_nothing_is_lost() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False)
    sent_s, told = [], 0
    for number in range(600):  # ten incidents a second
        queue.put([row(incident=number)])
        if (parcel := queue.take()) is not None:
            sent_s.append(clock.passed_s)
            told += len(queue.settle(parcel, SENT))
        clock.pass_s(0.1)
    while len(queue):
        told += len(queue.settle(next_of(queue, clock), SENT))
    assert told == 600
    assert len(sent_s) <= 2 * PER_MINUTE_MAX
    steady_s = sent_s[PER_MINUTE_MAX:]
    assert all(after - before > 2.9 for before, after in pairwise(steady_s))


@pytest.mark.parametrize("is_exact", [True, False])
def test_a_clock_that_goes_on_while_it_is_read_holds_nothing_back(is_exact: bool) -> None:
    class GoingOn(FakeClock):
        def monotonic_s(self) -> float:
            self.pass_s(1e-6)
            return self.passed_s

    queue = lane(GoingOn(), is_exact=is_exact)
    queue.put([row()])
    parcel = queue.take()
    assert parcel is not None
    assert len(queue.settle(parcel, SENT)) == 1


def test_messages_are_apart_where_the_service_wants_it() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False, apart_s=1.0)
    queue.put([row(incident=1), row(incident=2)])
    queue.settle(next_of(queue, clock), SENT)
    assert queue.wakes_s() == pytest.approx(clock.passed_s + 1.0)


def test_after_a_day_it_is_given_up_and_not_before() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row(), row("closed"), row(incident=18)])
    attempts, begun_s, dead = 0, clock.passed_s, []
    while len(queue):
        attempts += 1
        dead += [one for one in queue.settle(next_of(queue, clock), LATER) if one.delivery is Delivery.DEAD]
    assert GIVEN_UP_AFTER_S <= clock.passed_s - begun_s <= GIVEN_UP_AFTER_S + 2 * AGAIN_AFTER_S[-1]
    assert sorted(ids(dead)) == ["17-closed", "17-opened", "18-opened"]
    assert {one.result for one in dead} == {LATER.said}
    assert attempts < 110


def test_what_is_refused_for_a_day_dies_alone() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    dead: list[Notification] = []
    while not dead:
        changed = queue.settle(next_of(queue, clock), REFUSED)
        dead = [one for one in changed if one.delivery is Delivery.DEAD]
        if len(queue) == 1 and clock.passed_s > 1000 + GIVEN_UP_AFTER_S - 2000:
            queue.put([row(incident=18, due_at=clock.now() + timedelta(days=2))])
    assert ids(dead) == ["17-opened"]
    assert len(queue) == 1


def test_what_is_due_now_is_due_whatever_the_clock_says_after_a_restart() -> None:
    clock = FakeClock()
    made = row()
    clock.jump(days=-1)
    queue = lane(clock)
    queue.put([made])
    assert queue.take() is not None


@pytest.mark.parametrize("days", [-1, 1])
def test_a_wall_clock_that_jumps_neither_holds_nor_kills(days: int) -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row()])
    clock.jump(days=days)
    queue.settle(next_of(queue, clock), LATER)
    clock.jump(days=days)
    assert queue.wakes_s() == pytest.approx(clock.passed_s + 5)
    (told,) = queue.settle(next_of(queue, clock), SENT)
    assert told.delivery is Delivery.SENT


def test_what_waits_for_an_hour_of_the_day_waits_for_it_by_either_clock() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row(due_at=NOW + timedelta(hours=8))])
    assert queue.take() is None
    clock.jump(hours=8)  # the machine slept: the monotonic clock stood still
    assert queue.take() is not None


def test_what_opens_and_closes_before_people_are_to_hear_of_it_is_one_message() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False)
    queue.put([row(due_at=NOW + timedelta(hours=8))])
    clock.pass_s(180)
    clock.jump(seconds=-1)  # so the two wait for one hour of the day, and for two of the monotonic clock
    queue.put([row("closed", at=clock.now(), due_at=NOW + timedelta(hours=8))])
    parcel = next_of(queue, clock)
    assert ids(parcel.rows) == ["17-opened", "17-closed"]
    assert [one.delivery for one in queue.settle(parcel, SENT)] == [Delivery.MERGED, Delivery.SENT]


def test_an_escalation_takes_along_what_waited_before_it() -> None:
    clock = FakeClock()
    queue = lane(clock)
    queue.put([row(due_at=NOW + timedelta(hours=8)), row("escalated", due_at=NOW)])
    assert ids(next_of(queue, clock).rows) == ["17-opened"]


def test_what_comes_later_is_not_told_early_with_what_is_due() -> None:
    clock = FakeClock()
    queue = lane(clock, is_exact=False)
    queue.put([row("reminder"), row("closed", due_at=NOW + timedelta(hours=8))])
    assert ids(next_of(queue, clock).rows) == ["17-reminder"]
