from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from trueup.domain.business_hours import BusinessHours
from trueup.domain.weekly import parse_hours, parse_weekdays

BERLIN = BusinessHours(ZoneInfo("Europe/Berlin"))
NIGHT = BusinessHours(UTC, parse_weekdays("Fri"), parse_hours("22:00-06:00"))


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        ("2026-03-10T07:59", False),  # 08:59 in Berlin, a Tuesday
        ("2026-03-10T08:00", True),
        ("2026-03-10T16:59", True),
        ("2026-03-10T17:00", False),
        ("2026-03-14T10:00", False),  # a Saturday
        ("2026-07-07T07:00", True),  # summer time
    ],
)
def test_business_hours_are_on_the_wall_clock_of_their_zone(moment: str, covered: bool) -> None:
    assert BERLIN.covers(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is covered


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        ("2026-03-13T21:59", False),
        ("2026-03-13T22:00", True),
        ("2026-03-14T05:59", True),  # Saturday morning belongs to Friday's night
        ("2026-03-14T06:00", False),
        ("2026-03-13T05:00", False),
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(moment: str, covered: bool) -> None:
    assert NIGHT.covers(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is covered


def test_when_they_open_next() -> None:
    friday_evening = datetime(2026, 3, 13, 20, 0, tzinfo=UTC)
    assert BERLIN.opens_at(friday_evening) == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
    inside = datetime(2026, 3, 13, 9, 30, tzinfo=UTC)
    assert BERLIN.opens_at(inside) == inside


def test_the_whole_day_ends_at_midnight() -> None:
    always = BusinessHours(UTC, parse_weekdays("Mon"), parse_hours("00:00-24:00"))
    assert always.covers(datetime(2026, 3, 9, 23, 59, tzinfo=UTC))
    assert not always.covers(datetime(2026, 3, 10, 0, 0, tzinfo=UTC))
