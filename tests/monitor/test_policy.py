from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.monitor.stories import BEGAN_AT, LETTERS, POLICY, changes, hard, steps, verdict
from trueup.domain.states import State
from trueup.domain.tier import Confirm
from trueup.domain.verdict import MAY_COME_BACK
from trueup.monitor.memory import Memory, from_json, to_json
from trueup.monitor.policy import COMES_BACK_S, Change, gone_stale, step

stories = st.text(LETTERS, max_size=60)
calm = st.text(LETTERS, max_size=12)


@pytest.mark.parametrize(
    ("looks", "after_each"),
    [
        ("u", "u"),  # the first good look is believed
        ("xx", "?x"),
        ("uxx", "uux"),
        ("udd", "uud"),
        ("uxu", "uuu"),
        ("uh", "ux"),  # the machine's own word needs no second look
        ("udxx", "uuux"),  # one failure of being down isn't two
        ("uxd", "uud"),
        ("uxdx", "uudd"),
        ("u?", "uu"),
        ("u??", "uu?"),
        ("ux?x", "uuux"),  # what isn't seen neither confirms nor resolves
        ("uxxuu", "uuxxu"),
        ("uxxu?u", "uuxxxu"),
        ("uxx??", "uuxx?"),
        ("uxx??x", "uuxx?x"),
        ("uxx??uu", "uuxx??u"),
        ("uxx??u", "uuxx??"),
        ("uh??h", "uxx?x"),  # the machine says so again
        ("uh??o", "uxx?x"),
        ("u??u", "uu?u"),
        ("??", "??"),
    ],
)
def test_what_is_held_to_be_true(looks: str, after_each: str) -> None:
    assert hard(looks) == after_each


@pytest.mark.parametrize(
    ("looks", "last"),
    [
        ("uxx", Change.OPENED),
        ("uxxx", None),
        ("uxxs", None),
        ("uxxss", Change.CHANGED),
        ("uxxsxs", None),  # not in a row
        ("uxxh", Change.CHANGED),
        ("uho", None),  # one word of the machine after another is counted
        ("uhoo", Change.CHANGED),
        ("uhxx", None),  # the machine's word still explains it
        ("uhxxx", None),
        ("uhdd", Change.CHANGED),  # but not another state
        ("uhos", None),  # two other reasons in a row aren't one
        ("uddxs", Change.CHANGED),  # unless it's worse for each
        ("uxxsx", None),
        ("uhss", Change.CHANGED),
        ("uxxdd", Change.CHANGED),
        ("uxxuu", Change.CLOSED),
        ("uxxuxu", None),
        ("uxx??xx", None),  # it was known before, and is said once
        ("uxx??xxuu", Change.CLOSED),
        ("uh??h", None),
        ("uh??hoo", Change.CHANGED),
    ],
)
def test_what_a_look_changes(looks: str, last: Change | None) -> None:
    assert changes(looks)[-1] is last


def test_what_is_known_is_neither_said_nor_asked_for_again() -> None:
    *_, last = steps("uxxx")
    assert (last.change, last.again_s, last.memory.row) == (None, None, None)


def test_failures_too_near_each_other_are_one() -> None:
    assert hard("uxxx", apart_s=10.0) == "uuuu"
    assert hard("uxxx", apart_s=0.0) == "uuuu"
    assert hard("uxxxx", apart_s=10.0) == "uuuux"


def test_the_confirming_look_is_asked_for() -> None:
    assert [taken.again_s for taken in steps("uxxuu", apart_s=10.0)] == [None, 30.0, 20.0, None, None]
    assert [taken.again_s for taken in steps("uxxuu", apart_s=60.0)] == [None, 30.0, None, 30.0, None]


@pytest.mark.parametrize("before", ["", "u", "uxx"])
def test_where_nothing_was_found_out_it_is_asked_again_sooner_than_in_an_hour_and_ever_less_often(
    before: str,
) -> None:
    hourly = replace(POLICY, every_s=3600.0)
    taken = list(steps(before + "?" * 9, policy=hourly))[len(before) :]
    assert [one.again_s for one in taken] == [30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, None, None]
    assert taken[-1].memory == taken[-2].memory
    *_, well = steps(before + "????u?", policy=hourly)
    assert well.again_s == 30.0


def test_what_may_still_be_starting_is_looked_at_again_before_anybody_is_woken() -> None:
    up = step(Memory(), verdict("u"), POLICY, BEGAN_AT).memory
    down = verdict("h")
    starting = replace(down, facts={MAY_COME_BACK: True})
    assert step(up, down, POLICY, BEGAN_AT).change is Change.OPENED
    waits = step(up, starting, POLICY, BEGAN_AT)
    assert (waits.change, waits.memory.hard) == (None, State.UP)
    assert waits.again_s == COMES_BACK_S  # by then the machine may be sure
    later = BEGAN_AT + timedelta(seconds=POLICY.confirm.apart_s)
    assert step(waits.memory, starting, POLICY, later).change is Change.OPENED


def test_one_failure_may_be_enough() -> None:
    assert hard("ux", policy=replace(POLICY, confirm=Confirm(1, 0.0))) == "ux"


def test_where_much_fails_at_once_one_look_more_is_wanted() -> None:
    memory = Memory(hard=State.UP, is_new=False)
    found = []
    for number in range(3):
        now = BEGAN_AT + timedelta(minutes=number)
        memory = step(memory, verdict("x"), POLICY, now, is_braked=True).memory
        found.append(memory.hard)
    assert found == [State.UP, State.UP, State.DOWN]


def test_what_comes_and_goes_is_open_until_it_stays_away() -> None:
    looks = "u" * 10 + "xxuu" * 6 + "u" * 25
    told = [change for change in changes(looks) if change is not None]
    assert told == [Change.OPENED, Change.CLOSED] * 3 + [Change.FLAPPING, Change.CLOSED]


def test_what_fails_every_other_time_is_never_confirmed_and_yet_not_passed_over() -> None:
    told = [change for change in changes("u" * 10 + "xu" * 8) if change is not None]
    assert told == [Change.FLAPPING]


def test_while_it_flaps_the_machines_word_is_no_news() -> None:
    *_, last = steps("u" * 10 + "xu" * 8 + "h")
    assert last.memory.is_flapping
    assert (last.change, last.memory.hard) == (None, State.DOWN)


def test_what_settles_broken_is_said_as_it_is_then() -> None:
    found = list(steps("u" * 10 + "xu" * 8 + "s" * 25))
    assert [taken.change for taken in found if taken.change] == [Change.FLAPPING, Change.SETTLED]
    assert found[-1].memory.trouble is not None
    assert found[-1].memory.trouble.cause == "silent"


def test_what_nobody_looks_at_is_unknown_and_not_mended() -> None:
    *_, ill = steps("uxx")
    lost = gone_stale(ill.memory)
    assert lost.hard is State.UNKNOWN
    assert lost.is_open
    *_, soft = steps("ux")
    assert gone_stale(soft.memory).row is None


@given(stories, st.sampled_from([5.0, 30.0, 60.0]))
def test_incidents_open_and_close_by_turns(looks: str, apart_s: float) -> None:
    is_open = False
    for taken in steps(looks, apart_s=apart_s):
        if taken.change is Change.OPENED:
            assert not is_open
        if taken.change in (Change.CHANGED, Change.CLOSED, Change.SETTLED):
            assert is_open
        is_open = taken.memory.is_open
        assert (taken.change is Change.CLOSED) <= (not is_open)
        assert (taken.change in (Change.OPENED, Change.FLAPPING)) <= is_open


@given(stories)
def test_what_is_not_seen_opens_and_closes_nothing(looks: str) -> None:
    before = Memory()
    for letter, taken in zip(looks, steps(looks), strict=True):
        if letter == "?":
            assert taken.change is None
            assert taken.memory.trouble == before.trouble
            assert taken.memory.hard in (before.hard, State.UNKNOWN)
        before = taken.memory


@given(calm)
def test_nothing_is_down_after_a_single_failure_seen_from_outside(looks: str) -> None:
    for number, taken in enumerate(steps(looks)):
        seen = [letter for letter in looks[: number + 1] if letter != "?"]
        if taken.change is Change.OPENED and seen[-1] in "xs":
            assert seen[-2] in "xsho"


@given(stories)
def test_it_is_over_only_after_passes_in_a_row(looks: str) -> None:
    for number, taken in enumerate(steps(looks)):
        if taken.change is Change.CLOSED:
            seen = [letter for letter in looks[: number + 1] if letter != "?"]
            assert seen[-2:] == ["u", "u"]


@given(stories, st.integers(0, 59), st.sampled_from([5.0, 60.0]))
def test_a_restart_between_two_looks_changes_nothing(looks: str, at: int, apart_s: float) -> None:
    whole = list(steps(looks, apart_s=apart_s))
    for taken in whole[at : at + 1]:
        assert from_json(to_json(taken.memory)) == taken.memory


@pytest.mark.parametrize("kept", [None, [], {"hard": "nice"}, {"row": {"n": 1}}, {"trouble": "x"}])
def test_a_memory_that_cannot_be_read_is_a_new_one(kept: object) -> None:
    assert from_json(kept) == Memory()
