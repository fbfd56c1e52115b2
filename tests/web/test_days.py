"""Days, and the share of time that was up."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.web.scripted import incident
from trueup.domain.clock import timestamp
from trueup.web.days import Day, bars, days, percent, uptime

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def points(*ago: int) -> list[dict[str, object]]:
    return [{"at": timestamp(NOW - timedelta(days=one)), "state": "down"} for one in ago]


def trouble(begin_h: float, end_h: float | None, **words: object) -> dict[str, object]:
    return incident(
        1,
        "t",
        opened_at=timestamp(NOW - timedelta(hours=begin_h)),
        closed_at=None if end_h is None else timestamp(NOW - timedelta(hours=end_h)),
        **words,
    )


def states(some: list[Day]) -> list[str]:
    return [one.state for one in some]


def test_a_day_is_as_bad_as_what_was_confirmed_on_it() -> None:
    # From 23:00 the day before yesterday to 01:00 yesterday; and something slow that still is.
    found = days(points(0, 1, 2), [trouble(37, 35), trouble(2, None, state="degraded")], NOW, 4)
    assert states(found) == ["none", "down", "down", "degraded"]
    assert [one.down_s for one in found] == [0, 3600, 3600, 0]
    assert found[-1].length_s == 12 * 3600


def test_days_that_were_alike_are_drawn_as_one_and_each_that_was_down_alone() -> None:
    found = bars(days(points(1, 2, 3, 4), [trouble(12 + 36, 12)], NOW, 7))
    assert [(run.days[0].state, run.first, len(run.days)) for run in found.runs] == [
        ("none", 0, 2),
        ("up", 2, 2),
        ("down", 4, 1),
        ("down", 5, 1),
        ("none", 6, 1),
    ]
    assert found.says == "7 days: 2 with something down, 0 degraded, 3 without data"


def test_what_was_never_confirmed_counts_for_nothing() -> None:
    assert states(days(points(0), [trouble(2, 1, confirmed_at=None)], NOW, 1)) == ["up"]


def test_uptime_is_of_the_days_on_which_somebody_looked() -> None:
    assert uptime(days([], [], NOW, 3)) is None
    assert uptime(days(points(0), [trouble(6, 3)], NOW, 3)) == pytest.approx(0.75)


def test_an_incident_that_is_open_lasts_until_now() -> None:
    assert days(points(0), [trouble(3, None)], NOW, 1)[0].down_s == 3 * 3600


@pytest.mark.parametrize(
    ("share", "said"),
    [(None, "–"), (1.0, "100 %"), (0.999999, "99.999 %"), (0.75, "75 %"), (0.99786, "99.786 %")],
)
def test_a_percentage_is_never_rounded_up(share: float | None, said: str) -> None:
    assert percent(share) == said
