"""What people read: for somebody who has just been woken."""

from datetime import timedelta
from typing import Any

import pytest

from tests.alerts.made import NOW, parcel, row
from trueup.alerts.wording import body, lines, text, title
from trueup.domain.alert import Notification
from trueup.domain.causes import Cause
from trueup.domain.states import State

SINCE = NOW - timedelta(minutes=192)
JUST_NOW = NOW - timedelta(seconds=20)
DAYS_AGO = NOW - timedelta(days=2, hours=5, minutes=9)


def made(event: str = "opened", incident: int = 17, **said: Any) -> Notification:
    return row(event, incident, **({"since": SINCE} | said))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([made()], "DOWN: shop-17: overloaded"),
        ([made(state=State.DEGRADED, cause=Cause.SLOW)], "DEGRADED: shop-17: slow"),
        ([made("changed", cause=Cause.REFUSED)], "DOWN: shop-17: refused"),
        ([made("reminder")], "still DOWN: shop-17: overloaded, for 3 h 12 min"),
        ([made("reminder", since=None)], "still DOWN: shop-17: overloaded"),
        ([made("escalated")], "ESCALATED, still DOWN: shop-17: overloaded, for 3 h 12 min"),
        ([made("opened"), made("escalated")], "DOWN: shop-17: overloaded"),
        ([made("closed")], "UP: shop-17 is again, after 3 h 12 min"),
        ([made("closed", since=None)], "UP: shop-17 is again"),
        (
            [made("closed", since=NOW - timedelta(seconds=20))],
            "UP: shop-17 is again, after less than a minute",
        ),
        (
            [made("closed", since=NOW - timedelta(days=2, hours=5, minutes=9))],
            "UP: shop-17 is again, after 2 d 5 h",
        ),
        ([made("opened"), made("closed")], "UP: shop-17 was not for 3 h 12 min, and is again"),
        ([made("test", 0)], "trueup: a test, nothing is broken"),
        ([made("undelivered")], "trueup: undelivered alert about shop-17"),
        ([made(incident=1), made(incident=2), made("closed", 3)], "trueup: 2 down, 1 up"),
        ([made(target="x\r\nBcc: y\u202e")], "DOWN: x\\r\\nBcc: y\\u202e: overloaded"),
    ],
)
def test_a_title_says_what_is_how(rows: list[Notification], words: str) -> None:
    assert title(parcel(*rows)) == words


def test_a_text_says_what_to_do() -> None:
    one = made(
        blame="storage",
        next=("look", "mend"),
        impact=("checkout", "mail"),
        url="https://t.example/i/17",
        tier=1,
    )
    assert lines(parcel(one)) == [
        "PostgreSQL answers but takes no more clients",
        "Because of: storage",
        "Next: look",
        "Next: mend",
        "Impact: checkout, mail",
        "incident 17, tier 1, service layer, since 2026-11-24 06:48:00 UTC",
        "https://t.example/i/17",
    ]


def test_an_end_says_when() -> None:
    assert "closed 2026-11-24 10:00:00 UTC" in lines(parcel(made("closed")))[-1]


def test_what_is_over_has_no_impact_any_more() -> None:
    assert "Impact was: checkout" in lines(parcel(made("closed", impact=("checkout",))))
    rows = [made("closed", 1, impact=("checkout",)), made(incident=2, impact=("mail",))]
    assert lines(parcel(*rows))[-1] == "Impact: mail"


def test_a_repeat_says_that_it_may_be_one() -> None:
    assert lines(parcel(row(is_repeat=True)))[-1].startswith("(possible repeat")


def test_many_incidents_are_told_by_their_root() -> None:
    rows = [
        *(made(incident=number, cause=Cause.REFUSED) for number in (1, 2, 3)),
        *(made(incident=number, cause=Cause.NEEDS, blame="db", impact=("web",)) for number in (4, 5)),
        made(incident=6, cause=Cause.DISK_FULL, summary="no space", url="https://t.example/"),
        made("closed", 7),
        made("closed", 8),
    ]
    assert lines(parcel(*rows)) == [
        "DOWN (refused), 3: shop-1, shop-2, shop-3",
        "DOWN (needs, because of db), 2: shop-4, shop-5",
        "DOWN (disk-full): shop-6: no space",
        "UP, 2: shop-7, shop-8",
        "Impact: web",
        "https://t.example/",
    ]


def test_what_fails_for_one_cause_on_one_machine_is_one_line() -> None:
    rows = [
        *(made(incident=number, cause=Cause.NO_ANSWER, host="10.0.0.7") for number in (1, 2, 3)),
        made(incident=4, cause=Cause.NO_ANSWER, host="10.0.0.8"),
        made(incident=5, cause=Cause.NO_ANSWER),
        made(incident=6, cause=Cause.REFUSED, host="10.0.0.7", summary="nothing listens"),
    ]
    assert lines(parcel(*rows)) == [
        "DOWN (no-answer, at 10.0.0.7), 3: shop-1, shop-2, shop-3",
        "DOWN (no-answer), 2: shop-4, shop-5",
        "DOWN (refused): shop-6: nothing listens",
    ]
    assert title(parcel(*rows)) == "trueup: 6 down"
    assert title(parcel(*rows[:3])) == "trueup: 3 down at 10.0.0.7"
    ends = [made("closed", number, host="db-1\x1b") for number in (1, 2)]
    assert lines(parcel(*ends)) == ["UP (at db-1\\x1b), 2: shop-1, shop-2"]


def test_no_name_of_a_full_digest_is_lost() -> None:
    rows = [made(incident=number, target=f"service-{number}") for number in range(100)]
    words = text(parcel(*rows), 4096)
    assert all(f"service-{number}" in words for number in range(100))


def test_nothing_that_a_target_says_leaves_its_line() -> None:
    one = made(summary="a\nb\x1b]0;x\x07", next=("c\rd",), impact=("e\u2028f",))
    assert lines(parcel(one))[:3] == ["a\\nb\\x1b]0;x\\x07", "Next: c\\rd", "Impact: e\\u2028f"]


@pytest.mark.parametrize("room", [40, 200, 1000])
def test_what_is_too_long_is_cut_between_lines(room: int) -> None:
    one = made(summary="é" * 300, next=("🔥" * 100,) * 30)
    assert len(text(parcel(one), room).encode("utf-16-le")) // 2 <= room
    assert len(body(parcel(one), room, in_bytes=True).encode()) <= room
    if room == 1000:
        assert text(parcel(one), room).endswith(" more lines")
