"""Incidents over the API."""

import pytest

from tests.web.asking import as_asker, ask, web
from tests.web.scripted import ScriptedMonitor, incident, plain


def monitor() -> ScriptedMonitor:
    made = plain("down", "up")
    closed = {"closed_at": "2026-11-21T11:00:00.000Z"}
    made.incident_documents = [
        incident(n, "t0" if n % 2 else "t1", **(closed if n < 4 else {})) for n in range(1, 6)
    ]
    return made


def ids(query: str) -> list[int]:
    return [one["id"] for one in ask(web(monitor()), f"/api/v1/incidents{query}").json["incidents"]]


def test_the_newest_come_first_and_pages_follow() -> None:
    app = web(monitor())
    first = ask(app, "/api/v1/incidents?limit=3").json
    assert [one["id"] for one in first["incidents"]] == [5, 4, 3]
    second = ask(app, f"/api/v1/incidents?limit=3&cursor={first['cursor']}").json
    assert ([one["id"] for one in second["incidents"]], second["cursor"]) == ([2, 1], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?target=t0", [5, 3, 1]),
        ("?state=open", [5, 4]),
        ("?state=closed&target=t1", [2]),
        ("?since=2026-11-21T12:00:00Z", [5, 4]),
    ],
)
def test_filters(query: str, found: list[int]) -> None:
    assert ids(query) == found


@pytest.mark.parametrize("query", ["?state=broken", "?limit=x", "?since=never", "?cursor=x"])
def test_wrong_filters_are_clear_errors(query: str) -> None:
    answer = ask(web(monitor()), f"/api/v1/incidents{query}")
    assert (answer.status, bool(answer.json["hint"])) == (400, True)


@pytest.mark.parametrize("number", ["9", "x", "-1", "9" * 30])
def test_one_that_is_none(number: str) -> None:
    assert ask(web(monitor()), f"/api/v1/incidents/{number}").status == 404
    acknowledged = ask(web(monitor()), f"/api/v1/incidents/{number}/ack", "POST", **as_asker("write-token"))
    assert acknowledged.status == 404


def test_a_person_acknowledges_by_their_own_name_and_a_token_by_what_it_says() -> None:
    app = web(monitor())
    path = "/api/v1/incidents/5/ack"
    said = {"note": "on it", "by": "ann"}
    assert ask(app, path, "POST", said, **as_asker("editor")).json["acknowledged_by"] == "editor"
    answer = ask(app, path, "POST", said, **as_asker("write-token")).json
    assert answer["acknowledged_by"] == "ann"
    assert answer["timeline"][-1]["what"] == "ann acknowledges it: on it"
    assert ask(app, path, "POST", **as_asker("write-token")).json["acknowledged_by"] == "token w"


def test_a_form_goes_back_to_its_page_and_nowhere_else() -> None:
    app = web(monitor())
    headers = as_asker("editor")
    csrf = headers.pop("x-trueup-csrf")
    for back, to in (
        ("/incidents/5", "/incidents/5"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
    ):
        form = {"csrf": csrf, "back": back, "note": "on it"}
        answer = ask(app, "/api/v1/incidents/5/ack", "POST", form=form, **headers)
        assert (answer.status, answer.headers["location"]) == (303, to)
    assert ask(app, "/api/v1/incidents/5/ack", "POST", form={"note": "x"}, **headers).status == 403


def test_a_note_is_a_line_of_the_timeline() -> None:
    app = web(monitor())
    path = "/api/v1/incidents/5/notes"
    answer = ask(app, path, "POST", {"text": "disk is full"}, **as_asker("editor"))
    assert answer.json["timeline"][-1]["what"] == "editor: disk is full"
    assert ask(app, path, "POST", {"text": " "}, **as_asker("editor")).status == 400


def test_unknown_words_are_told_with_what_was_meant() -> None:
    answer = ask(web(monitor()), "/api/v1/incidents/5/ack", "POST", {"nota": "x"}, **as_asker("editor"))
    assert answer.status == 400
    assert answer.json["problems"][0]["hint"] == "did you mean note?"


@pytest.mark.parametrize("body", ["[]", "{", '"x"', "[" * 50_000])
def test_what_is_no_object_is_a_clear_error(body: str) -> None:
    assert ask(web(monitor()), "/api/v1/incidents/5/ack", "POST", body, **as_asker("editor")).status == 400


def test_a_program_may_send_a_form_and_is_answered_in_json() -> None:
    app, headers = web(monitor()), as_asker("write-token")
    taken = ask(app, "/api/v1/incidents/5/ack", "POST", form={"note": "on it"}, **headers)
    assert (taken.status, taken.json["acknowledged_by"]) == (200, "token w")
    refused = ask(app, "/api/v1/incidents/9/ack", "POST", form={"note": "on it"}, **headers)
    assert (refused.status, refused.json["error"]) == (404, "no such incident")


def test_the_page_says_when_it_has_not_counted_all() -> None:
    many = plain("down")
    many.incident_documents = [incident(number, "t0", acknowledged_by="ann") for number in range(1, 501)]
    assert "<h1>500 incidents open, 500 seen to</h1>" in ask(web(many), "/incidents").text
    many.incident_documents.append(incident(501, "t0"))
    assert "<h1>More than 500 incidents open</h1>" in ask(web(many), "/incidents").text
