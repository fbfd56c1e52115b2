"""The AMQP probe with a real RabbitMQ, whole and broken."""

import time
from collections.abc import Iterator

import pytest

from tests.beds.deadline import wait_until
from tests.beds.rabbitmq import ctl, rabbitmq
from tests.beds.server import Server
from tests.probes.performing import answer, perform
from trueup.conversation import Answer
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.queue_expect import QueueExpect

GUEST = Login(Secret("guest"))


@pytest.fixture(scope="module")
def broker() -> Iterator[Server]:
    """Of this file's own: its tests change it, and back."""
    with rabbitmq() as server:
        yield server


def test_a_healthy_broker(broker: Server) -> None:
    seen = answer(broker.url)
    assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
    assert (seen.facts["product"], seen.facts["login"]) == ("RabbitMQ", "demanded")
    assert answer(broker.url, login=GUEST).cause is None
    there_and_back = perform(broker.url, login=GUEST, roundtrip=True)
    assert there_and_back.answer is not None
    assert (there_and_back.answer.layer, there_and_back.answer.cause) == (Layer.FUNCTION, None)
    assert b"guest\0guest" not in b"".join(said.data for said in there_and_back.said)
    assert "trueup" not in ctl(broker, "list_queues"), "nothing is left behind"
    rude = [line for line in broker.log().splitlines() if "[warning]" in line and "user: 'guest'" in line]
    assert not rude, "with a login, goodbye is said"


def test_a_wrong_password(broker: Server) -> None:
    seen = answer(broker.url, login=Login(Secret("wrong"), "guest"))
    assert (seen.cause, seen.facts["code"]) == (Cause.LOGIN_REFUSED, 403)
    assert answer(broker.url, roundtrip=True).cause is Cause.LOGIN_REFUSED


def test_a_virtual_host_that_isnt_there(broker: Server) -> None:
    seen = answer(f"{broker.url}/nowhere", login=GUEST)
    assert (seen.cause, seen.facts["code"]) == (Cause.ERROR_ANSWER, 530)


def test_a_virtual_host_that_is_full_or_forbidden(broker: Server) -> None:
    ctl(broker, "add_vhost", "small")
    assert answer(f"{broker.url}/small", login=GUEST).cause is Cause.LOGIN_REFUSED
    ctl(broker, "set_permissions", "-p", "small", "guest", ".*", ".*", ".*")
    ctl(broker, "set_vhost_limits", "-p", "small", '{"max-connections":0}')
    assert answer(f"{broker.url}/small", login=GUEST).cause is Cause.OVERLOADED


def test_a_user_who_may_not_make_a_queue(broker: Server) -> None:
    ctl(broker, "add_user", "poor", "poor")
    ctl(broker, "set_permissions", "poor", "", "", "")
    poor = Login(Secret("poor"), "poor")
    assert answer(broker.url, login=poor).cause is None
    seen = answer(broker.url, login=poor, roundtrip=True)
    assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.LOGIN_REFUSED)


def test_a_queue_that_nobody_reads(broker: Server) -> None:
    jobs = "rabbit_misc:r(<<47>>,queue,<<106,111,98,115>>)"
    declare = f"rabbit_amqqueue:declare({jobs},true,false,[],none,<<112>>)."
    assert answer(broker.url, login=GUEST, queue="jobs").facts["code"] == 404
    ctl(broker, "eval", declare)
    seen = answer(broker.url, login=GUEST, queue="jobs", expect=QueueExpect(messages_max=0), roundtrip=True)
    assert (seen.layer, seen.cause) == (Layer.FUNCTION, None)
    unread = answer(broker.url, login=GUEST, queue="jobs", expect=QueueExpect(consumers_min=1))
    assert (unread.layer, unread.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
    assert unread.facts == {"messages": 0, "consumers": 0}


def test_a_memory_alarm_shows_to_those_who_publish(broker: Server) -> None:
    """Everything opens, a publish blocks (ghost 24)."""
    ctl(broker, "set_vm_memory_high_watermark", "0.00001")
    try:
        deadline_s = time.monotonic() + 20
        while (seen := answer(broker.url, login=GUEST, roundtrip=True)).cause is None:
            assert time.monotonic() < deadline_s, "no alarm was raised"
        assert (seen.outcome, seen.layer, seen.cause) == (Outcome.FAIL, Layer.FUNCTION, Cause.OVERLOADED)
        assert seen.facts["blocked"] == "low on memory"
        assert answer(broker.url, login=GUEST).cause is None, "invisible until one publishes"
    finally:
        ctl(broker, "set_vm_memory_high_watermark", "0.4")


def trip(broker: Server) -> Answer:
    return answer(broker.url, login=GUEST, roundtrip=True)


def test_a_disk_alarm_shows_to_those_who_publish(broker: Server) -> None:
    ctl(broker, "set_disk_free_limit", "900000GB")
    try:
        wait_until(
            lambda: answer(broker.url, login=GUEST, roundtrip=True).cause is Cause.DISK_FULL, "it is seen"
        )
    finally:
        ctl(broker, "set_disk_free_limit", "50MB")
    wait_until(lambda: trip(broker).cause is None, "it is over")


def test_a_message_that_is_lost(broker: Server) -> None:
    """A policy that lets a queue hold nothing: the broker confirms what it throws away."""
    ctl(broker, "set_policy", "lost", "^trueup", '{"max-length":0}', "--apply-to", "queues")
    try:
        lost = answer(broker.url, login=GUEST, roundtrip=True, timeout_s=1)
        assert (lost.layer, lost.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
        assert answer(broker.url, login=GUEST).cause is None, "invisible until one consumes"
    finally:
        ctl(broker, "clear_policy", "lost")
    assert trip(broker).cause is None


def test_a_paused_broker_is_silent(broker: Server) -> None:
    with broker.paused():
        fault = perform(broker.url, timeout_s=0.3).fault
        assert fault is not None
        assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.SILENT)
