"""RabbitMQ's management API with a real broker, whole and under an alarm (ghost 24, seen from here)."""

import shutil

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

GUEST = Login(Secret("guest"), "guest")


def url(server: Server) -> str:
    return f"rabbitmq://127.0.0.1:{server.ports['management']}"


def test_a_healthy_broker(rabbitmq_server: Server) -> None:
    at = url(rabbitmq_server)
    assert answer(at).facts["login"] == "demanded"
    seen = perform(at, login=GUEST)
    assert seen.answer is not None
    assert (seen.answer.cause, seen.answer.facts["nodes"]) == (None, 1)
    assert seen.redials == 0
    assert answer(at + "/%2F", login=GUEST).cause is None


@pytest.mark.parametrize("login", [Login(Secret("wrong"), "guest"), Login(Secret("guest"))])
def test_a_wrong_login(rabbitmq_server: Server, login: Login) -> None:
    assert answer(url(rabbitmq_server), login=login).cause is Cause.LOGIN_REFUSED


def test_what_does_not_exist(rabbitmq_server: Server) -> None:
    at = url(rabbitmq_server)
    assert answer(at + "/shop", login=GUEST).cause is Cause.ERROR_ANSWER
    seen = answer(at, login=GUEST, queue="orders")
    assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)


def test_a_broker_of_its_own_in_trouble() -> None:
    with rabbitmq(["collect_statistics_interval = 500"], management=True) as server:
        at = url(server)
        ctl(server, "add_user", "probe", "sesame")
        untagged = answer(at, login=Login(Secret("sesame"), "probe"))
        assert untagged.cause is Cause.LOGIN_REFUSED
        assert "Not management user" in untagged.detail

        declare = "rabbit_amqqueue:declare(rabbit_misc:r(<<47>>,queue,<<111>>),true,false,[],none,<<112>>)."
        ctl(server, "eval", declare)
        waiting = answer(at, login=GUEST, queue="o", expect=QueueExpect(messages_max=10))
        assert (waiting.layer, waiting.cause) == (Layer.FUNCTION, None)
        assert (
            answer(at, login=GUEST, queue="o", expect=QueueExpect(consumers_min=1)).cause
            is Cause.WRONG_ANSWER
        )

        free_bytes = shutil.disk_usage(server.folder).free
        ctl(server, "set_disk_free_limit", str(free_bytes * 95 // 100))
        nearly = wait_until(lambda: is_degraded(at), "nearly no space is left", 20)
        assert nearly is not None
        assert nearly.cause is Cause.DISK_FULL
        ctl(server, "set_disk_free_limit", "50MB")
        ctl(server, "set_vm_memory_high_watermark", "0")
        assert wait_for_cause(at) is Cause.OVERLOADED
        ctl(server, "set_vm_memory_high_watermark", "0.9")
        ctl(server, "set_disk_free_limit", "900000GB")
        wait_until(lambda: answer(at, login=GUEST).cause is Cause.DISK_FULL, "the disk alarm is seen")
        ctl(server, "stop_app")
        assert perform(at).fault is not None, "the management API ends with the broker"


def wait_for_cause(at: str) -> Cause | None:
    return wait_until(lambda: answer(at, login=GUEST).cause, "an alarm is seen")


def is_degraded(at: str) -> Answer | None:
    seen = answer(at, login=GUEST)
    return seen if seen.outcome is Outcome.SLOW else None
