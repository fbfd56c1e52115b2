"""Solr against a script: a row of its table each, and what its cluster says."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.beds.fake_http import says
from tests.playbook import NONCE, Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.solr import PROBE, WORDS, Options, conversation

AT, ORDERS = address("solr://a"), address("solr://a/orders")
LOGIN = Login(Secret("canary"), "probe")
KEY = f"trueup-probe-{NONCE[:8].hex()}"
ASKS = says(401, b"<html>", 'WWW-Authenticate: Basic realm="solr"')


def solr(status: int = 200, **document: Any) -> bytes:
    return says(status, {"responseHeader": {"status": 0}, **document})


def error(words: str, status: int = 500) -> bytes:
    return solr(status, error={"msg": f"it says {words} here", "code": status})


WHO = solr(mode="std", lucene={"solr-spec-version": "9.7.0"})
CLOUD = solr(mode="solrcloud", lucene={"solr-spec-version": "9.7.0"})
CORES = says(200, {"responseHeader": {}, "initFailures": {}, "status": {"orders": {}}})
PING = says(200, {"responseHeader": {}, "status": "OK"})


def look(*script: bytes | Break, at: Any = AT, chunk: int | None = None, **configured: Any) -> Played:
    return play(conversation(Options(at, **configured)), [*script, Closed()], chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server(chunk: int | None) -> None:
    seen = look(WHO, CORES, chunk=chunk).settled
    assert (seen.outcome, seen.facts) == (Outcome.PASS, {"version": "9.7.0", "mode": "std", "cores": 1})


@pytest.mark.parametrize("words", sorted(WORDS))
def test_every_message_has_its_cause(words: str) -> None:
    cause, meaning = WORDS[words]
    for script in ([error(words)], [WHO, error(words, 503)]):
        seen = answer(*script)
        assert seen.cause is cause
        assert seen.detail.startswith(f"{meaning}: it says {words} here")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (error("something new"), Cause.ERROR_ANSWER),
        (error("too many", 429), Cause.OVERLOADED),
        (says(502, b"<html>"), Cause.BAD_UPSTREAM),
        (says(500, b"<html>"), Cause.ERROR_ANSWER),
        (says(403, b"<html>"), None),
        (says(200, b"<html>"), None),
    ],
)
def test_other_answers_to_the_state(said: bytes, cause: Cause | None) -> None:
    assert answer(WHO, said).cause is cause


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("orders", b"/solr/orders/admin/ping?"),
        ("solr/orders", b"/solr/orders/admin/ping?"),
        ("a%20b/", b"/solr/a%20b/admin/ping?"),
        ("solr", b"/solr/admin/cores?"),
        ("solr/", b"/solr/admin/cores?"),
    ],
)
def test_the_name_in_the_path(name: str, place: bytes) -> None:
    played = look(WHO, PING, at=address(f"solr://a/{name}"))
    assert b"GET " + place in played.sent


def test_a_ping() -> None:
    assert answer(WHO, PING, at=ORDERS).cause is None
    cut_off = says(200, {"responseHeader": {"zkConnected": False}, "status": "OK"})
    assert answer(WHO, cut_off, at=ORDERS).cause is Cause.NO_QUORUM
    assert answer(WHO, says(200, {"status": "FAIL"}), at=ORDERS).cause is Cause.ERROR_ANSWER
    assert answer(WHO, says(404, b""), at=ORDERS).cause is Cause.ERROR_ANSWER
    assert answer(WHO, says(403, b""), at=ORDERS).cause is Cause.LOGIN_REFUSED


def test_a_cluster_that_says_nothing_useful() -> None:
    clusters: list[dict[str, Any]] = [
        {},
        {"collections": {"a": 3}},
        {"collections": {"a": {"shards": {"s": 1}}}, "live_nodes": 7},
    ]
    for cluster in clusters:
        assert answer(CLOUD, solr(cluster=cluster)).cause is None


def test_logins() -> None:
    assert answer(ASKS).facts["login"] == "demanded"
    assert answer(ASKS, at=ORDERS).cause is Cause.LOGIN_REFUSED
    logged_in = look(ASKS, WHO, CORES, login=LOGIN)
    assert logged_in.settled.cause is None
    assert logged_in.sent.count(b"Authorization") == logged_in.said_secretly.count(b"Authorization") == 2
    assert answer(ASKS, ASKS, login=LOGIN).cause is Cause.LOGIN_REFUSED
    assert answer(ASKS, WHO, says(403, b""), login=LOGIN).cause is Cause.LOGIN_REFUSED
    for other in (b"SSH-2.0-x\r\n", says(200, b"<html>"), says(404, b"<html>"), says(401, b"")):
        stranger = look(other, WHO, CORES, login=LOGIN)
        assert stranger.settled.cause is Cause.WRONG_SERVICE
        assert b"Authorization" not in stranger.sent


FOUND, ABSENT, DONE = solr(doc={"id": KEY}), solr(doc=None), solr()


@pytest.mark.parametrize(
    ("script", "cause", "words"),
    [
        ([DONE, FOUND, DONE], None, "wrote, read and deleted"),
        ([error("read-only", 403)], Cause.LOGIN_REFUSED, "a write is refused"),
        ([error("No space left on device")], Cause.DISK_FULL, "a write is refused"),
        ([says(302, b"")], Cause.ERROR_ANSWER, "a write is refused"),
        ([DONE, ABSENT, DONE], Cause.WRONG_ANSWER, "isn't read back"),
        ([DONE, FOUND, error("x")], Cause.ERROR_ANSWER, "can't be deleted"),
    ],
)
def test_a_round_trip(script: list[bytes], cause: Cause | None, words: str) -> None:
    played = look(WHO, PING, *script, at=ORDERS, roundtrip=True)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, cause)
    assert words in played.settled.detail
    assert played.marks[0].cause is None
    assert (b'{"delete"' in played.sent) == (len(script) == 3)


@settings(max_examples=40)
@given(st.binary(max_size=100), st.recursive(st.none() | st.text(max_size=5), st.lists))
def test_no_bytes_raise_anything(noise: bytes, value: Any) -> None:
    odd = {"lucene": value, "mode": value, "error": value, "responseHeader": value, "cluster": value}
    odd |= {"initFailures": value, "status": value}
    for said in (noise, says(200, odd), says(503, odd)):
        for before in ([], [WHO], [CLOUD]):
            played = look(*before, said)
            assert played.answer is not None or isinstance(played.broke, Closed | Quiet)


@given(noise([ASKS, CLOUD, CORES]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, login=LOGIN)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(ASKS)
    assert PROBE.recognise(b"HTTP/1.1 302 Found\r\nLocation: /solr/\r\n\r\n")
    assert PROBE.recognise(b"HTTP/1.1 404 Not Found\r\n\r\n<p>Searching for Solr?<br/>")
    assert not PROBE.recognise(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")
