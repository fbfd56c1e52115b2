"""What stands behind the question mark of the API: a word that isn't known there is said, not passed over."""

import pytest

from tests.web.asking import as_asker, ask, web
from tests.web.scripted import plain
from tests.web.test_access import MAY, everything, filled, scene

OWN = {one for one in MAY if "/heartbeats/" in one or "/agents/" in one}
"""A report isn't lost for a word too many."""
DOORS = {one for one in MAY if "/api/v1/" in one} - OWN


@pytest.mark.parametrize("door", sorted(DOORS))
def test_an_unknown_word_is_refused_at_every_door(door: str) -> None:
    method, _, path = door.partition(" ")
    who = {name.replace("-", "_"): word for name, word in as_asker("admin").items()}
    answer = ask(web(scene(), **everything()), f"{filled(path)}?sate=down", method, **who)
    assert (answer.status, answer.json["error"]) == (400, "sate: not known here")
    assert answer.json["hint"]
    assert [one["field"] for one in answer.json["problems"]] == ["sate"]


@pytest.mark.parametrize("door", sorted(one for one in OWN if "{token}" in one))
def test_a_job_is_heard_whatever_stands_there(door: str) -> None:
    method, _, path = door.partition(" ")
    assert ask(web(scene()), f"{filled(path)}?rid=1", method).status == 200


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("incidents?sate=open", "did you mean state?"),
        ("targets?x=1", "known are limit, cursor, state, tag"),
        ("silences?x=1", "leave it out"),
    ],
)
def test_the_name_that_was_meant_is_said(asked: str, hint: str) -> None:
    assert ask(web(plain("up")), f"/api/v1/{asked}").json["hint"] == hint


def test_what_clients_add_against_caches_is_passed_over() -> None:
    assert ask(web(plain("up")), "/api/v1/incidents?_=1764500000").status == 200


def test_who_may_not_read_is_told_that_first() -> None:
    assert ask(web(plain("up")), "/api/v1/incidents?sate=open", host="far.example").status == 401
