"""Targets over the API, asked without a socket."""

from datetime import timedelta

import pytest

from tests.web.asking import as_asker, ask, web
from tests.web.scripted import ScriptedMonitor, plain
from trueup.domain.target import Target


def test_targets_are_the_document() -> None:
    answer = ask(web(plain("up", "down")), "/api/v1/targets")
    shown = answer.json
    assert (answer.status, shown["schema"], shown["state"], shown["cursor"]) == (200, 1, "down", None)
    assert [one["name"] for one in shown["targets"]] == ["t0", "t1"]
    assert answer.headers["cache-control"] == "no-store"


def test_pages_go_on_where_the_last_ended_and_keep_the_state_of_all() -> None:
    app = web(plain("up", "up", "down", "up", "up"))
    names, query = [], "limit=2"
    while query:
        shown = ask(app, f"/api/v1/targets?{query}").json
        assert shown["state"] == "down"
        names += [one["name"] for one in shown["targets"]]
        query = f"limit=2&cursor={shown['cursor']}" if shown["cursor"] else ""
    assert names == ["t0", "t1", "t2", "t3", "t4"]


def test_those_of_a_state_or_a_tag_may_be_asked_for_and_the_state_stays_that_of_all() -> None:
    monitor = ScriptedMonitor(Target("a", tags=("shop",)), Target("b"), Target("c", tags=("shop", "web")))
    monitor.tell("a", "down")
    app = web(monitor)

    def listed(query: str) -> list[str]:
        shown = ask(app, f"/api/v1/targets?{query}").json
        assert shown["state"] == "down"
        return [one["name"] for one in shown["targets"]]

    assert listed("state=down") == ["a"]
    assert listed("state=up") == ["b", "c"]
    assert listed("tag=shop") == ["a", "c"]
    assert listed("tag=shop&state=up") == ["c"]
    assert listed("tag=none") == []
    answer = ask(app, "/api/v1/targets?state=broken")
    assert (answer.status, answer.json["hint"]) == (400, "write one of up, degraded, down, unknown")


def test_what_is_not_enabled_is_neither_listed_nor_the_worst() -> None:
    monitor = ScriptedMonitor(Target("idle", enabled=False), Target("a"))
    monitor.tell("idle", "unknown")
    app = web(monitor)
    shown = ask(app, "/api/v1/targets?limit=1").json
    assert [shown["state"], [one["name"] for one in shown["targets"]], shown["cursor"]] == ["up", ["a"], None]
    assert ask(app, "/api/v1/targets/idle").json["state"] == "unknown"


@pytest.mark.parametrize("query", ["limit=many", "limit=0", "cursor=nonsense!", "cursor=LTE="])
def test_a_wrong_page_is_a_clear_error(query: str) -> None:
    answer = ask(web(plain("up")), f"/api/v1/targets?{query}")
    assert answer.status == 400
    assert answer.json["hint"]


def test_all_problems_are_told_at_once() -> None:
    answer = ask(web(plain("up")), "/api/v1/targets?limit=many&cursor=!")
    assert [one["field"] for one in answer.json["problems"]] == ["limit", "cursor"]


def test_one_target_and_one_that_is_none() -> None:
    app = web(plain("up", "down"))
    assert ask(app, "/api/v1/targets/t1").json["name"] == "t1"
    answer = ask(app, "/api/v1/targets/t11")
    assert answer.status == 404
    assert "did you mean" in answer.json["hint"]


def test_a_name_may_have_any_letter() -> None:
    app = web(ScriptedMonitor(Target("a/b c")))
    assert ask(app, "/api/v1/targets/a/b c").json["name"] == "a/b c"
    assert ask(app, "/api/v1/targets/a/b c/explain").json["name"] == "a/b c"


@pytest.mark.parametrize("word", ["history", "explain"])
def test_a_name_may_end_as_the_address_of_a_part_does(word: str) -> None:
    app = web(ScriptedMonitor(Target(f"a/{word}"), Target("b"), Target(f"b/{word}")))
    assert ask(app, f"/api/v1/targets/a/{word}").json["name"] == f"a/{word}"
    assert ask(app, f"/api/v1/targets/a/{word}/history").json["target"] == f"a/{word}"
    assert ask(app, f"/api/v1/targets/b/{word}").json != ask(app, "/api/v1/targets/b").json


def test_a_target_is_explained() -> None:
    app = web(plain("up", "down"))
    assert ask(app, "/api/v1/targets/t1/explain").json["rules"] == []
    assert ask(app, "/api/v1/targets/nobody/explain").status == 404


def test_looking_now_answers_how_it_is_and_needs_the_right() -> None:
    monitor = plain("down")
    app = web(monitor)
    assert ask(app, "/api/v1/targets/t0/check", "POST").status == 401
    assert monitor.looked_at == []
    answer = ask(app, "/api/v1/targets/t0/check", "POST", **as_asker("write-token"))
    assert (answer.status, answer.json["name"], monitor.looked_at) == (200, "t0", ["t0"])
    assert ask(app, "/api/v1/targets/t9/check", "POST", **as_asker("write-token")).status == 404


@pytest.mark.parametrize(
    ("query", "step_s", "length"),
    [
        ("", 300, timedelta(hours=24)),
        ("?since=1h", 60, timedelta(hours=1)),
        ("?since=30d", 4 * 3600, timedelta(days=30)),
        ("?since=30d&step=86400", 86400, timedelta(days=30)),
        ("?since=2026-11-20T00:00:00Z&until=2026-11-21T00:00:00Z&step=1h", 3600, timedelta(days=1)),
        ("?since=2026-11-20T01:00:00+01:00&until=2026-11-21T00:00:00Z", 300, timedelta(days=1)),
    ],
)
def test_a_history_has_a_fitting_step(query: str, step_s: int, length: timedelta) -> None:
    monitor = plain("up")
    answer = ask(web(monitor), f"/api/v1/targets/t0/history{query}")
    assert (answer.status, answer.json["target"]) == (200, "t0")
    (name, since, until, step), *_ = monitor.asked_history
    assert (name, step) == ("t0", step_s)
    assert abs(until - since - length) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=2h&until=3h", "since=30d&step=1s", "step=0s", "step=-1", "step=fast"]
)
def test_a_wrong_history_is_a_clear_error(query: str) -> None:
    monitor = plain("up")
    answer = ask(web(monitor), f"/api/v1/targets/t0/history?{query}")
    assert (answer.status, monitor.asked_history) == (400, [])
    assert answer.json["hint"]
