"""The thin monitor: looks by its schedule, keeps verdicts, remembers since when."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.beds.redis import redis
from tests.beds.server import free_port
from tests.checks.strangers import stranger
from trueup.app.running import Running
from trueup.app.this_machine import configuration_of_this_machine
from trueup.app.watched import Watched
from trueup.checks.check import Check, check_address
from trueup.domain.address import parse_address
from trueup.domain.monitor_settings import Store
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.domain.tier import Confirm, Tier
from trueup.engine.engine import Engine
from trueup.probes.registry import SCHEMES
from trueup.store.opening import open_stores

POLICY = Tier(every_s=0.2, confirm=Confirm(2, 0.2))


def check(text: str) -> Check:
    return check_address(parse_address(text, SCHEMES), 2.0)


def watched(*checks: Check) -> Watched:
    named = {one.target.name: (one,) for one in checks}
    return Watched(tuple(one.target for one in checks), named, dict.fromkeys(named, POLICY))


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - the monitor has no event for what a test waits for
            await asyncio.sleep(0.02)


def test_a_target_that_nobody_looked_at_is_unknown(tmp_path: Path) -> None:
    async def story() -> None:
        running = Running(watched(check("redis://127.0.0.1:1")), open_stores(tmp_path, Store()))
        (shown,) = running.documents()
        assert (shown["state"], shown["hard"], shown["incident"], shown["tier"]) == (
            "unknown",
            False,
            None,
            2,
        )

    asyncio.run(story())


def test_a_change_is_seen_kept_and_dated(tmp_path: Path) -> None:
    store = open_stores(tmp_path, Store())
    with redis() as server:
        running: list[Running] = []

        def state() -> object:
            return running[0].documents()[0]["state"]

        def kept_state() -> object:
            found = store.state.load().kept.get(server.url)
            return found.state if found is not None else None

        async def story() -> None:
            await until(lambda: state() == "up")
            since = running[0].documents()[0]["since"]
            server.stop()
            await until(lambda: state() == "down")
            assert running[0].documents()[0]["since"] > since
            await until(lambda: kept_state() == "down")

        async def whole() -> None:
            running.append(Running(watched(check(server.url)), store))
            watching = asyncio.ensure_future(running[0].watch())
            try:
                await story()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

        asyncio.run(whole())
        kept = store.state.load().kept[server.url]
    assert json.loads(kept.document)["cause"] == "refused"
    store.close()


def test_since_outlives_a_restart(tmp_path: Path) -> None:
    with redis() as server:

        async def once() -> str:
            running = Running(watched(check(server.url)), store)
            watching = asyncio.ensure_future(running.watch())
            await until(
                lambda: running.documents()[0]["state"] == "up" and server.url in store.state.load().kept
            )
            shown = running.documents()[0]
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            return str(shown["since"])

        store = open_stores(tmp_path, Store())
        first = asyncio.run(once())
        store.close()
        store = open_stores(tmp_path, Store())
        assert asyncio.run(once()) == first
        store.close()


def test_what_somebody_says_of_an_incident_is_stored_when_it_is_answered(tmp_path: Path) -> None:
    store = open_stores(tmp_path, Store())

    async def story() -> None:
        running = Running(watched(check(f"redis://127.0.0.1:{free_port()}")), store)
        watching = asyncio.ensure_future(running.watch())
        await until(lambda: running.documents()[0]["incident"] is not None)
        number = running.documents()[0]["incident"]
        await running.acknowledge(number, "ann", "on it")
        assert (stored := store.state.incident(number)) is not None
        assert stored.incident.acknowledged_by == "ann"
        await running.add_note(number, "ann", "the disk is replaced")
        assert (stored := store.state.incident(number)) is not None
        assert stored.timeline[-1].what == "ann: the disk is replaced"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(story())
    store.close()


def test_a_target_without_checks_is_shown_and_never_green(tmp_path: Path) -> None:
    async def story() -> None:
        journey = Target("checkout")
        running = Running(Watched((journey,), {}, {}), open_stores(tmp_path, Store()))
        watching = asyncio.ensure_future(running.watch())
        await asyncio.sleep(0)
        assert running.documents()[0]["state"] == "unknown"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(story())


def test_a_target_that_is_looked_at_otherwise_has_its_turn_too(tmp_path: Path) -> None:
    async def story() -> None:
        looked = asyncio.Event()

        async def look(_engine: Engine, vantage: str) -> tuple[Observation, ...]:
            looked.set()
            now = datetime.now(UTC)
            return (Observation(Layer.FUNCTION, Outcome.PASS, now, detail="it helps", vantage=vantage),)

        journey = Target("checkout")
        watched = Watched((journey,), {}, {"checkout": Tier()}, looks={"checkout": look})
        running = Running(watched, open_stores(tmp_path, Store()))
        watching = asyncio.ensure_future(running.watch())
        async with asyncio.timeout(10):
            await looked.wait()
            await until(lambda: running.documents()[0]["state"] == "up")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(story())


def test_this_machine_is_watched_by_what_answers() -> None:
    with redis() as server, stranger(None) as silent:
        found = asyncio.run(configuration_of_this_machine())
    by_port = {checks[0].address.port: checks[0] for checks in found.checks.values()}
    assert by_port[server.port].address.text == server.url
    assert by_port[server.port].target.name.startswith("redis")
    assert by_port[silent].address.scheme == "tcp"


def test_its_own_port_is_left_out() -> None:
    with redis() as server:
        found = asyncio.run(configuration_of_this_machine(leave_out=frozenset({server.port})))
    assert server.port not in {checks[0].address.port for checks in found.checks.values()}
