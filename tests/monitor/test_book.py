from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.monitor.stories import BEGAN_AT, LETTERS, POLICY, verdict
from trueup.diagnosis.judge import blame
from trueup.domain.address import parse_address
from trueup.domain.alert import EventKind
from trueup.domain.incident import IncidentRecord
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.domain.states import State
from trueup.domain.target import Target
from trueup.domain.tier import Escalate, Tier
from trueup.domain.verdict import Verdict
from trueup.monitor.book import Book, Saying
from trueup.monitor.case import recalled
from trueup.monitor.holding import Needs, Newest
from trueup.monitor.memory import Memory
from trueup.monitor.muting import Muting
from trueup.monitor.policy import step


@dataclass
class World:
    """Some targets, looked at when the test says; time passes when the test says."""

    targets: tuple[Target, ...] = (Target("db"), Target("web", needs=("db",)), Target("shop", needs=("web",)))
    tier: Tier = POLICY
    now: datetime = BEGAN_AT
    muting: Muting = field(default_factory=lambda: Muting(()))
    newest: dict[str, Newest] = field(default_factory=dict)
    said: list[Saying] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.needs = Needs(self.targets)
        self.memories = {target.name: Memory() for target in self.targets}
        self.verdicts: dict[str, Verdict] = {}
        ids = count(1)
        self.new_id = lambda: f"alert-{next(ids)}"
        self.book = Book(self, new_id=self.new_id)

    def target(self, name: str) -> Target | None:
        return next((target for target in self.targets if target.name == name), None)

    def policy(self, name: str) -> Tier:
        return self.tier

    def look(self, name: str, letter: str, after_s: float = 0.0) -> None:
        self.now += timedelta(seconds=after_s)
        self.verdicts[name] = verdict(letter, name)
        found = blame(self.targets, self.verdicts)[name]
        before = self.memories[name]
        taken = step(before, found, self.tier, self.now)
        self.memories[name] = taken.memory
        last = self.newest.get(name, Newest())
        back = last.is_down and found.state is State.UP
        self.newest[name] = Newest(
            found.state, self.now, self.now if back else last.recovered_at, is_open=taken.memory.is_open
        )
        self.book.enter(before, taken, found, self.now)
        self._take()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.book.tick(self.now)
        self._take()

    def _take(self) -> None:
        entries = self.book.taken()
        self.said += entries.sayings
        self.lines += [line.what for _, line in entries.happenings]
        self.asked |= entries.ask
        for saying in entries.sayings:
            if saying.alert.event is EventKind.OPENED:
                self.book.told(saying.alert.incident, ["hook"])

    def events(self) -> list[tuple[str, str]]:
        return [(saying.alert.target, saying.alert.event.value) for saying in self.said]

    def restart(self) -> None:
        """Everything that isn't stored is gone."""
        cases = [recalled(IncidentRecord(case.incident), case.to_json()) for case in self.book.cases()]
        for new, old in zip(cases, self.book.cases(), strict=True):
            new.told = old.told
        self.newest = {}
        last_id = max((saying.alert.incident for saying in self.said), default=0)
        self.book = Book(self, cases, last_id=last_id, new_id=self.new_id)


def silence(world: World, word: str, seconds: float) -> None:
    ends_at = world.now + timedelta(seconds=seconds)
    world.muting.put(Silence(1, Selector((word,)), world.now, ends_at, "ada"))


def test_an_incident_is_told_once_and_its_end_once() -> None:
    world = World()
    for letter in "uxxxxuuuu":
        world.look("db", letter, 60)
    assert world.events() == [("db", "opened"), ("db", "closed")]
    opened, closed = (saying.alert for saying in world.said)
    assert (opened.state, opened.cause, opened.blame, opened.impact) == (
        "down",
        "refused",
        "db",
        ("web", "shop"),
    )
    assert (closed.state, closed.cause, closed.next) == ("up", "refused", ())
    assert opened.id != closed.id
    assert opened.incident == closed.incident
    assert world.said[1].told == {"hook"}
    assert [saying.seq for saying in world.said] == [2, 4]


def test_an_alert_names_the_machine_where_it_is_one() -> None:
    here, there = (parse_address(f"tcp://{host}:1", ("tcp",)) for host in ("db-1", "db-2"))
    targets = (
        Target("db", at=(here, here)),
        Target("agent", at=(here,), host="db-3"),
        Target("both", at=(here, there)),
        Target("journey"),
    )
    world = World(targets)
    for target in targets:
        for _ in range(2):
            world.look(target.name, "d", after_s=60)
    assert [one.alert.host for one in world.said] == ["db-1", "db-3", None, None]


def test_an_incident_begins_with_its_first_failure() -> None:
    world = World()
    for letter in "uxx":
        world.look("db", letter, 60)
    case = world.book.case("db")
    assert case is not None
    assert case.incident.opened_at == BEGAN_AT + timedelta(seconds=120)
    assert case.incident.confirmed_at == BEGAN_AT + timedelta(seconds=180)


def test_a_new_cause_is_told() -> None:
    world = World()
    for letter in "uxxss":
        world.look("db", letter, 60)
    assert world.events() == [("db", "opened"), ("db", "changed")]
    assert world.said[-1].alert.cause == "silent"


@pytest.mark.parametrize("order", [("db", "web", "shop"), ("shop", "web", "db"), ("web", "shop", "db")])
def test_whoever_fails_first_the_root_alone_is_told(order: tuple[str, ...]) -> None:
    world = World()
    for name in order:
        world.look(name, "u")
    for name in order:
        world.look(name, "x", 20)
    for name in order:
        world.look(name, "x", 20)
    world.wait(3600)
    assert world.events() == [("db", "opened")]
    assert world.said[0].alert.impact == ("web", "shop")
    held = world.book.case("shop")
    assert held is not None
    assert held.incident.held_by == "db"
    for _ in range(2):
        for name in order:
            world.look(name, "u", 30)
    world.wait(3600)
    assert world.events() == [("db", "opened"), ("db", "closed")]
    assert "nobody was told of it" in world.lines


def test_what_it_needs_is_looked_at_first() -> None:
    world = World()
    world.look("db", "u")
    for letter in "uxx":
        world.look("web", letter, 60)
    assert world.asked == {"db"}
    assert world.events() == []
    world.look("db", "u", 0.1)
    world.wait(0.5)
    assert world.events() == [("web", "opened")]


def test_who_was_told_is_told_of_the_end_also_while_another_is_down() -> None:
    world = World()
    world.look("db", "u")
    for letter in "uxx":
        world.look("web", letter, 60)
    world.look("db", "u", 0.1)
    world.wait(1)
    world.look("db", "x", 60)
    world.look("db", "x", 60)
    assert world.events() == [("web", "opened"), ("db", "opened")]
    world.look("web", "x", 60)
    world.look("web", "x", 60)
    assert world.events()[2:] == []  # that it's for want of db is no news to be woken by
    world.look("web", "u", 60)
    world.look("web", "u", 60)
    assert world.events()[2:] == [("web", "closed")]


def test_what_stays_broken_when_the_other_is_back_is_told() -> None:
    world = World()
    for name in ("db", "web"):
        for letter in "uxx":
            world.look(name, letter, 60)
    world.look("db", "u", 60)
    world.look("db", "u", 60)
    world.look("web", "x", 31)
    world.wait(1)
    assert world.events() == [("db", "opened"), ("db", "closed"), ("web", "opened")]


def test_a_silence_is_kept_and_said_and_at_its_end_what_is_broken_is_told() -> None:
    world = World()
    silence(world, "db", 600)
    for letter in "uxx":
        world.look("db", letter, 60)
    assert world.events() == []
    assert sum("silenced by ada" in line for line in world.lines) == 1
    world.wait(600)
    assert world.events() == [("db", "opened")]


def test_what_came_and_went_under_a_silence_is_told_to_nobody() -> None:
    world = World()
    silence(world, "db", 3600)
    for letter in "uxxuu":
        world.look("db", letter, 60)
    world.wait(3600)
    assert world.events() == []


def test_a_silence_does_not_keep_the_end_from_those_who_were_told() -> None:
    world = World()
    for letter in "uxx":
        world.look("db", letter, 60)
    silence(world, "db", 3600)
    for letter in "uu":
        world.look("db", letter, 60)
    assert world.events() == [("db", "opened"), ("db", "closed")]


def test_nobody_is_woken_by_what_was_well_at_the_last_look() -> None:
    world = World()
    silence(world, "db", 600)
    for letter in "uxxu":
        world.look("db", letter, 60)
    world.wait(600)
    assert world.events() == []
    assert world.lines[-1] == "nobody is told yet: it was well at the last look"
    world.look("db", "?", 1)
    assert world.lines[-1] == "nobody is told yet: nobody can see it now"
    world.look("db", "x", 1)
    assert world.events() == [("db", "opened")]


def test_reminders_and_escalation_until_somebody_sees_to_it() -> None:
    tier = replace(POLICY, remind_s=3600.0, escalate=Escalate(7200.0))
    world = World(tier=tier)
    for letter in "uxx":
        world.look("db", letter, 60)
    for _ in range(4):
        world.wait(1800)
    assert world.events()[1:] == [("db", "reminder"), ("db", "escalated")]
    world.wait(3600)
    assert world.events()[3:] == [("db", "reminder")]
    assert world.book.acknowledge(1, "ada", "on it", world.now)
    world.wait(36000)
    assert world.events()[4:] == []
    assert "acknowledged by ada: on it" in world.lines
    for letter in "uu":
        world.look("db", letter, 60)
    assert world.events()[4:] == [("db", "closed")]
    assert not world.book.acknowledge(1, "ada", "", world.now)


def test_flapping_is_one_message_and_one_end() -> None:
    world = World()
    for letter in "u" * 10 + "xxuu" * 8 + "u" * 25:
        world.look("db", letter, 60)
    assert [event for _, event in world.events()] == ["opened", "closed"] * 4
    assert [saying.seq for saying in world.said] == [2, 4] * 4
    assert "it comes and goes: flapping" in world.lines


def test_what_begins_to_flap_while_it_is_told_says_so_once() -> None:
    world = World()
    for letter in "u" * 10 + "xxx" + "ux" * 8 + "u" * 25:
        world.look("db", letter, 60)
    assert [event for _, event in world.events()] == ["opened", "changed", "closed"]
    assert "flapping" in world.said[1].alert.summary


def test_what_flaps_is_said_to_when_it_is_said_again() -> None:
    world = World(tier=replace(POLICY, remind_s=300))
    for letter in "u" * 10 + "xxx" + "ux" * 12:
        world.look("db", letter, 60)
    reminders = [saying.alert for saying in world.said if saying.alert.event is EventKind.REMINDER]
    assert len(reminders) > 2
    assert all("it comes and goes" in one.summary and "now)" in one.summary for one in reminders[1:])


def test_what_is_removed_from_the_configuration_is_over_for_those_who_were_told() -> None:
    world = World()
    for letter in "uxx":
        world.look("db", letter, 60)
    world.book.drop("db", "no longer watched", world.now)
    world.wait(0)
    assert world.events() == [("db", "opened"), ("db", "closed")]
    assert "no longer watched" in world.said[-1].alert.summary
    assert world.book.cases() == []


def test_not_being_seen_is_written_down_and_ends_nothing() -> None:
    world = World()
    written = []
    for letter in "uxx????":
        world.look("db", letter, 60)
        written.append(sum("nobody can see it any more" in line for line in world.lines))
    assert world.events() == [("db", "opened")]
    assert written == [0, 0, 0, 0, 1, 1, 1]


LOOKS = st.lists(st.tuples(st.sampled_from(["db", "web", "shop"]), st.sampled_from(LETTERS)), max_size=60)


@given(LOOKS, st.integers(0, 60))
def test_every_opening_that_is_told_has_one_end_and_a_restart_says_nothing_twice(
    looks: Iterable[tuple[str, str]], restart_after: int
) -> None:
    world = World()
    for number, (name, letter) in enumerate(looks):
        if number == restart_after:
            world.restart()
        world.look(name, letter, 31)
    by_incident: dict[int, list[str]] = {}
    for saying in world.said:
        by_incident.setdefault(saying.alert.incident, []).append(saying.alert.event.value)
    open_ones = {case.incident.id for case in world.book.cases()}
    for incident, events in by_incident.items():
        assert events[0] == "opened"
        assert events.count("opened") == 1
        assert (events[-1] == "closed") == (incident not in open_ones)
        assert events.count("closed") <= 1
    assert len({saying.alert.id for saying in world.said}) == len(world.said)


def test_an_incident_is_found_among_thousands_as_fast_as_among_a_few() -> None:
    def asking_all_s(size: int) -> float:
        world = World(tuple(Target(f"t{number}") for number in range(size)))
        for target in world.targets:
            world.book.own_trouble(verdict("x", target.name), world.now)
        ids = [case.incident.id for case in world.book.cases()]
        began_s = process_time()
        for number in range(2000):
            assert world.book.find(ids[number % size]) is not None
        return process_time() - began_s

    assert asking_all_s(2000) < 20 * max(asking_all_s(20), 0.0005)


def test_an_incident_that_is_over_isnt_found() -> None:
    world = World()
    world.book.own_trouble(verdict("x", "db"), world.now)
    (case,) = world.book.cases()
    number = case.incident.id
    assert world.book.find(number) is case
    assert world.book.add_note(number, "ada", "a disk", world.now)
    again = world.book.restated(number, world.now)
    assert again is not None
    assert (again.event, again.incident) == (EventKind.REMINDER, number)
    world.book.drop("db", "over", world.now)
    assert world.book.find(number) is None
    assert not world.book.add_note(number, "ada", "too late", world.now)
    assert world.book.restated(number, world.now) is None


def test_who_was_down_when_somebody_saw_it_is_known() -> None:
    world = World()
    world.book.own_trouble(verdict("x", "db"), world.now)
    world.book.own_trouble(verdict("d", "web"), world.now)
    found = world.book.last_seen_down(["db", "web", "shop"])
    assert {name: one.cause for name, one in found.items()} == {"db": "refused"}
