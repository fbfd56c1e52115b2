"""What an agent sees when it asks its own machine's listeners."""

import asyncio
from typing import Any

import pytest

from tests.beds import wire
from tests.beds.redis import redis
from tests.checks.strangers import stranger
from trueup.app import local_looks as module
from trueup.app.clock import SystemClock
from trueup.app.local_looks import LocalLooks
from trueup.checks.look import Look, look
from trueup.domain.states import Layer, Outcome
from trueup.engine.engine import Engine
from trueup.host.reader import ThisMachine
from trueup.host.report import Listener
from trueup.host.survey import Survey


async def listening_on(*ports: int) -> list[Listener]:
    report = await Survey(ThisMachine(), "here", SystemClock()).take_listeners()
    return [one for one in report.listeners if one.socket.port in ports]


@pytest.fixture
def looked_closely(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ports that were looked at as if for the first time."""
    ports: list[int] = []

    async def noted(engine: Engine, check: Any, *rest: Any, **more: Any) -> Look:
        ports.append(check.address.port)
        return await look(engine, check, *rest, **more)

    monkeypatch.setattr(module, "look", noted)
    return ports


def test_it_looks_at_its_own_listeners_and_forgets_those_that_go() -> None:
    async def looked(port: int, silent: int) -> tuple[LocalLooks, list[int]]:
        looks = LocalLooks(SystemClock())
        report = await Survey(ThisMachine(), "here", SystemClock()).take_listeners()
        mine = [one for one in report.listeners if one.socket.port in (port, silent)]
        async with Engine() as engine:
            await looks.round(engine, mine)
            found = {(one.port, one.layer): one for one in looks.all()}
            assert found[port, Layer.SERVICE].outcome is Outcome.PASS
            assert found[port, Layer.SERVICE].speaks == "redis"
            assert found[silent, Layer.PORT].outcome is Outcome.PASS
            await looks.round(engine, [one for one in mine if one.socket.port == silent])
        return looks, [one.port for one in looks.all()]

    with redis() as server, stranger(None) as silent:
        _, ports = asyncio.run(looked(server.port, silent))
    assert set(ports) == {silent}


def test_who_answers_as_before_is_not_looked_at_closely_and_its_times_are_new(
    looked_closely: list[int],
) -> None:
    async def story(port: int) -> None:
        looks, mine = LocalLooks(SystemClock()), await listening_on(port)
        async with Engine() as engine:
            assert await looks.round(engine, mine)
            assert looked_closely == [port]
            for _ in range(5):  # on a busy machine a look may be spoilt, and is no measure for the next
                (first,) = looks.all()
                looked_closely.clear()
                assert await looks.round(engine, mine)
                (second,) = looks.all()
                if not looked_closely:
                    break
        assert not looked_closely
        assert (second.layer, second.outcome, second.detail) == (Layer.PORT, Outcome.PASS, first.detail)
        assert second.observed_at > first.observed_at

    with stranger(None) as silent:
        asyncio.run(story(silent))


def test_who_answers_otherwise_than_before_is_looked_at_closely(looked_closely: list[int]) -> None:
    async def story() -> None:
        with redis() as server:
            looks, mine = LocalLooks(SystemClock()), await listening_on(server.port)
            async with Engine() as engine:
                await looks.round(engine, mine)
                looked_closely.clear()
                wire.say(server, b"CONFIG SET requirepass secret", b"QUIT")
                await looks.round(engine, mine)
            assert looked_closely == [server.port]
            assert "asks for a password" in {one.layer: one.detail for one in looks.all()}[Layer.SERVICE]

    asyncio.run(story())


def test_a_listener_that_came_later_is_looked_at_first(
    looked_closely: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(module, "NEW_AT_ONCE", 1)

    async def story(ports: list[int]) -> None:
        looks = LocalLooks(SystemClock())
        new, *known = await listening_on(*ports)
        async with Engine() as engine:
            assert [await looks.round(engine, known) for _ in known] == [False, True]
            looked_closely.clear()
            assert await looks.round(engine, [*known, new])
        assert looked_closely == [new.socket.port]
        assert len(looks.all()) == len(ports)

    with stranger(None) as one, stranger(None) as two, stranger(None) as three:
        asyncio.run(story([one, two, three]))
