"""Who held a port when it was last well, by made-up reports."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.host.fake_reader import NOW, FakeReader, listening, process
from tests.host.units import unit
from trueup.app.held_before import HeldBefore
from trueup.diagnosis.evidence import Evidence, Former
from trueup.diagnosis.judge import judge
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.host.facts import Boot, Owner, ProcessState
from trueup.host.report import HostReport, Listener
from trueup.host.traces import MemoryKill
from trueup.probes.registry import SCHEMES

TARGET = Target("shop", at=(parse_address("redis://127.0.0.1:6379", SCHEMES),))
PEER = {"peer": "127.0.0.1"}
PASSED = Observation(Layer.PORT, Outcome.PASS, NOW, facts=PEER)
REFUSED = Observation(Layer.PORT, Outcome.FAIL, NOW, Cause.REFUSED, facts=PEER)
HOLDER = process(812, "shop")
EMPTY = HostReport("here", NOW, None)
HELD = replace(
    EMPTY,
    listeners=(Listener(listening(6379), "shop", Owner(812, (812,)), "shop"),),
    processes=(HOLDER,),
)


def held_before(report: HostReport = HELD, target: Target = TARGET) -> HeldBefore:
    held = HeldBefore({target.name: target})
    held.passed(target.name, [PASSED])
    held.remember(report)
    return held


def in_unit(unit: str, user_unit: str | None = None) -> HostReport:
    listener = replace(HELD.listeners[0], unit=unit, user_unit=user_unit)
    return replace(HELD, listeners=(listener,))


def test_who_holds_a_port_that_answers_is_remembered_when_it_is_gone() -> None:
    held = held_before()
    assert held.holds("shop")
    held.remember(EMPTY)
    assert held.lost()
    assert not held.holds("shop")
    told = held.known_of(TARGET, REFUSED, EMPTY, FakeReader())
    assert told == (TARGET, Former(HOLDER, has_ended=True))


def test_a_look_that_passes_after_the_report_is_held_against_it() -> None:
    held = HeldBefore({"shop": TARGET})
    held.remember(HELD)
    held.passed("shop", [PASSED])
    assert held.holds("shop")


def test_a_process_that_lives_has_not_ended_and_a_zombie_has() -> None:
    alive = FakeReader(processes={812: HOLDER})
    assert held_before().known_of(TARGET, REFUSED, EMPTY, alive)[1] == Former(HOLDER, has_ended=False)
    zombie = FakeReader(processes={812: replace(HOLDER, state=ProcessState.ZOMBIE)})
    assert held_before().known_of(TARGET, REFUSED, EMPTY, zombie)[1] == Former(HOLDER, has_ended=True)
    another = FakeReader(processes={812: replace(HOLDER, start_ticks=999)})
    assert held_before().known_of(TARGET, REFUSED, EMPTY, another)[1] == Former(HOLDER, has_ended=True)


def test_nothing_is_told_while_somebody_holds_the_port_or_the_configuration_names_one() -> None:
    assert held_before().known_of(TARGET, REFUSED, HELD, FakeReader()) == (TARGET, None)
    named = replace(TARGET, unit="shop")
    assert held_before(target=named).known_of(named, REFUSED, EMPTY, FakeReader()) == (named, None)


def test_a_unit_of_the_system_stands_for_its_process_and_a_session_does_not() -> None:
    assert held_before(in_unit("shop.service")).unit_of("shop") == "shop.service"
    assert held_before(in_unit("session-3.scope")).unit_of("shop") is None
    assert held_before(in_unit("user@1000.service", "shop.service")).unit_of("shop") is None


def test_events_find_their_targets() -> None:
    held = held_before(in_unit("shop.service"))
    assert held.at_port(6379) == {"shop"}
    assert held.at_port(6380) == set()
    assert held.by_process(HOLDER) == {"shop"}
    assert held.by_process(replace(HOLDER, start_ticks=1)) == set()
    assert held.by_unit("shop.service") == {"shop"}
    assert held.by_container("shop") == set()


def test_the_end_of_a_script_finds_the_target_that_names_it() -> None:
    ended = process(901, "python3", command=("python3", "/srv/shop.py"))
    held = held_before(target=replace(TARGET, process="shop.py"))
    assert held.by_process(ended) == {"shop"}
    assert held.by_process(replace(ended, command=("python3", "/srv/other.py"))) == set()


def test_the_kernel_s_kill_is_told_before_a_mere_end() -> None:
    killed = replace(EMPTY, memory_kills=(MemoryKill(812, "shop", NOW),))
    for report, cause in ((EMPTY, Cause.NOT_RUNNING), (killed, Cause.OUT_OF_MEMORY)):
        evidence = Evidence(TARGET, (REFUSED,), report, Former(HOLDER, has_ended=True))
        verdict = judge(evidence)
        assert (verdict.layer, verdict.cause) == (Layer.HOST, cause)
        assert "shop (pid 812)" in verdict.summary


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (("shop", "--password", "canary"), "shop"),
        (("shop: master process ./shop --password canary",), "/usr/bin/shop"),  # a title of its own
        (None, "/usr/bin/shop"),
    ],
)
def test_the_next_step_names_the_program_that_has_ended(
    command: tuple[str, ...] | None, program: str
) -> None:
    former = Former(replace(HOLDER, command=command), has_ended=True)
    verdict = judge(Evidence(TARGET, (REFUSED,), EMPTY, former))
    assert verdict.next == (f"Start it again; it was started as {program}",)


def test_a_program_that_was_started_by_a_link_is_named_by_the_link() -> None:
    title = process(812, "redis-server", command=("redis-server 127.0.0.1:6379",))
    former = Former(replace(title, executable="/usr/bin/redis-check-rdb"), has_ended=True)
    verdict = judge(Evidence(TARGET, (REFUSED,), EMPTY, former))
    assert verdict.next == ("Start it again; it was started as redis-server",)


def test_others_of_the_configured_name_run_on_and_the_one_that_held_the_port_does_not() -> None:
    target = replace(TARGET, process="shop")
    beside = process(900, "shop")
    successor = replace(beside, started_at=NOW + timedelta(seconds=1))
    held = held_before(replace(HELD, processes=(HOLDER, beside)), target)
    for runs, cause in ((beside, Cause.NOT_RUNNING), (successor, Cause.NOT_LISTENING)):
        report = replace(EMPTY, processes=(runs,))
        known, former = held.known_of(target, REFUSED, report, FakeReader(processes={900: runs}))
        verdict = judge(Evidence(known, (REFUSED,), report, former))
        assert (verdict.layer, verdict.cause) == (Layer.HOST, cause), verdict.summary
        assert f"pid {812 if runs is beside else 900}" in verdict.summary


def test_only_those_whose_port_changed_hands_are_held_against_a_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thousands stay as they are, and how many wait for one of them is no matter of hands."""
    asked: list[str] = []
    recall = HeldBefore._recall

    def counted(self: HeldBefore, name: str, report: HostReport) -> None:
        asked.append(name)
        recall(self, name, report)

    held = held_before()
    monkeypatch.setattr(HeldBefore, "_recall", counted)
    (listener,) = HELD.listeners
    waiting = replace(listener, socket=replace(listener.socket, queue=5), queued_since=NOW)
    held.remember(replace(HELD, listeners=(waiting,)))
    assert asked == []
    held.remember(replace(HELD, listeners=(replace(waiting, owner=Owner(813, (813,))),)))
    held.remember(EMPTY)
    assert asked == ["shop", "shop"]
    assert not held.holds("shop")


def test_a_named_process_is_not_missed_while_its_unit_restarts() -> None:
    target = replace(TARGET, process="shop")
    held = held_before(in_unit("shop.service"), target)
    for state, cause in (("activating", Cause.REFUSED), ("inactive", Cause.NOT_RUNNING)):
        report = replace(EMPTY, boot=Boot("b", NOW, NOW), units=(unit("shop.service", active_state=state),))
        known, former = held.known_of(target, REFUSED, report, FakeReader())
        assert judge(Evidence(known, (REFUSED,), report, former)).cause is cause
