"""Which targets are shown, in which order and groups."""

import pytest

from tests.web.scripted import ScriptedMonitor, named
from trueup.web.asked import Asked
from trueup.web.overview import Overview, overview, wanted
from trueup.web.refusal import Refusal


def monitor() -> ScriptedMonitor:
    made = ScriptedMonitor(
        *named(["db"], tier=1, tags=("data",), host="db-1"),
        *named(["web", "api"], tier=1, tags=("front",)),
        *named(["batch"], tier=3),
        *named(["mail"], tier=2),
    )
    for name in ("web", "api"):
        made.tell(name, "down", blame="db", cause="needs", summary="needs db")
    made.tell("batch", "degraded", blame="batch", cause="slow")
    return made


def shown(**chosen: str) -> Overview:
    made = monitor()
    return overview(made.targets, made.documents(), wanted(Asked(chosen)), made.document)


def names(page: Overview) -> list[str]:
    return [row.document["name"] for row in page.rows]


def groups(page: Overview) -> list[tuple[str, int]]:
    return [(row.group, row.group_size) for row in page.rows if row.group is not None]


def test_what_shares_a_cause_stands_together_and_the_worst_first() -> None:
    page = shown()
    assert names(page) == ["web", "api", "batch", "db", "mail"]
    assert groups(page) == [("db", 2), ("By themselves", 1), ("Up", 2)]
    assert (page.worst, page.counts, page.found) == ("down", {"up": 2, "down": 2, "degraded": 1}, 5)


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("tier", ["Tier 1", "Tier 2", "Tier 3"]),
        ("tag", ["front", "No tag", "data"]),
        ("host", ["No host", "db-1"]),
        ("none", []),
    ],
)
def test_other_groups(by: str, found: list[str]) -> None:
    assert [group for group, _ in groups(shown(group=by))] == found


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"state": "down"}, ["web", "api"]),
        ({"tier": "3"}, ["batch"]),
        ({"q": "DB-1"}, ["db"]),
        ({"q": "front needs"}, ["web", "api"]),
        ({"q": "nothing"}, []),
    ],
)
def test_filters(chosen: dict[str, str], found: list[str]) -> None:
    assert names(shown(**chosen)) == found


def test_pages_follow_each_other_and_repeat_no_heading() -> None:
    first, second = shown(limit="1"), shown(limit="2", start="1")
    assert (names(first), first.more_at) == (["web"], 1)
    assert (names(second), second.more_at) == (["api", "batch"], 3)
    assert groups(second) == [("By themselves", 1)]
    assert shown(start="9").rows == []


def test_a_wrong_choice_is_told() -> None:
    with pytest.raises(Refusal):
        shown(state="broken")
