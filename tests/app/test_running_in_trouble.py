"""A monitor whose own disk, clock or code fails: nothing is lost, and nobody else is blamed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_running import until
from tests.beds.webhook import Webhook, webhook
from trueup.app import keeper, lookout
from trueup.app.clock import SystemClock
from trueup.app.running import Running
from trueup.app.watched import OtherLook, Watched
from trueup.config.configuration import Configuration
from trueup.domain.causes import Cause
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.monitor_settings import Store
from trueup.domain.observation import Observation
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome, State
from trueup.domain.target import Kind, Target
from trueup.domain.tier import Confirm, Tier
from trueup.engine.engine import Engine
from trueup.monitor.jumps import Moments
from trueup.store.failure import Reason, StoreFailed
from trueup.store.opening import Stores, open_stores
from trueup.store.state import Batch

POLICY = Tier(every_s=0.1, confirm=Confirm(2, 0.1))


class Scripted:
    """Found as the test says; a look that ``raises`` is a bug of ours, one that ``hangs`` never ends."""

    def __init__(self) -> None:
        self.outcome = Outcome.PASS
        self.raises = False
        self.hangs = False
        self.looks = 0

    async def __call__(self, _engine: Engine, vantage: str) -> tuple[Observation, ...]:
        self.looks += 1
        if self.raises:
            raise RuntimeError("a bug of ours")
        if self.hangs:
            await asyncio.Event().wait()
        cause = Cause.ERROR_ANSWER if self.outcome is Outcome.FAIL else None
        return (
            Observation(Layer.SERVICE, self.outcome, datetime.now(UTC), cause, "as told", 1.0, {}, vantage),
        )


class SetClock(SystemClock):
    """Somebody sets the machine's clock: it's ``days`` off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.days = 0
        real = lookout.moments

        def moments() -> Moments:
            now = real()
            return replace(now, wall_s=now.wall_s + self.days * 86400)

        monkeypatch.setattr(lookout, "moments", moments)

    def now(self) -> datetime:
        return super().now() + timedelta(days=self.days)


@asynccontextmanager
async def monitor(
    stores: Stores,
    looks: dict[str, OtherLook],
    hook: Webhook | None = None,
    *,
    clock: Clock | None = None,
    heartbeats: Mapping[str, Heartbeat] = {},
    timeouts: Mapping[str, float] = {},
    **needs: tuple[str, ...],
) -> AsyncIterator[Running]:
    jobs = tuple(Target(name, kind=Kind.HEARTBEAT) for name in heartbeats)
    targets = (
        *(Target(name, needs=needs.get(name, ()), timeout_s=timeouts.get(name)) for name in looks),
        *jobs,
    )
    channels = {"hook": Channel(Secret(hook.url))} if hook is not None else {}
    policies = dict.fromkeys((*looks, *heartbeats), POLICY)
    configuration = Configuration(
        {2: POLICY}, targets, policies=policies, channels=channels, heartbeats=heartbeats
    )
    running = Running(
        Watched(targets, {}, policies, looks=looks, configuration=configuration), stores, clock=clock
    )
    watching = asyncio.ensure_future(running.watch())
    try:
        yield running
        assert not watching.done()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def run(tmp_path: Path, story: Callable[[Stores], Any]) -> None:
    stores = open_stores(tmp_path, Store())
    try:
        asyncio.run(story(stores))
    finally:
        stores.close()


def state_of(running: Running, name: str) -> Any:
    return next(one["state"] for one in running.documents() if one["name"] == name)


def test_with_the_disk_gone_it_alerts_from_memory_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SAID_AFTER_S", 0.1)
    monkeypatch.setattr(keeper, "AGAIN_S", 0.1)

    async def story(stores: Stores) -> None:
        db = Scripted()
        record = stores.state.record

        def full(_batch: Batch) -> None:
            raise StoreFailed(Reason.FULL, "no room")

        with webhook() as hook:
            async with monitor(stores, {"db": db}, hook) as running:
                await until(lambda: running.hard_state("db") is State.UP)
                monkeypatch.setattr(stores.state, "record", full)
                db.outcome = Outcome.FAIL
                await until(lambda: {("db", "opened"), ("trueup", "opened")} <= set(hook.told()))
                assert any("can't be stored" in one for one in running.own_health()["problems"])
                assert {one["target"] for one in await running.incidents(limit=9)} == {"db", "trueup"}
                monkeypatch.setattr(stores.state, "record", record)
                await until(lambda: ("trueup", "closed") in hook.told())
                assert running.own_health() == {"state": "up", "problems": []}
                kept = stores.state.incidents(limit=9)
                assert {one.incident.target for one in kept} == {"db", "trueup"}
                opened = next(one for one in kept if one.incident.target == "db").notifications
                assert [told.event for told in opened] == ["opened"]

    run(tmp_path, story)


def test_a_bug_of_ours_is_unknown_and_never_down(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        db, web = Scripted(), Scripted()
        async with monitor(stores, {"db": db, "web": web}) as running:
            await until(lambda: running.hard_state("db") is State.UP)
            db.raises = True
            await until(lambda: running.hard_state("db") is State.UNKNOWN)
            assert state_of(running, "web") == "up"
            assert await running.incidents(limit=9) == []
            db.raises = False
            await until(lambda: running.hard_state("db") is State.UP)

    run(tmp_path, story)


@pytest.fixture
def _quick_to_miss_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "STALE_GRACE_S", 0.2)
    monkeypatch.setattr(lookout, "STALE_EVERY_S", 0.1)


@pytest.mark.usefixtures("_quick_to_miss_looks")
def test_what_nobody_can_finish_looking_at_is_unknown(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        db = Scripted()
        async with monitor(stores, {"db": db}) as running:
            await until(lambda: running.hard_state("db") is State.UP)
            db.hangs = True
            await until(lambda: running.hard_state("db") is State.UNKNOWN)
            (shown,) = running.documents()
            assert (shown["state"], shown["cause"]) == ("unknown", "monitor-starved")
            assert "hasn't been looked at for" in shown["summary"]

    run(tmp_path, story)


@pytest.mark.usefixtures("_quick_to_miss_looks")
def test_a_look_that_takes_the_time_that_it_has_is_no_want_of_looks(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        slow, hung = Scripted(), Scripted()
        async with monitor(stores, {"slow": slow, "hung": hung}, timeouts={"slow": 60.0}) as running:
            await until(lambda: {running.hard_state(name) for name in ("slow", "hung")} == {State.UP})
            slow.hangs, looks = True, slow.looks
            await until(lambda: slow.looks > looks)
            hung.hangs = True
            await until(lambda: running.hard_state("hung") is State.UNKNOWN)
            assert state_of(running, "slow") == "up"

    run(tmp_path, story)


def test_after_a_sleep_everything_is_looked_at_anew_and_nothing_is_confirmed_by_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stores: Stores) -> None:
        db = Scripted()
        slept_s = 0.0
        real = lookout.moments

        def moments() -> Moments:
            now = real()
            return replace(now, boottime_s=now.boottime_s + slept_s, wall_s=now.wall_s + slept_s)

        monkeypatch.setattr(lookout, "moments", moments)
        async with monitor(stores, {"db": db}) as running:
            await until(lambda: running.hard_state("db") is State.UP)
            db.outcome = Outcome.FAIL
            await until(lambda: state_of(running, "db") == "down")
            slept_s, db.outcome = 3600.0, Outcome.PASS
            await until(lambda: state_of(running, "db") == "up")
            assert await running.incidents(limit=9) == []

    run(tmp_path, story)


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_jumps_by_a_day_breaks_nothing_and_holds_no_alert_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """Before an outage, in the middle of it, and back again after it; a job reports in time all along."""
    job = {"job": Heartbeat(every_s=3600.0, grace_s=60.0)}

    async def story(stores: Stores) -> None:
        db, web, clock = Scripted(), Scripted(), SetClock(monkeypatch)
        with webhook() as hook:
            async with monitor(stores, {"db": db, "web": web}, hook, clock=clock, heartbeats=job) as running:
                await until(lambda: running.hard_state("db") is running.hard_state("web") is State.UP)
                token = (running.heartbeat_path("job") or "").rpartition("/")[2]
                assert await running.beat(token, "success", "")
                await until(lambda: running.hard_state("job") is State.UP)
                clock.days = days
                looks = web.looks
                await until(lambda: web.looks > looks + 3)
                db.outcome = Outcome.FAIL
                await until(lambda: hook.told() == [("db", "opened")])
                clock.days = 0
                looks = db.looks
                await until(lambda: db.looks > looks + 3)
                db.outcome = Outcome.PASS
                await until(lambda: hook.told() == [("db", "opened"), ("db", "closed")])
                looks = web.looks
                await until(lambda: web.looks > looks + 3)
                assert {one["target"] for one in await running.incidents(limit=9)} == {"db"}
                assert state_of(running, "job") in ("up", "unknown")

    run(tmp_path, story)


def test_when_a_needed_target_is_back_those_who_need_it_are_looked_at(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        db, web = Scripted(), Scripted()
        with webhook() as hook:
            async with monitor(stores, {"web": web, "db": db}, hook, web=("db",)) as running:
                await until(lambda: running.hard_state("web") is running.hard_state("db") is State.UP)
                db.outcome = web.outcome = Outcome.FAIL
                await until(lambda: running.hard_state("web") is running.hard_state("db") is State.DOWN)
                await until(lambda: state_of(running, "web") == "down" and ("db", "opened") in hook.told())
                (shown,) = [one for one in running.documents() if one["name"] == "web"]
                assert (shown["cause"], shown["blame"]) == ("needs", "db")
                db.outcome = web.outcome = Outcome.PASS
                await until(lambda: ("db", "closed") in hook.told())
                await until(lambda: running.hard_state("web") is State.UP)
        assert [target for target, _ in hook.told()] == ["db", "db"]

    run(tmp_path, story)


def test_who_follows_hears_of_targets_and_incidents(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        db = Scripted()
        async with monitor(stores, {"db": db}) as running:
            heard: list[dict[str, Any]] = []

            async def follow() -> None:
                async for event in running.subscribe():
                    heard.append(event)  # noqa: PERF401 - it's read while it grows

            following = asyncio.ensure_future(follow())
            await until(lambda: running.hard_state("db") is State.UP)
            db.outcome = Outcome.FAIL
            await until(lambda: {"target", "incident"} <= {one["type"] for one in heard})
            await until(lambda: any(one["type"] == "target" and one["incident"] for one in heard))
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    run(tmp_path, story)


def test_a_look_on_demand_is_waited_for(tmp_path: Path) -> None:
    async def story(stores: Stores) -> None:
        db = Scripted()
        async with monitor(stores, {"db": db}) as running:
            await until(lambda: running.hard_state("db") is State.UP)
            looks = db.looks
            assert (await running.look_at("db"))["state"] == "up"
            assert db.looks > looks
            with pytest.raises(KeyError):
                await running.look_at("nobody")

    run(tmp_path, story)
