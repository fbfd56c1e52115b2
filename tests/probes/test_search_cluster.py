"""Elasticsearch and OpenSearch against a script: a row of each table, and the cluster's states."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.beds.fake_elasticsearch import VERSION
from tests.beds.fake_http import says
from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login
from trueup.probes.elasticsearch import DIALECT
from trueup.probes.http_message import Response
from trueup.probes.search_cluster import ERRORS, WORDS, Expect, Options, converse, judge_error

AT = address("elasticsearch://a")
LOGIN = Login(Secret("canary"), "u")
ROOT = says(200, {"name": "n", "cluster_name": "shop", "version": VERSION, "tagline": "You Know, for Search"})
CHALLENGE = 'WWW-Authenticate: Basic realm="security"'


def health(status: Any = "green", data_nodes: Any = 1, unassigned: Any = 0) -> bytes:
    return says(200, {"status": status, "number_of_data_nodes": data_nodes, "unassigned_shards": unassigned})


def error(kind: str, reason: str = "because", status: int = 503) -> bytes:
    cause = {"type": kind, "reason": reason}
    return says(status, {"error": {"root_cause": [cause], **cause}, "status": status})


NO_BLOCKS = says(200, {})


def look(*script: bytes | Break, chunk: int | None = None, **configured: Any) -> Played:
    options = Options(**{"address": AT, **configured})
    return play(converse(DIALECT, options), [*script, Closed()], chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_cluster(chunk: int | None) -> None:
    played = look(ROOT, health(), NO_BLOCKS, chunk=chunk)
    assert played.settled == Answer(
        Outcome.PASS,
        None,
        "the cluster is green",
        {"version": "8.15.1", "cluster": "shop", "status": "green", "data_nodes": 1, "unassigned_shards": 0},
    )


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_every_error_has_its_cause(kind: str) -> None:
    seen = answer(ROOT, error(kind))
    assert (seen.cause, seen.facts["code"]) == (ERRORS[kind][0], kind)
    assert seen.detail == f"{ERRORS[kind][1]}: because (HTTP 503 Word)"


@pytest.mark.parametrize("words", sorted(WORDS))
def test_every_block_has_its_cause(words: bytes) -> None:
    for said in (error("cluster_block_exception", words.decode()), says(503, words)):
        seen = answer(ROOT, said)
        assert seen.cause is WORDS[words][0]
        assert WORDS[words][1] in seen.detail
        assert words.decode() in seen.detail


def test_an_unknown_error_is_an_error_answer() -> None:
    assert answer(ROOT, error("something_new_exception", status=500)).cause is Cause.ERROR_ANSWER
    assert answer(error("something_new_exception", status=500)).cause is Cause.ERROR_ANSWER


def test_what_is_no_error_is_not_judged() -> None:
    response = Response()
    assert response.complete(bytearray(says(200, b"no master")), ended=False)
    assert judge_error(response) is None


@pytest.mark.parametrize(
    ("status", "data_nodes", "expected", "outcome", "cause"),
    [
        ("green", 3, None, Outcome.PASS, None),
        ("yellow", 1, None, Outcome.PASS, None),
        ("yellow", 3, None, Outcome.SLOW, Cause.REPLICATION),
        ("yellow", None, None, Outcome.SLOW, Cause.REPLICATION),
        ("yellow", 1, "green", Outcome.FAIL, Cause.WRONG_ANSWER),
        ("yellow", 1, "yellow", Outcome.PASS, None),
        ("red", 1, None, Outcome.FAIL, Cause.NO_QUORUM),
        ("red", 1, "yellow", Outcome.FAIL, Cause.NO_QUORUM),
        ("purple", 1, None, Outcome.FAIL, Cause.ERROR_ANSWER),
        (None, 1, None, Outcome.FAIL, Cause.ERROR_ANSWER),
    ],
)
def test_health(status: Any, data_nodes: Any, expected: Any, outcome: Outcome, cause: Cause | None) -> None:
    seen = answer(ROOT, health(status, data_nodes, 2), NO_BLOCKS, expect=Expect(status=expected))
    assert (seen.outcome, seen.cause) == (outcome, cause)


def test_read_only_indices_behind_a_green_cluster() -> None:
    flooded = {"index.blocks.read_only_allow_delete": "true"}
    said = says(200, {"orders": {"settings": flooded}, "x": {"settings": {}}, "y": 3})
    seen = answer(ROOT, health(), said)
    assert (seen.cause, seen.facts["blocked_indices"]) == (Cause.DISK_FULL, 1)
    assert "as orders" in seen.detail
    assert answer(ROOT, health(), says(403, {})).cause is None, "what can't be looked at is no failure"


def test_an_index_is_taken_from_the_path() -> None:
    played = look(
        ROOT, says(408, {"status": "red", "timed_out": True}), address=address("elasticsearch://a/orders")
    )
    assert b"GET /_cluster/health/orders?" in played.sent
    assert played.settled.cause is Cause.ERROR_ANSWER
    assert "no index 'orders'" in played.settled.detail


def test_a_parameter_that_it_does_not_know_is_left_out() -> None:
    played = look(ROOT, error("illegal_argument_exception", status=400), health(), NO_BLOCKS)
    assert played.settled.cause is None
    assert b"GET /_cluster/health HTTP" in played.sent


# -- logins ----------------------------------------------------------------------------------------

DEMANDS = says(401, {"error": {"type": "security_exception", "reason": "missing"}}, CHALLENGE)
PROXY = says(401, b"<html>", 'WWW-Authenticate: Basic realm="shop"')


@pytest.mark.parametrize("demands", [DEMANDS, PROXY, says(401, b"Unauthorized", CHALLENGE)])
def test_a_demanded_login(demands: bytes) -> None:
    seen = answer(demands)
    assert (seen.cause, seen.facts["login"]) == (None, "demanded")
    assert answer(demands, roundtrip=True).cause is Cause.LOGIN_REFUSED
    assert answer(demands, expect=Expect(status="green")).cause is Cause.LOGIN_REFUSED
    assert answer(demands, demands, login=LOGIN).cause is Cause.LOGIN_REFUSED
    logged_in = look(demands, ROOT, health(), NO_BLOCKS, login=LOGIN)
    assert logged_in.settled.cause is None
    assert logged_in.said_secretly.count(b"Authorization: Basic ") == 3
    assert logged_in.sent.count(b"Authorization") == 3


def test_a_login_is_sent_to_a_search_cluster_only() -> None:
    for other in (b"SSH-2.0-x\r\n", says(200, b"<html>"), says(403, b"<html>"), says(200, {"tagline": "x"})):
        played = look(other, ROOT, health(), NO_BLOCKS, login=LOGIN)
        assert played.settled.cause is Cause.WRONG_SERVICE
        assert played.said_secretly == b""


def test_health_that_is_not_for_everybody() -> None:
    seen = answer(ROOT, error("security_exception", status=403))
    assert (seen.cause, seen.facts["login"]) == (None, "demanded")
    forbidden = error("security_exception", status=403)
    assert answer(ROOT, forbidden, expect=Expect(status="green")).cause is Cause.LOGIN_REFUSED
    assert "this user" in answer(ROOT, forbidden, login=LOGIN).detail


# -- who isn't -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"-ERR wrong\r\n", Cause.WRONG_SERVICE),
        (says(200, b"ready"), Cause.WRONG_SERVICE),
        (says(200, {"tagline": "You Know, for Search"}), Cause.WRONG_SERVICE),
        (says(404, {"message": "page not found"}), Cause.WRONG_SERVICE),
        (says(502, b"<html>"), Cause.BAD_UPSTREAM),
        (says(503, b"<html>"), Cause.BAD_UPSTREAM),
        (says(400, b"The plain HTTP request was sent to HTTPS port"), Cause.WRONG_SERVICE),
    ],
)
def test_others(said: bytes, cause: Cause) -> None:
    assert answer(said).cause is cause


def test_a_gateway_that_lost_it_in_between() -> None:
    assert answer(ROOT, says(504, b"<html>")).cause is Cause.BAD_UPSTREAM
    assert answer(ROOT, says(500, b"<html>")).cause is Cause.ERROR_ANSWER
    assert answer(ROOT, says(200, b"<html>")).cause is Cause.WRONG_SERVICE


@settings(max_examples=40)
@given(st.binary(max_size=100), st.recursive(st.none() | st.text(max_size=5), st.lists))
def test_no_bytes_raise_anything(noise: bytes, value: Any) -> None:
    said = json.dumps({"error": value, "status": value, "version": value, "settings": value}).encode()
    for script in ([noise], [ROOT, noise], [says(200, said)], [ROOT, says(200, said), says(200, said)]):
        played = look(*script)
        assert played.answer is not None or isinstance(played.broke, Closed | Quiet)


@given(noise([DEMANDS, ROOT, health(), NO_BLOCKS]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, login=LOGIN, roundtrip=True)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)
