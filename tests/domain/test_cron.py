from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.domain.cron import CronError, parse_cron

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-03-10T12:01"),
        ("*/15 * * * *", "2026-03-10T12:15"),
        ("0 3 * * *", "2026-03-11T03:00"),
        ("0 2 * * 0", "2026-03-15T02:00"),
        ("0 2 * * 7", "2026-03-15T02:00"),
        ("0 2 * * sun", "2026-03-15T02:00"),
        ("30 8 * * Mon-Fri", "2026-03-11T08:30"),
        ("0 0 1 jan *", "2027-01-01T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("0 0 13 * 5", "2026-03-13T00:00"),  # the 13th or a Friday, whichever comes first
        ("0 0 20 * 5", "2026-03-13T00:00"),
        ("0 0 */2 * 5", "2026-03-13T00:00"),  # a day with * first restricts, as in Vixie cron
        ("5,10 12-13 * * *", "2026-03-10T12:05"),
        ("50/5 * * * *", "2026-03-10T12:50"),
        ("@daily", "2026-03-11T00:00"),
        ("@hourly", "2026-03-10T13:00"),
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    found = parse_cron(text).next_after(START)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_time_is_never_its_own_next() -> None:
    assert parse_cron("0 12 * * *").next_after(START) == START + timedelta(days=1)


def test_the_fields_are_wall_clock_time_in_the_zone() -> None:
    assert parse_cron("0 3 * * *").next_after(START, BERLIN) == datetime(2026, 3, 11, 2, 0, tzinfo=UTC)


def test_a_time_skipped_by_summer_time_comes_as_much_later() -> None:
    before = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)  # 01:00; at 02:00 it is 03:00
    assert parse_cron("30 2 * * *").next_after(before, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    # and a later time on the wall that comes earlier isn't passed over
    assert parse_cron("30 2,3 * * *").next_after(before, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert parse_cron("0,30 2,3 * * *").next_after(before, BERLIN) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_time_repeated_by_winter_time_comes_once() -> None:
    before = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00; at 03:00 it is 02:00 again
    cron = parse_cron("30 2 * * *")
    first = cron.next_after(before, BERLIN)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert cron.next_after(first, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 3 * *", '4 fields where cron has 5; write minute hour day month weekday, as in "0 3 * * *"'),
        ("", '0 fields where cron has 5; write minute hour day month weekday, as in "0 3 * * *"'),
        ("61 * * * *", "minute 61 is not in 0-59; write 0-59"),
        ("0 24 * * *", "hour 24 is not in 0-23; write 0-23"),
        ("0 0 0 * *", "day of the month 0 is not in 1-31; write 1-31"),
        ("0 0 * * mno", "day of the week mno is not in 0-7; did you mean mon?"),
        ("0 0 * 13 *", "month 13 is not in 1-12; write 1-12"),
        ("*/0 * * * *", "'*/0' has a step of 0; a step is 1 or more"),
        ("0 17-9 * * *", "'17-9' runs backwards; write 9-17, or two ranges"),
        ("a! * * * *", "'a!' is no minute; write 0-59, *, a list as in 1,2, or a step as in */5"),
        ("0 0 31 2 *", "'0 0 31 2 *' never comes; no such month has such a day"),
        ("@dayly", "unknown nickname '@dayly'; did you mean @daily?"),
    ],
)
def test_what_is_no_cron_expression_says_why(text: str, said: str) -> None:
    with pytest.raises(CronError) as raised:
        parse_cron(text)
    assert str(raised.value) == said


_PART = st.sampled_from(["*", "0", "5", "7", "*/3", "1-5", "2,4", "12"])
_DAY = st.sampled_from(["*", "1", "31", "*/10"])


@given(
    st.tuples(
        _PART, _PART, st.sampled_from(("*", "1", "31", "*/10")), st.just("*"), st.sampled_from("*0135")
    ),
    st.integers(0, 366 * 24 * 60),
    st.sampled_from([UTC, BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Antarctica/Troll")]),
)
def test_nothing_lies_between_a_time_and_its_next(
    words: tuple[str, ...], minutes: int, zone: ZoneInfo
) -> None:
    """Against the plainest definition: go on minute by minute until the wall clock fits."""
    cron = parse_cron(" ".join(words))
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = cron.next_after(moment, zone)
    assert found is not None
    assert found > moment
    tried = moment + timedelta(minutes=1)
    while tried < min(found, moment + timedelta(hours=30)):
        local = tried.astimezone(zone)
        fits = local.minute in cron.minutes and local.hour in cron.hours and cron._falls_on(local.date())
        assert not fits or local.fold, (tried, found)
        tried += timedelta(minutes=1)
