"""Who hears of what, and when: one table, and what follows from it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.alerts.made import alert, channel
from trueup.alerts.routing import Routed, notifications, route
from trueup.domain.alert import EventKind
from trueup.domain.business_hours import BusinessHours
from trueup.domain.tier import Escalate, Tier

DAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday in business hours
NIGHT = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
FRIDAY_NIGHT = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
CHANNELS = {name: channel() for name in ("pager", "mail", "hook")}
ALL = tuple(CHANNELS)
EVERYONE = Tier()
PAGER = Tier(alert=("pager",))
NOBODY = Tier(alert=())
OFFICE = Tier(when="business", escalate=Escalate(86400.0))
BOSS = Tier(alert=("pager",), escalate=Escalate(900.0, ("mail",)))
SILENCED: dict[str, Any] = {"quiet": "silenced by anna until 2026-11-24T12:00:00Z"}
ACKNOWLEDGED: dict[str, Any] = {"acknowledged_by": "anna"}
AGAIN: dict[str, Any] = {"is_escalated": True}
NOW: dict[str, Any] = {}
# (policy, event, told already, when, more) → who, when
TABLE = [
    (EVERYONE, "opened", (), DAY, NOW, ALL, DAY),
    (EVERYONE, "opened", (), NIGHT, NOW, ALL, NIGHT),
    (EVERYONE, "opened", ("mail",), DAY, NOW, ("pager", "hook"), DAY),
    (PAGER, "opened", (), DAY, NOW, ("pager",), DAY),
    (NOBODY, "opened", (), DAY, NOW, (), DAY),
    (Tier(alert=("gone",)), "opened", (), DAY, NOW, (), DAY),
    (EVERYONE, "changed", ("mail",), DAY, NOW, ("mail",), DAY),
    (EVERYONE, "closed", ("mail", "pager"), DAY, NOW, ("pager", "mail"), DAY),
    (EVERYONE, "closed", (), DAY, NOW, (), DAY),
    (EVERYONE, "closed", ("gone",), DAY, NOW, (), DAY),
    (NOBODY, "closed", ("mail",), DAY, NOW, ("mail",), DAY),
    (EVERYONE, "reminder", ("mail",), DAY, NOW, ("mail",), DAY),
    (OFFICE, "opened", (), DAY, NOW, ALL, DAY),
    (OFFICE, "opened", (), NIGHT, NOW, ALL, MORNING),
    (OFFICE, "opened", (), FRIDAY_NIGHT, NOW, ALL, MONDAY),
    (OFFICE, "reminder", ALL, NIGHT, NOW, ALL, MORNING),
    (OFFICE, "closed", ALL, NIGHT, NOW, ALL, MORNING),
    (OFFICE, "escalated", ALL, NIGHT, NOW, ALL, NIGHT),
    (OFFICE, "closed", ALL, NIGHT, AGAIN, ALL, NIGHT),
    (OFFICE, "changed", ALL, NIGHT, AGAIN, ALL, NIGHT),
    (BOSS, "escalated", ("pager",), DAY, NOW, ("mail",), DAY),
    (EVERYONE, "escalated", ALL, DAY, NOW, (), DAY),
    (EVERYONE, "opened", (), DAY, SILENCED, (), DAY),
    (EVERYONE, "changed", ALL, DAY, SILENCED, (), DAY),
    (EVERYONE, "reminder", ALL, DAY, SILENCED, (), DAY),
    (BOSS, "escalated", ALL, DAY, SILENCED, (), DAY),
    (EVERYONE, "closed", ALL, DAY, SILENCED, ALL, DAY),
    (EVERYONE, "reminder", ALL, DAY, ACKNOWLEDGED, (), DAY),
    (BOSS, "escalated", ALL, DAY, ACKNOWLEDGED, (), DAY),
    (EVERYONE, "changed", ALL, DAY, ACKNOWLEDGED, ALL, DAY),
    (EVERYONE, "closed", ALL, DAY, ACKNOWLEDGED, ALL, DAY),
    (EVERYONE, "test", ALL, DAY, NOW, (), DAY),
    (EVERYONE, "undelivered", ALL, DAY, NOW, (), DAY),
]


def routed(policy: Tier, event: str, told: tuple[str, ...] = (), now: datetime = DAY, **more: Any) -> Routed:
    return route(policy, CHANNELS, EventKind(event), told, now=now, hours=BusinessHours(), **more)


@pytest.mark.parametrize(("policy", "event", "told", "now", "more", "who", "due_at"), TABLE)
def test_who_hears_of_it_and_when(
    policy: Tier,
    event: str,
    told: tuple[str, ...],
    now: datetime,
    more: dict[str, Any],
    who: tuple[str, ...],
    due_at: datetime,
) -> None:
    found = routed(policy, event, told, now, **more)
    assert (found.channels, found.due_at) == (who, due_at)


def test_who_is_not_told_and_why_is_said() -> None:
    assert routed(PAGER, "opened", **SILENCED).held == f"not told pager: {SILENCED['quiet']}"
    assert (
        routed(EVERYONE, "reminder", ("mail",), **ACKNOWLEDGED).held == "not told mail: acknowledged by anna"
    )
    assert routed(OFFICE, "opened", now=NIGHT).held == (
        "pager, mail, hook will be told at 2026-11-25T09:00:00.000Z, in business hours"
    )
    assert routed(EVERYONE, "opened").held == ""
    assert routed(NOBODY, "opened", **SILENCED).held == ""


def test_an_escalation_tells_the_beginning_to_who_has_not_heard_it() -> None:
    found = routed(BOSS, "escalated", ("pager",))
    assert found.first_opened == ("mail",)
    rows = notifications(alert("escalated", id="e1"), found, seq=5)
    assert [(one.channel, one.alert.event, one.alert.id, one.seq) for one in rows] == [
        ("mail", "opened", "e1-opened", 5),
        ("mail", "escalated", "e1", 6),
    ]


def test_who_has_heard_it_hears_of_the_escalation_alone() -> None:
    rows = notifications(alert("escalated"), routed(OFFICE, "escalated", ALL), seq=5)
    assert [(one.channel, one.seq) for one in rows] == [("pager", 6), ("mail", 6), ("hook", 6)]


def test_rows_wait_for_their_hour() -> None:
    rows = notifications(alert(), routed(OFFICE, "opened", now=NIGHT), seq=0)
    assert {one.due_at for one in rows} == {MORNING}
    assert timedelta(days=1) > MORNING - NIGHT
