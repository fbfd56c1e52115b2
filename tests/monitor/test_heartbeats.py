"""Every row of the table, and the moments at which one becomes the other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trueup.domain.causes import Cause
from trueup.domain.cron import parse_cron
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.states import Outcome
from trueup.monitor.heartbeats import AWAITED, Judged, Reported, judged

NOW = datetime(2026, 11, 21, 3, 5, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
DAILY = Heartbeat(every_s=86400.0, grace_s=3600.0)
NIGHTLY = Heartbeat(cron=parse_cron("0 3 * * *"), grace_s=3600.0)
SUCCESS = Reported(NOW, "success")


def found(
    last: Reported, after: timedelta, heartbeat: Heartbeat = DAILY, excused: timedelta = -HOUR
) -> Judged:
    return judged(heartbeat, last, NOW + after, NOW + excused)


@pytest.mark.parametrize("kind", ["success", "0"])
def test_a_success_holds_until_the_next_is_later_than_the_grace(kind: str) -> None:
    last = replace(SUCCESS, kind=kind)
    in_time = found(last, 25 * HOUR - SECOND)
    assert (in_time.outcome, in_time.cause, in_time.changes_at) == (Outcome.PASS, None, NOW + 25 * HOUR)
    late = found(last, 25 * HOUR)
    assert (late.outcome, late.cause, late.changes_at) == (Outcome.FAIL, Cause.MISSED_HEARTBEAT, None)
    assert "hasn't reported since 2026-11-21T03:05:00.000Z" in late.detail
    assert "every 1d, with 1h of grace" in late.detail


def test_by_cron_the_next_one_counts() -> None:
    assert found(SUCCESS, timedelta(0), NIGHTLY).changes_at == datetime(2026, 11, 22, 4, tzinfo=UTC)
    assert found(SUCCESS, 24 * HOUR, NIGHTLY).outcome is Outcome.PASS
    late = found(SUCCESS, 25 * HOUR, NIGHTLY)
    assert late.cause is Cause.MISSED_HEARTBEAT
    assert 'at "0 3 * * *"' in late.detail


@pytest.mark.parametrize(("kind", "words"), [("fail", "failure"), ("3", "exit status 3")])
def test_a_reported_failure_is_an_error_answer_and_then_missed(kind: str, words: str) -> None:
    last = Reported(NOW, kind, said="no space left")
    failed = found(last, HOUR)
    assert (failed.outcome, failed.cause) == (Outcome.FAIL, Cause.ERROR_ANSWER)
    assert failed.detail == f"the job reported {words} at 2026-11-21T03:05:00.000Z: no space left"
    assert found(last, 25 * HOUR).cause is Cause.MISSED_HEARTBEAT


def test_what_never_reported_is_unknown_until_it_should_have() -> None:
    last = Reported(NOW, AWAITED)
    early = found(last, HOUR)
    assert (early.outcome, early.cause) == (Outcome.UNKNOWN, None)
    assert "the first is due by 2026-11-22T04:05:00.000Z" in early.detail
    late = found(last, 25 * HOUR)
    assert (late.outcome, late.cause) == (Outcome.FAIL, Cause.MISSED_HEARTBEAT)
    assert "hasn't reported yet" in late.detail


def test_what_started_has_the_grace_to_end_in() -> None:
    last = replace(SUCCESS, started_at=NOW + 20 * HOUR)
    running = found(last, 21 * HOUR - SECOND)
    assert (running.outcome, running.changes_at) == (Outcome.PASS, NOW + 21 * HOUR)
    hangs = found(last, 21 * HOUR)
    assert hangs.cause is Cause.MISSED_HEARTBEAT
    assert "started at 2026-11-21T23:05:00.000Z and hasn't ended within 1h" in hangs.detail


def test_a_monitor_that_was_away_waits_for_one_grace() -> None:
    away = found(SUCCESS, 26 * HOUR, excused=27 * HOUR)
    assert (away.outcome, away.cause, away.changes_at) == (Outcome.UNKNOWN, None, NOW + 27 * HOUR)
    assert found(SUCCESS, 27 * HOUR, excused=27 * HOUR).cause is Cause.MISSED_HEARTBEAT
    assert found(SUCCESS, 24 * HOUR, excused=27 * HOUR).outcome is Outcome.PASS


def test_what_never_comes_again_is_never_missed() -> None:
    once = Heartbeat(cron=parse_cron("0 0 29 2 *"))
    later = found(SUCCESS, 365 * 24 * HOUR, once)
    assert later.outcome is Outcome.PASS
    assert later.changes_at is not None


def test_facts_say_what_was_reported_and_when_the_next_is_due() -> None:
    facts = found(replace(SUCCESS, took_s=12.5), HOUR).facts
    assert facts == {
        "heartbeat": "success",
        "reported_at": "2026-11-21T03:05:00.000Z",
        "due_at": "2026-11-22T04:05:00.000Z",
        "took_s": 12.5,
    }
