"""Looks at what is well and stays so: they take no task, and show the same as any other."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_running import until
from tests.beds.redis import redis
from trueup.app.evaluator import Evaluator
from trueup.app.lookout import Lookout
from trueup.app.running import Running
from trueup.app.watched import Watched
from trueup.checks.check import check_address
from trueup.domain.address import parse_address
from trueup.domain.monitor_settings import Store
from trueup.domain.tier import Confirm, Tier
from trueup.probes.registry import SCHEMES
from trueup.store.opening import open_stores

QUICK = Tier(every_s=0.1, confirm=Confirm(2, 0.1))


def watched(address: str) -> Watched:
    check = check_address(parse_address(address, SCHEMES), 2.0)
    return Watched((check.target,), {check.target.name: (check,)}, {check.target.name: QUICK})


@pytest.fixture
def in_full(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of those that were looked at by a task."""
    looked: list[str] = []
    look_at = Lookout._look_at

    async def counted(self: Lookout, name: str, asked: Any = None) -> None:
        looked.append(name)
        await look_at(self, name, asked)

    monkeypatch.setattr(Lookout, "_look_at", counted)
    return looked


@asynccontextmanager
async def watching(folder: Path, what: Watched) -> AsyncIterator[Running]:
    stores = open_stores(folder, Store())
    running = Running(what, stores)
    task = asyncio.create_task(running.watch())
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        stores.close()


def passed(running: Running) -> float:
    (family,) = [one for one in running.metrics() if one.name == "trueup_checks_total"]
    return sum(one.value for one in family.readings if one.labels["outcome"] == "pass")


def test_only_the_first_look_is_made_in_full(tmp_path: Path, in_full: list[str]) -> None:
    async def story() -> None:
        with redis() as server:
            async with watching(tmp_path, watched(server.url)) as running:
                await until(lambda: passed(running) >= 2)
                looked, counted = len(in_full), passed(running)
                before = running.documents()[0]
                await until(lambda: passed(running) >= counted + 5)
                after = running.documents()[0]
                assert len(in_full) == looked
                known = running._prober.known(after["name"])
                assert known is not None
                assert known.transcript.said == [], "thousands are kept"
                seen = [{**one["observations"][-1]} for one in (before, after)]
                assert seen[0].pop("observed_at") < seen[1].pop("observed_at")
                times = [one.pop("latency_ms") for one in seen]
                assert seen[0] == seen[1]
                assert all(times)
                now = datetime.now(UTC)
                name = after["name"]
                told = await running.history(name, now - timedelta(minutes=1), now + timedelta(minutes=1), 60)
                assert sum(point["counts"]["up"] for point in told["points"]) >= counted + 5

    asyncio.run(story())


def test_what_differs_is_looked_at_in_full_at_once(tmp_path: Path, in_full: list[str]) -> None:
    async def story() -> None:
        with redis() as server:
            async with watching(tmp_path, watched(server.url)) as running:
                await until(lambda: passed(running) >= 5)
                in_full.clear()
                server.stop()
                await until(lambda: running.documents()[0]["state"] == "down")
                assert in_full
                shown = running.documents()[0]
                assert (shown["layer"], shown["cause"]) == ("port", "refused")

    asyncio.run(story())


def test_another_configuration_has_nothing_to_be_the_same_as(tmp_path: Path, in_full: list[str]) -> None:
    async def story() -> None:
        with redis() as server:
            async with watching(tmp_path, watched(server.url)) as running:
                await until(lambda: passed(running) >= 5)
                in_full.clear()
                running.replace(watched(server.url))
                counted = passed(running)
                await until(lambda: passed(running) >= counted + 2)
                assert len(in_full) == 1

    asyncio.run(story())


def test_a_steady_look_that_is_under_way_at_the_end_is_given_up(tmp_path: Path) -> None:
    """Nothing is left of it: no connection, no timer, and no word about a task that nobody waits for."""

    async def story() -> None:
        with redis() as server, contextlib.ExitStack() as held:
            async with watching(tmp_path, watched(server.url)) as running:
                await until(lambda: passed(running) >= 3)
                held.enter_context(server.paused())
                await until(lambda: bool(running._lookout._asked))
                (asked,) = running._lookout._asked.values()
            assert asked._talk.done
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())


def test_one_that_falls_silent_is_asked_who_it_is_meanwhile(tmp_path: Path) -> None:
    """As in any other look: else a first failure would know less than the next."""

    async def story() -> None:
        with redis() as server:
            async with watching(tmp_path, watched(server.url)) as running:
                await until(lambda: passed(running) >= 3)
                with server.paused():
                    await until(lambda: any(one.asking for one in running._lookout._asked.values()))
                    await until(lambda: running.documents()[0]["cause"] == "silent")

    asyncio.run(story())


def test_one_that_cannot_be_judged_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judged = Evaluator.looked
    failures = iter([RuntimeError("a bug")])

    def looked(self: Evaluator, *words: Any) -> Any:
        for failure in failures:
            raise failure
        return judged(self, *words)

    async def story() -> None:
        with redis() as server:
            monkeypatch.setattr(Evaluator, "looked", looked)
            async with watching(tmp_path, watched(server.url)) as running:
                await until(lambda: passed(running) >= 2)
                assert running.documents()[0]["state"] == "up"

    asyncio.run(story())
    assert "can't be judged, which is a bug" in caplog.text


def test_what_stays_broken_is_not_stored_again_and_again(tmp_path: Path) -> None:
    """Once its newest results are all the same, nothing of it changes but when it was looked at."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async def story() -> None:
        async with watching(tmp_path, watched(f"tcp://127.0.0.1:{port}")) as running:
            looks, keeper = running._lookout, running._keeper
            await until(lambda: looks.looks > 40)
            await keeper.flushed()
            writes, looked = keeper.writes, looks.looks
            await until(lambda: looks.looks > looked + 5)
            await keeper.flushed()
            assert running.documents()[0]["incident"] == 1
            assert keeper.writes == writes

    asyncio.run(story())
