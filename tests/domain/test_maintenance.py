from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trueup.domain.cron import parse_cron
from trueup.domain.maintenance import Maintenance
from trueup.domain.selector import Selector
from trueup.domain.weekly import parse_weekly

ALL = Selector(("*",))
START = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)


def test_once_lasts_from_its_start_until_just_before_its_end() -> None:
    once = Maintenance(ALL, 7200, from_at=START)
    assert not once.covers(START - timedelta(seconds=1))
    assert once.covers(START)
    assert once.ends_at(START + timedelta(minutes=90)) == START + timedelta(hours=2)
    assert not once.covers(START + timedelta(hours=2))


def test_weekly_is_on_the_wall_clock_of_its_zone() -> None:
    weekly = Maintenance(ALL, 3600, weekly=parse_weekly("Sun 02:00"), timezone=ZoneInfo("Europe/Berlin"))
    assert not weekly.covers(datetime(2026, 3, 15, 0, 59, tzinfo=UTC))
    assert weekly.covers(datetime(2026, 3, 15, 1, 0, tzinfo=UTC))
    assert weekly.covers(datetime(2026, 3, 15, 1, 59, tzinfo=UTC))
    assert not weekly.covers(datetime(2026, 3, 15, 2, 0, tzinfo=UTC))


def test_by_cron_over_midnight() -> None:
    nightly = Maintenance(ALL, 4 * 3600, cron=parse_cron("0 22 * * *"))
    assert nightly.ends_at(datetime(2026, 3, 15, 1, 0, tzinfo=UTC)) == datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
    assert not nightly.covers(datetime(2026, 3, 15, 3, 0, tzinfo=UTC))
