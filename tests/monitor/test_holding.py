from datetime import UTC, datetime, timedelta

from trueup.domain.states import State
from trueup.domain.target import Target
from trueup.monitor.holding import COOL_DOWN, WAITS_MAX, Needs, Newest

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NEEDS = Needs(
    [Target("disk"), Target("db", needs=("disk",)), Target("web", needs=("db", "cache")), Target("cache")]
)
WELL = Newest(State.UP, NOW + SECOND)
DOWN = Newest(State.DOWN, NOW + SECOND)
OLD = Newest(State.UP, NOW - SECOND)


def test_needs_go_far_and_in_order() -> None:
    assert NEEDS.of("web") == ("disk", "db", "cache")
    assert NEEDS.impact("disk") == ("db", "web")
    assert NEEDS.of("disk") == NEEDS.impact("web") == ()


def test_it_waits_while_what_it_needs_is_down_and_the_root_is_named() -> None:
    held = NEEDS.hold("web", {"disk": DOWN, "db": DOWN, "cache": DOWN}, NOW, NOW + timedelta(days=1))
    assert held is not None
    assert held.by == "disk"


def test_what_was_down_and_cannot_be_seen_is_still_down() -> None:
    lost = Newest(State.UNKNOWN, NOW + SECOND, is_open=True)
    assert NEEDS.hold("db", {"disk": lost}, NOW, NOW + SECOND) is not None
    assert NEEDS.hold("db", {"disk": Newest(State.UNKNOWN, NOW + SECOND)}, NOW, NOW + SECOND) is None


def test_those_not_looked_at_since_are_asked_first_and_not_waited_for_for_ever() -> None:
    newest = {"disk": OLD, "db": WELL, "cache": Newest()}
    held = NEEDS.hold("web", newest, NOW, NOW)
    assert held is not None
    assert held.ask == ("disk", "cache")
    assert NEEDS.hold("web", newest, NOW, NOW + WAITS_MAX) is None
    assert NEEDS.hold("web", {"disk": WELL, "db": WELL, "cache": WELL}, NOW, NOW) is None


def test_who_cannot_be_asked_is_not_waited_for() -> None:
    assert NEEDS.hold("db", {"disk": Newest(is_asked=False)}, NOW, NOW) is None


def test_what_comes_back_leaves_time_to_those_who_need_it_and_a_look() -> None:
    back = Newest(State.UP, NOW, recovered_at=NOW)
    newest = {"disk": back, "db": Newest(State.DOWN, NOW + SECOND)}
    confirmed_at = NOW - timedelta(hours=1)
    assert NEEDS.hold("db", newest, confirmed_at, NOW + COOL_DOWN - SECOND) is not None
    once_more = NEEDS.hold("db", newest, confirmed_at, NOW + COOL_DOWN)
    assert once_more is not None
    assert once_more.ask == ("db",)
    newest["db"] = Newest(State.DOWN, NOW + COOL_DOWN)
    assert NEEDS.hold("db", newest, confirmed_at, NOW + COOL_DOWN + SECOND) is None
