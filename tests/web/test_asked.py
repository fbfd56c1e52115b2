"""Words of a request, read with all their problems at once."""

from datetime import UTC, datetime, timedelta

import pytest

from trueup.web.asked import Asked
from trueup.web.refusal import Refusal

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("2026-11-21T09:00:00Z", NOW - timedelta(hours=1)),
        ("2026-11-21T10:00:00+01:00", NOW - timedelta(hours=1)),
        ("2026-11-21T10:00:00 01:00", NOW - timedelta(hours=1)),  # a plus that was sent as it is
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        (str(int(NOW.timestamp())), NOW),
        ("", NOW),
    ],
)
def test_times(said: str, moment: datetime) -> None:
    asked = Asked({"since": said}, NOW)
    assert (asked.moment("since", NOW), asked.problems) == (moment, [])


@pytest.mark.parametrize("said", ["soon", "2026-13-01", "9" * 400, "٣h", "\x00"])
def test_what_is_no_time_is_told_once_and_printably(said: str) -> None:
    asked = Asked({"since": said}, NOW)
    assert asked.moment("since", NOW) == NOW
    assert len(asked.problems) == 1
    assert asked.problems[0]["problem"].isprintable()


def test_all_problems_come_at_once() -> None:
    asked = Asked({"limit": "-1", "state": "x", "for": "2", "nota": "y"}, NOW)
    asked.whole("limit", 10, 1, 100)
    asked.one_of("state", "open")
    asked.seconds("for", 1.0)
    asked.only("limit", "state", "for", "note")
    with pytest.raises(Refusal) as refused:
        asked.finish()
    assert [one["field"] for one in refused.value.more["problems"]] == ["limit", "state", "for", "nota"]
    assert refused.value.more["problems"][2]["hint"] == "write 2s"
    assert refused.value.more["problems"][3]["hint"] == "did you mean note?"


def test_a_number_that_is_too_large_is_cut_down() -> None:
    assert Asked({"limit": "5000"}).whole("limit", 10, 1, 100) == 100
