from datetime import UTC, datetime, timedelta

import pytest

from trueup.domain.cron import parse_cron
from trueup.domain.heartbeat import Heartbeat

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_a_report_is_missed_after_its_period_and_its_grace() -> None:
    assert Heartbeat(every_s=86400, grace_s=1800).missed_at(NOW) == NOW + timedelta(hours=24, minutes=30)


def test_a_report_by_cron_is_missed_after_its_next_time_and_its_grace() -> None:
    nightly = Heartbeat(cron=parse_cron("0 3 * * *"), grace_s=600)
    assert nightly.missed_at(NOW) == datetime(2026, 3, 11, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("heartbeat", "lateness_s"),
    [
        (Heartbeat(every_s=60), 60),
        (Heartbeat(every_s=86400), 3600),
        (Heartbeat(cron=parse_cron("@daily")), 3600),
        (Heartbeat(every_s=60, grace_s=0), 0),
    ],
)
def test_the_grace_that_nobody_wrote(heartbeat: Heartbeat, lateness_s: float) -> None:
    assert heartbeat.lateness_s == lateness_s
