"""Silences and maintenance over the API."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.web.asking import as_asker, ask, web
from tests.web.scripted import ScriptedMonitor, named

KINDS = [("/api/v1/silences", "silences", "why"), ("/api/v1/maintenance", "maintenance", "note")]


def monitor() -> ScriptedMonitor:
    return ScriptedMonitor(*named(["shop-web", "shop-db"]), *named(["batch"], tags=("night",)))


@pytest.mark.parametrize(("path", "plural", "reason"), KINDS)
def test_one_is_made_listed_and_ended(path: str, plural: str, reason: str) -> None:
    made_by = monitor()
    app = web(made_by)
    body = {"targets": ["shop-*"], "for": "2h", reason: "moving house"}
    made = ask(app, path, "POST", body, **as_asker("editor"))
    assert made.status == 201
    assert (made.json["targets"], made.json["author"], made.json[reason]) == (
        ["shop-*"],
        "editor",
        "moving house",
    )
    begins, ends = (datetime.fromisoformat(made.json[word]) for word in ("from", "until"))
    assert ends - begins == timedelta(hours=2)
    assert ask(app, path).json[plural] == [made.json]
    other = next(one for one, *_ in KINDS if one != path)
    assert ask(app, f"{other}/{made.json['id']}", "DELETE", **as_asker("editor")).status == 404
    assert ask(app, f"{path}/{made.json['id']}", "DELETE", **as_asker("editor")).status == 200
    assert ask(app, f"{path}/{made.json['id']}", "DELETE", **as_asker("editor")).status == 404
    assert ask(app, path).json[plural] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"for": "2h"}, "targets"),
        ({"targets": ["shop-dv"], "for": "2h"}, "targets"),
        ({"targets": ["shop-db"]}, "for"),
        ({"targets": ["shop-db"], "for": 90}, "for"),
        ({"targets": ["shop-db"], "for": "400d"}, "for"),
        ({"targets": ["shop-db"], "until": "2020-01-01T00:00:00Z"}, "for"),
        ({"targets": ["shop-db"], "until": "soon"}, "until"),
        ({"targets": {"a": 1}, "for": "2h"}, "targets"),
        ({"targets": ["shop-db"], "for": "2h", "why": "x" * 5000}, "why"),
        ({"targets": ["shop-db"], "fro": "2h"}, "fro"),
    ],
)
def test_what_is_wrong_is_told(body: dict[str, Any], field: str) -> None:
    made_by = monitor()
    answer = ask(web(made_by), "/api/v1/silences", "POST", body, **as_asker("write-token"))
    assert (answer.status, made_by.silences()) == (400, [])
    assert field in [one["field"] for one in answer.json["problems"]]
    assert all(one["hint"] for one in answer.json["problems"])


def test_a_tag_and_a_single_word_will_do_and_a_token_says_for_whom() -> None:
    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    body = {"targets": "tag:night", "until": until, "author": "ann"}
    made = ask(web(monitor()), "/api/v1/silences", "POST", body, **as_asker("write-token")).json
    assert (made["targets"], made["author"]) == (["tag:night"], "ann")


def test_a_form_separates_by_commas() -> None:
    headers = as_asker("editor")
    form = {
        "csrf": headers.pop("x-trueup-csrf"),
        "targets": "shop-web, shop-db",
        "for": "1h",
        "back": "/settings",
    }
    made_by = monitor()
    assert (
        ask(web(made_by), "/api/v1/silences", "POST", form=form, **headers).headers["location"] == "/settings"
    )
    assert made_by.silences()[0].targets.words == ("shop-web", "shop-db")


def test_what_the_configuration_has_cannot_be_ended_here() -> None:
    made_by = monitor()
    made_by.planned = [
        {"id": None, "targets": ["batch"], "from": None, "until": None, "author": "", "note": ""}
    ]
    assert ask(web(made_by), "/api/v1/maintenance").json["maintenance"] == made_by.planned
    assert ask(web(made_by), "/api/v1/maintenance/None", "DELETE", **as_asker("editor")).status == 404


def test_json_that_a_program_calls_a_form_is_understood() -> None:
    made_by = monitor()
    body = json.dumps({"targets": ["shop-web", "shop-db"], "for": "2h", "why": "a=b&c"})
    said = as_asker("write-token") | {"content_type": "application/x-www-form-urlencoded"}
    answer = ask(web(made_by), "/api/v1/silences", "POST", body, **said)
    assert (answer.status, answer.json["why"]) == (201, "a=b&c")
    assert made_by.silences()[0].targets.words == ("shop-web", "shop-db")


def test_json_that_comes_as_a_form_from_a_page_is_none() -> None:
    made_by = monitor()
    body = json.dumps({"targets": ["shop-web"], "for": "2h"}) + "&csrf=x"
    said = as_asker("editor") | {"content_type": "application/x-www-form-urlencoded"}
    assert ask(web(made_by), "/api/v1/silences", "POST", body, **said).status in (400, 403)
    assert made_by.silences() == []
