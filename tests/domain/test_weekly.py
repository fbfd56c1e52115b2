from datetime import UTC, datetime

import pytest

from trueup.domain.weekly import WeeklyError, parse_hours, parse_weekdays, parse_weekly


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("Sat,Sun", {5, 6}),
        ("Sat-Mon", {5, 6, 0}),
        ("sunday", {6}),
        ("Mon, Wed-Thu", {0, 2, 3}),
        ("Tue-Mon", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_days_of_the_week(text: str, days: set[int]) -> None:
    assert parse_weekdays(text).days == days


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("09:00-18:00", (540, 1080)), ("9:00-18:30", (540, 1110)), ("22:00-06:00", (1320, 360))],
)
def test_hours_of_the_day(text: str, minutes: tuple[int, int]) -> None:
    hours = parse_hours(text)
    assert (hours.start_min, hours.end_min) == minutes
    assert parse_hours("00:00-24:00").end_min == 1440


def test_a_time_of_the_week_comes_on_its_days() -> None:
    tuesday = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    sunday = parse_weekly("Sun 02:00").next_after(tuesday)
    assert sunday == datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
    assert parse_weekly("Mon,Thu 02:30").next_after(tuesday) == datetime(2026, 3, 12, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [
        (parse_weekdays, "Mon-Fry", "'Fry' is no day; did you mean Fri?"),
        (parse_weekdays, "", "'' is no day; days are Mon Tue Wed Thu Fri Sat Sun"),
        (parse_weekdays, "wensday", "'wensday' is no day; did you mean Wed?"),
        (parse_hours, "9-18", "'9-18' is no part of a day; write it as in 09:00-18:00"),
        (parse_hours, "09:00", "'09:00' is no part of a day; write it as in 09:00-18:00"),
        (parse_hours, "09:00-25:00", "'09:00-25:00' is no part of a day; write it as in 09:00-18:00"),
        (parse_hours, "09:00-09:00", "'09:00-09:00' ends as it begins; write 00:00-24:00 for the whole day"),
        (parse_weekly, "Sunday", "'Sunday' is no time of the week; write it as in Sun 02:00"),
        (parse_weekly, "02:00", "'02:00' is no time of the week; write it as in Sun 02:00"),
        (parse_weekly, "Snu 02:00", "'Snu' is no day; did you mean Sun?"),
    ],
)
def test_what_cant_be_read_says_what_to_write(parse: object, text: str, said: str) -> None:
    assert callable(parse)
    with pytest.raises(WeeklyError) as raised:
        parse(text)
    assert str(raised.value) == said
