"""Jobs report, are late, hang and come back, on a clock of our own."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from trueup.app.beats import Beats
from trueup.domain.causes import Cause
from trueup.domain.cron import parse_cron
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.observation import Observation
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.store.state import Beat

Said = tuple[Outcome, Cause | None]
START = datetime(2026, 11, 21, 3, tzinfo=UTC)
HOURLY = Heartbeat(every_s=3600.0, grace_s=600.0)
CONFIGURED = Heartbeat(every_s=3600.0, token=Secret("chosen-by-the-user"))
KEY = b"k" * 32


class FakeClock:
    def __init__(self, now: datetime = START) -> None:
        self.wall, self.passed_s = now, 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic_s(self) -> float:
        return self.passed_s

    def sleep(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed_s += seconds


def token(beats: Beats) -> str:
    address = beats.address("backup")
    assert address is not None
    return address.removeprefix("/api/v1/heartbeats/")


class Bed:
    def __init__(self, *known: Beat, now: datetime = START, heartbeat: Heartbeat = HOURLY) -> None:
        self.clock = FakeClock(now)
        self.kept: dict[str, Beat] = {}
        self.beats = Beats(self.clock, lambda beat: self.kept.update({beat.target: beat}))
        self.beats.plan({"backup": heartbeat, "other": CONFIGURED})
        self.beats.recall(KEY, known)

    def report(self, kind: str, body: str = "") -> None:
        assert self.beats.beat(token(self.beats), kind, body) == ["backup"]

    def seen(self) -> Observation:
        found = self.beats.observation("backup", "fra")
        assert found is not None
        assert found.vantage == "fra"
        return found

    @property
    def outcome(self) -> Said:
        return self.seen().outcome, self.seen().cause


MISSED: Final[Said] = (Outcome.FAIL, Cause.MISSED_HEARTBEAT)
FAILED: Final[Said] = (Outcome.FAIL, Cause.ERROR_ANSWER)
UNKNOWN: Final[Said] = (Outcome.UNKNOWN, None)
PASS: Final[Said] = (Outcome.PASS, None)


def test_a_job_reports_is_late_fails_and_comes_back() -> None:
    bed = Bed()
    assert bed.outcome == UNKNOWN
    bed.report("success")
    assert bed.outcome == PASS
    bed.clock.sleep(4199)
    assert bed.beats.come_due() == []
    assert bed.outcome == PASS
    bed.clock.sleep(1)
    assert bed.beats.come_due() == ["backup"]
    assert bed.outcome == MISSED
    assert bed.beats.come_due() == []
    bed.report("3", "\n\x1b[31mdisk full\nmore")
    assert bed.outcome == FAILED
    assert bed.seen().detail.endswith("disk full")
    assert "\x1b" not in bed.seen().detail
    bed.report("0")
    assert bed.outcome == PASS


def test_a_run_is_timed_and_one_that_hangs_is_missed() -> None:
    bed = Bed()
    bed.report("success")
    bed.report("start")
    bed.clock.sleep(90)
    bed.report("success")
    assert bed.seen().facts["took_s"] == 90
    assert bed.seen().detail.endswith(", after 90.0 s")
    bed.report("success")
    assert bed.seen().facts["took_s"] is None
    bed.report("start")
    bed.clock.sleep(600)
    assert bed.outcome == MISSED
    bed.report("start")
    assert bed.outcome == PASS


def test_what_was_reported_outlives_the_process() -> None:
    bed = Bed()
    bed.report("success")
    bed.report("start")
    later = Bed(bed.kept["backup"], now=START + timedelta(seconds=60))
    assert later.outcome == PASS
    later.report("success")
    assert later.seen().facts["took_s"] == 60


def test_after_a_restart_nothing_is_missed_within_the_grace() -> None:
    bed = Bed(Beat("backup", START, "success"), now=START + timedelta(days=3))
    assert bed.outcome == UNKNOWN
    bed.clock.sleep(599)
    assert bed.outcome == UNKNOWN
    bed.clock.sleep(1)
    assert bed.beats.come_due() == ["backup"]
    assert bed.outcome == MISSED


def test_a_job_that_never_reports_is_missed_across_restarts() -> None:
    first = Bed()
    second = Bed(first.kept["backup"], now=START + timedelta(hours=2))
    assert second.outcome == UNKNOWN
    second.clock.sleep(600)
    assert second.outcome == MISSED


def test_setting_the_clock_makes_no_report_late() -> None:
    bed = Bed()
    bed.report("success")
    bed.clock.wall += timedelta(days=1)
    assert bed.outcome == PASS
    bed.clock.wall -= timedelta(days=2)
    assert bed.outcome == PASS
    bed.clock.sleep(4200)
    assert bed.outcome == MISSED


def test_time_that_passed_without_us_is_excused_for_one_grace() -> None:
    bed = Bed(heartbeat=Heartbeat(cron=parse_cron("0 * * * *"), grace_s=600.0))
    bed.report("success")
    bed.clock.wall += timedelta(hours=8)
    bed.beats.excuse_all()
    assert bed.outcome == UNKNOWN
    bed.clock.sleep(600)
    assert bed.beats.come_due() == ["backup"]
    assert bed.outcome == MISSED


def test_tokens_are_made_or_chosen_and_nobody_else_s() -> None:
    bed = Bed()
    assert len(token(bed.beats)) >= 22
    assert bed.beats.address("other") == "/api/v1/heartbeats/chosen-by-the-user"
    assert bed.beats.beat("chosen-by-the-user", "success", "") == ["other"]
    assert bed.beats.beat("nobody's", "success", "") == []
    assert bed.beats.beat("", "success", "") == []
    assert bed.beats.address("unknown") is None
    other = Beats(bed.clock, lambda _: None)
    other.plan({"backup": HOURLY})
    assert other.address("backup") is None
    other.recall(b"another key", [])
    assert token(other) != token(bed.beats)


def test_a_reload_keeps_what_is_known_and_forgets_whose_token_it_was() -> None:
    bed = Bed()
    bed.report("success")
    bed.clock.sleep(300)
    bed.beats.plan({"backup": HOURLY})
    assert bed.outcome == PASS
    assert bed.beats.beat("chosen-by-the-user", "success", "") == []
    assert bed.beats.observation("other", "fra") is None


@pytest.mark.parametrize("kind", ["success", "0"])
def test_each_report_is_given_to_the_store(kind: str) -> None:
    bed = Bed()
    bed.report(kind, "all is well")
    assert bed.kept["backup"] == Beat("backup", START, kind, "all is well")
