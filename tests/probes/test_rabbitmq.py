"""RabbitMQ's management API against a script: every alarm, and the cluster's states."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.beds.fake_http import says
from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.queue_expect import QueueExpect
from trueup.probes.rabbitmq import ALARMS, PROBE, Options, conversation

AT = address("rabbitmq://a")
SHOP = address("rabbitmq://a/%2Fshop")
LOGIN = Login(Secret("canary"), "probe")
ASKS = says(401, b"", 'www-authenticate: Basic realm="RabbitMQ Management"')
OK = says(200, {"status": "ok"})
ONE = says(200, [{"name": "rabbit@a", "running": True}])
ABSENT = says(404, {"error": "Object Not Found", "reason": "Not Found"})


def alarms(*resources: str) -> bytes:
    found = [{"node": "rabbit@a", "resource": resource} for resource in resources]
    reason = "There are alarms in effect in the cluster"
    return says(503, {"alarms": found, "reason": reason, "status": "failed"})


def queue(**values: Any) -> bytes:
    return says(200, {"name": "orders", "state": "running", **values})


def look(
    *script: bytes | Break, login: Login | None = LOGIN, chunk: int | None = None, **configured: Any
) -> Played:
    options = Options(**{"address": AT, "login": login, **configured})
    return play(conversation(options), [*script, Closed()], chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_broker(chunk: int | None) -> None:
    seen = look(ASKS, OK, OK, ONE, chunk=chunk).settled
    assert (seen.outcome, seen.cause, seen.facts) == (Outcome.PASS, None, {"nodes": 1})


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"mem_used": 90, "mem_limit": 100}, "bytes of memory: 90 of 100"),
        ({"fd_used": 95, "fd_total": 100}, "file descriptors: 95 of 100"),
        ({"disk_free": 1050, "disk_free_limit": 1000}, "disk space: 1050 bytes are free"),
        ({"mem_used": 89, "mem_limit": 100, "fd_used": 0, "fd_total": 0}, None),
        ({"disk_free": 2000, "disk_free_limit": 1000}, None),
        ({"mem_used": "much", "mem_limit": 1}, None),
    ],
)
def test_what_comes_before_an_alarm(node: dict[str, Any], words: str | None) -> None:
    nodes = says(200, [{"name": "rabbit@a", "running": True, **node}])
    seen = answer(ASKS, OK, OK, nodes)
    assert seen.outcome is (Outcome.SLOW if words else Outcome.PASS)
    assert words is None or words in seen.detail
    played = look(ASKS, OK, OK, nodes, queue(messages=1, consumers=0), queue="orders")
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None), (
        "it's looked at all the same"
    )
    assert played.marks[0].outcome is seen.outcome


def test_without_a_login_it_is_up() -> None:
    seen = answer(ASKS, login=None)
    assert (seen.cause, seen.facts["login"]) == (None, "demanded")
    assert answer(ASKS, login=None, queue="orders").cause is Cause.LOGIN_REFUSED
    assert answer(ASKS, login=None, address=SHOP).cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize("resource", sorted(ALARMS))
def test_every_alarm_has_its_cause(resource: str) -> None:
    seen = answer(ASKS, alarms(resource))
    assert (seen.cause, seen.facts["alarms"]) == (ALARMS[resource][0], [resource])
    assert ALARMS[resource][1] in seen.detail
    assert "rabbit@a" in seen.detail


def test_several_alarms_and_unknown_ones() -> None:
    assert answer(ASKS, alarms("memory", "disk")).cause is Cause.DISK_FULL
    unknown = answer(ASKS, alarms("patience"))
    assert (unknown.cause, unknown.facts["alarms"]) == (Cause.OVERLOADED, ["patience"])


@pytest.mark.parametrize(
    ("script", "outcome", "cause"),
    [
        (
            [OK, says(503, {"status": "failed", "reason": "a vhost is down"})],
            Outcome.FAIL,
            Cause.ERROR_ANSWER,
        ),
        ([OK, OK, says(200, [{"name": "a", "partitions": ["b"]}])], Outcome.FAIL, Cause.NO_QUORUM),
        (
            [OK, OK, says(200, [{"name": "a"}, {"name": "b", "running": False}])],
            Outcome.SLOW,
            Cause.NO_QUORUM,
        ),
        ([OK, OK, says(401, {"error": "not_authorised"})], Outcome.PASS, None),
        ([OK, OK, says(200, b"no json")], Outcome.PASS, None),
        ([ABSENT, ABSENT, ONE], Outcome.PASS, None),
        ([says(401, {"reason": "Login failed"})], Outcome.FAIL, Cause.LOGIN_REFUSED),
        ([OK, says(401, {"reason": "Not management user"})], Outcome.FAIL, Cause.LOGIN_REFUSED),
        ([says(500, b"")], Outcome.FAIL, Cause.ERROR_ANSWER),
        ([says(503, b"<html>")], Outcome.FAIL, Cause.BAD_UPSTREAM),
        ([says(200, b"<html>")], Outcome.FAIL, Cause.WRONG_SERVICE),
    ],
)
def test_states_of_the_cluster(script: list[bytes], outcome: Outcome, cause: Cause | None) -> None:
    seen = answer(ASKS, *script)
    assert (seen.outcome, seen.cause) == (outcome, cause)


def test_a_virtual_host() -> None:
    played = look(ASKS, OK, OK, ONE, says(200, {"items": []}), address=SHOP)
    assert played.settled.cause is None
    assert b"GET /api/queues/%2Fshop?" in played.sent
    assert answer(ASKS, OK, OK, ONE, ABSENT, address=SHOP).detail == "there is no virtual host '/shop'"
    assert answer(ASKS, OK, OK, ONE, says(401, b""), address=SHOP).cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize(
    ("said", "expect", "cause"),
    [
        (queue(messages=7, consumers=1), QueueExpect(messages_max=7, consumers_min=1), None),
        (queue(messages=8, consumers=1), QueueExpect(messages_max=7), Cause.OVERLOADED),
        (queue(messages=8, consumers=0), QueueExpect(consumers_min=1), Cause.WRONG_ANSWER),
        (queue(), QueueExpect(messages_max=7), None),
        (queue(), QueueExpect(consumers_min=1), Cause.WRONG_ANSWER),
        (queue(state="down"), QueueExpect(), Cause.ERROR_ANSWER),
        (ABSENT, QueueExpect(), Cause.ERROR_ANSWER),
        (says(401, b""), QueueExpect(), Cause.LOGIN_REFUSED),
        (says(502, b""), QueueExpect(), Cause.BAD_UPSTREAM),
        (says(200, b"<html>"), QueueExpect(), Cause.WRONG_SERVICE),
    ],
)
def test_a_queue_is_of_the_function_layer(said: bytes, expect: QueueExpect, cause: Cause | None) -> None:
    played = look(ASKS, OK, OK, ONE, said, queue="orders / new", expect=expect)
    stranger = cause is Cause.WRONG_SERVICE
    assert played.settled.layer is (Layer.SERVICE if stranger else Layer.FUNCTION)
    assert played.settled.cause is cause
    assert played.marks[0].layer is Layer.SERVICE
    assert b"GET /api/queues/%2F/orders%20%2F%20new HTTP" in played.sent


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"AMQP\0\0\x09\x01", Cause.WRONG_SERVICE),
        (says(200, b"<html>"), Cause.WRONG_SERVICE),
        (says(401, b"", 'WWW-Authenticate: Basic realm="shop"'), Cause.WRONG_SERVICE),
        (says(502, b""), Cause.BAD_UPSTREAM),
        (says(400, b"Client sent an HTTP request to an HTTPS server."), Cause.WRONG_SERVICE),
    ],
)
def test_a_login_is_sent_to_rabbitmq_only(said: bytes, cause: Cause) -> None:
    played = look(said, OK, OK, ONE)
    assert played.settled.cause is cause
    assert b"Authorization" not in played.sent
    known = look(ASKS, OK, OK, ONE)
    assert known.sent.count(b"Authorization") == known.said_secretly.count(b"Authorization") == 3


@settings(max_examples=40)
@given(st.binary(max_size=100), st.recursive(st.none() | st.text(max_size=5), st.lists))
def test_no_bytes_raise_anything(noise: bytes, value: Any) -> None:
    odd = {"alarms": value, "status": "failed", "reason": value, "messages": value, "state": value}
    for said in (noise, says(503, odd), says(200, odd), says(200, [odd, value])):
        for before in ([], [ASKS], [ASKS, OK, OK], [ASKS, OK, OK, ONE]):
            played = look(*before, said, queue="orders")
            assert played.answer is not None or isinstance(played.broke, Closed | Quiet)


@given(noise([ASKS, OK, OK, ONE, queue(messages=1)]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, queue="orders")
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(ASKS)
    assert PROBE.recognise(says(200, b"<head>\n <title>RabbitMQ Management</title>"))
    assert not PROBE.recognise(says(200, b"<title>RabbitMQ</title>"))
