import asyncio
from dataclasses import replace

import pytest

from tests.beds.redis import redis
from trueup.app import uplink as uplinks
from trueup.app.clock import SystemClock
from trueup.app.uplink import Uplink
from trueup.domain.address import Address, parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.engine.engine import Engine
from trueup.probes.registry import SCHEMES

NOW = SystemClock().now()
FAR = "tcp://gone.invalid:443"
"""Reserved: no resolver has an address for it."""
UNREACHED = Observation(Layer.PORT, Outcome.FAIL, NOW, Cause.NO_ANSWER, "silence")


def address(text: str) -> Address:
    return parse_address(text, SCHEMES)


def explained(uplink: Uplink, seen: Observation, at: str = FAR) -> Observation:
    async def story() -> Observation:
        async with Engine() as engine:
            (found,) = await uplink.explained(engine, Target("db", at=(address(at),)), (seen,))
            return found

    return asyncio.run(story())


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplinks, "TIMEOUT_S", 0.3)


def test_with_the_uplink_gone_what_is_elsewhere_is_unknown() -> None:
    uplink = Uplink([address(FAR), address("tcp://also.invalid:443")], SystemClock())
    found = explained(uplink, UNREACHED)
    assert (found.outcome, found.cause) == (Outcome.UNKNOWN, Cause.MONITOR_OFFLINE)
    assert found.facts["seen"] == "no-answer"
    assert FAR in uplink.gone


def test_one_uplink_that_answers_is_enough_and_so_is_a_refusal() -> None:
    with redis() as server:
        for there in (f"tcp://127.0.0.1:{server.port}", "tcp://127.0.0.1:1"):
            uplink = Uplink([address(FAR), address(there)], SystemClock())
            assert explained(uplink, UNREACHED) is UNREACHED
            assert uplink.gone == ""


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.ERROR_ANSWER, Cause.LOGIN_REFUSED])
def test_what_was_answered_came_over_the_network(cause: Cause) -> None:
    seen = replace(UNREACHED, cause=cause)
    assert explained(Uplink([address(FAR)], SystemClock()), seen) is seen


def test_to_its_own_addresses_no_network_leads() -> None:
    assert explained(Uplink([address(FAR)], SystemClock()), UNREACHED, "tcp://127.0.0.1:1") is UNREACHED


def test_without_an_uplink_nobody_can_tell() -> None:
    assert explained(Uplink([], SystemClock()), UNREACHED) is UNREACHED


def test_a_step_of_a_journey_is_told_by_its_inner_cause() -> None:
    facts = {"step": "1", "inner_cause": "unreachable"}
    seen = Observation(Layer.FUNCTION, Outcome.FAIL, NOW, Cause.STEP_FAILED, "no way", facts=facts)
    assert explained(Uplink([address(FAR)], SystemClock()), seen).cause is Cause.MONITOR_OFFLINE
