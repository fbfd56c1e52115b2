"""What an agent's word adds to evidence, and what it never does."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.app.test_held_before import HELD, PASSED, REFUSED
from tests.app.test_held_before import TARGET as PLAIN
from tests.host.fake_reader import NOW, FakeClock, listening, process
from trueup.app.agents_desk import Told
from trueup.app.reports import Reports
from trueup.diagnosis.judge import judge
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.host.agent_report import AgentReport, LocalLook
from trueup.host.facts import InterfaceAddress, Owner, ProcessState
from trueup.host.report import HostReport, Listener

TARGET = replace(PLAIN, host="db-1")
LATER = NOW + timedelta(seconds=10)
SILENT = Observation(Layer.SERVICE, Outcome.FAIL, NOW, Cause.SILENT, "nothing", facts={"peer": "127.0.0.1"})
STOPPED = HostReport(
    "db-1",
    LATER,
    None,
    addresses=(InterfaceAddress("lo", "127.0.0.1", 8),),
    listeners=(Listener(listening(6379), "shop", Owner(812, (812,)), "shop"),),
    processes=(process(812, "shop", state=ProcessState.STOPPED),),
)
LOOK = LocalLook("127.0.0.1", 6379, Layer.SERVICE, Outcome.FAIL, LATER, Cause.SILENT, "nothing said")


def told(report: HostReport, *looks: LocalLook, sent_at: datetime | None = None) -> Told:
    received_at = FakeClock(report.taken_at).now()
    return Told("db-1", AgentReport(report, 15.0, looks), sent_at or report.taken_at, received_at)


def test_a_failure_is_explained_by_what_was_taken_after_it() -> None:
    reports = Reports(FakeClock(LATER))
    assert reports.take(told(STOPPED, LOOK))
    verdict = judge(reports.evidence(TARGET, [SILENT]))
    assert (verdict.layer, verdict.cause) == (Layer.HOST, Cause.PAUSED)
    assert [seen.vantage for seen in verdict.observations] == ["local", "agent:db-1", "agent:db-1"]


def test_the_machine_before_the_failure_explains_nothing() -> None:
    reports = Reports(FakeClock(LATER))
    reports.take(told(replace(STOPPED, taken_at=NOW - timedelta(seconds=1))))
    verdict = judge(reports.evidence(TARGET, [SILENT]))
    assert (verdict.layer, verdict.cause) == (Layer.SERVICE, Cause.SILENT)


def test_the_agent_s_clock_need_not_be_ours() -> None:
    ahead = timedelta(minutes=3)
    reports = Reports(FakeClock(LATER))
    report = replace(STOPPED, taken_at=NOW - timedelta(seconds=5) + ahead)
    reports.take(Told("db-1", AgentReport(report, 15.0), NOW + ahead, NOW))  # taken 5 s before the failure
    assert judge(reports.evidence(TARGET, [SILENT])).cause is Cause.SILENT


def test_a_silent_agent_changes_no_target_s_state() -> None:
    clock = FakeClock(LATER)
    reports = Reports(clock)
    for seen, state in ((PASSED, State.UP), (REFUSED, State.DOWN)):
        never = judge(reports.evidence(TARGET, [seen]))
        assert (never.state, never.cause) == (state, seen.cause)
        (host,) = [one for one in never.observations if one.layer is Layer.HOST]
        assert (host.outcome, host.cause, host.vantage) == (
            Outcome.UNKNOWN,
            Cause.AGENT_SILENT,
            "agent:db-1",
        )
    reports.take(told(STOPPED))
    clock.pass_time(seconds=44)
    assert judge(reports.evidence(TARGET, [PASSED])).observations == (PASSED,)
    clock.pass_time(seconds=2)
    assert judge(reports.evidence(TARGET, [SILENT])).cause is Cause.SILENT
    assert reports.evidence(TARGET, [PASSED]).observations[-1].cause is Cause.AGENT_SILENT


def test_an_older_report_that_comes_late_is_passed_over() -> None:
    reports = Reports(FakeClock(LATER))
    assert reports.take(told(STOPPED))
    assert not reports.take(told(replace(HELD, host="db-1", taken_at=NOW)))
    known = reports.newest("db-1")
    assert known is not None
    assert known.report == STOPPED


def test_a_report_that_waited_is_as_old_as_it_is() -> None:
    clock = FakeClock(LATER)
    reports = Reports(clock)
    reports.take(told(STOPPED, sent_at=LATER + timedelta(seconds=46)))
    assert reports.newest("db-1") is None


def test_news_is_what_differs_in_what_keeps_the_target() -> None:
    reports = Reports(FakeClock(LATER))
    reports.take(told(STOPPED))
    assert not reports.has_news_of(TARGET)
    reports.take(told(replace(STOPPED, taken_at=LATER + timedelta(seconds=1))))
    assert not reports.has_news_of(TARGET)
    reports.take(told(replace(STOPPED, taken_at=LATER + timedelta(seconds=2), listeners=())))
    assert reports.has_news_of(TARGET)
