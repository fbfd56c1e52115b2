"""The machine's own word in the monitor: what dies here is seen, and told why, within a second."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.app.test_held_before import EMPTY, HELD, PASSED, REFUSED, TARGET
from tests.app.test_running import check, until
from tests.beds.commands import stop
from tests.beds.redis import redis
from tests.beds.requirements import require
from tests.checks.strangers import stranger
from tests.host.fake_reader import NOW, container, listening
from tests.host.units import unit
from trueup.app import watching_host
from trueup.app.clock import SystemClock
from trueup.app.running import Running
from trueup.app.watched import Watched
from trueup.app.watching_host import WatchedHost
from trueup.checks.check import Check
from trueup.diagnosis.holder import ended_just_now
from trueup.domain.monitor_settings import Store
from trueup.domain.target import Target
from trueup.domain.tier import Tier
from trueup.host import reader
from trueup.host.events import EventKind, HostEvent
from trueup.host.facts import Container, Firewall, InterfaceAddress, Unit
from trueup.host.report import HostReport
from trueup.host.sockets import Sockets
from trueup.host.survey import Survey
from trueup.store.opening import open_stores

HOURLY = Tier(every_s=3600.0)
SERVER = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(listener.getsockname()[1], flush=True)
if sys.stdin.readline() == "close\\n":
    listener.close()
    print("closed", flush=True)
time.sleep(60)
"""


def run(tmp_path: Path, story: Callable[[Running], Awaitable[None]], *checks: Check) -> None:
    """A monitor that looks once an hour: what it sees sooner, it was told of."""

    async def whole() -> None:
        named = {one.target.name: (one,) for one in checks}
        watched = Watched(tuple(one.target for one in checks), named, dict.fromkeys(named, HOURLY))
        host = WatchedHost(watched.targets, SystemClock())
        running = Running(watched, store, host)
        watching = asyncio.ensure_future(running.watch())
        try:
            await until(lambda: all(one["state"] != "unknown" for one in running.documents()))
            up = [one["name"] for one in running.documents() if one["state"] == "up"]
            await until(lambda: host._events is not None and all(map(host.knows_holder, up)))
            await story(running)
            assert not watching.done()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            host.close()

    store = open_stores(tmp_path, Store())
    uvloop.run(whole())
    store.close()


def host_of(running: Running) -> WatchedHost:
    assert running._host is not None
    return running._host


def shown(running: Running) -> dict[str, Any]:
    return running.documents()[0]


def test_a_kill_is_seen_and_explained_at_once(tmp_path: Path) -> None:
    with redis() as server:

        async def story(running: Running) -> None:
            assert shown(running)["state"] == "up"
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            await until(lambda: shown(running)["state"] == "down")
            one = shown(running)
            assert (one["layer"], one["cause"]) == ("host", "not-running")
            assert f"pid {server.pid}" in one["summary"]
            assert [seen["layer"] for seen in one["observations"]] == ["port", "host"]

        run(tmp_path, story, check(server.url))


def test_who_comes_back_is_seen_without_waiting_for_the_next_turn(tmp_path: Path) -> None:
    with redis() as server:
        port = server.port

        async def story(running: Running) -> None:
            await asyncio.to_thread(server.stop)
            await until(lambda: shown(running)["state"] == "down")
            await asyncio.to_thread(server.start)
            await until(lambda: shown(running)["state"] == "up")
            # Who holds the port now is asked at once, and so the second death is told of the second process.
            await until(lambda: not host_of(running)._held.has_lost(server.url))
            assert server.pid is not None
            pid = server.pid
            os.kill(pid, signal.SIGKILL)
            await until(lambda: shown(running)["state"] == "down")
            assert f"pid {pid}" in shown(running)["summary"]
            assert f"port {port}" in shown(running)["summary"]

        run(tmp_path, story, check(server.url))


def test_a_process_that_closes_its_port_and_lives_is_not_said_to_be_dead(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    stdin = server.stdin
    try:
        port = int(server.stdout.readline())

        async def story(running: Running) -> None:
            assert shown(running)["state"] == "up"
            stdin.write("close\n")
            stdin.flush()
            await until(lambda: shown(running)["state"] == "down")
            one = shown(running)
            assert (one["layer"], one["cause"]) == ("host", "not-listening")
            assert f"pid {server.pid}" in one["summary"]

        run(tmp_path, story, check(f"tcp://127.0.0.1:{port}"))
    finally:
        server.kill()
        stop(server)


def test_another_that_answers_in_the_place_of_the_named_one(tmp_path: Path) -> None:
    """It speaks the same protocol: from outside all is well."""
    with redis() as server:
        asked = check(server.url)
        asked = replace(asked, target=replace(asked.target, process=f"{tmp_path.name[:8]}-redis"))
        program = tmp_path / str(asked.target.process)
        shutil.copy2(require("redis-server"), program)
        server.stop()
        words = ["--port", str(server.port), "--bind", "127.0.0.1", "--save", ""]
        named = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
        try:

            async def story(running: Running) -> None:
                named.kill()
                await until(lambda: shown(running)["state"] == "down")
                server.start()
                await until(lambda: shown(running)["state"] == "degraded")
                one = shown(running)
                assert (one["layer"], one["cause"]) == ("host", "wrong-owner")
                assert f"redis-server (pid {server.pid}) holds port {server.port}" in one["summary"]

            run(tmp_path, story, asked)
        finally:
            named.kill()
            named.wait()


def test_a_port_that_never_answered_has_no_cause_of_the_host(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async def story(running: Running) -> None:
        one = shown(running)
        assert (one["state"], one["layer"], one["cause"]) == ("down", "port", "refused")

    run(tmp_path, story, check(f"tcp://127.0.0.1:{port}"))


def test_a_failure_elsewhere_does_not_ask_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(running: Running) -> None:
        host = host_of(running)
        taken = host._whole_began_s
        running.look_soon(shown(running)["name"])
        await until(
            lambda: (
                not running._lookout._looking and running._lookout._looked_s[shown(running)["name"]] > taken
            )
        )
        assert host._whole_began_s == taken

    run(tmp_path, story, check("tcp://192.0.2.1:9"))


def test_a_failure_that_goes_on_shares_a_report_until_something_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained = 0
    explain = Survey.explain

    async def counted(self: Survey, *words: Any, **more: Any) -> HostReport:
        nonlocal explained
        explained += 1
        return await explain(self, *words, **more)

    monkeypatch.setattr(Survey, "explain", counted)

    async def story() -> None:
        host = WatchedHost((TARGET,), SystemClock())
        other = replace(TARGET, name="other")
        host.watch((TARGET, other))

        async def taken_for(target: Target, detail: str) -> tuple[bool, int]:
            before_s, asked = host._whole_began_s, explained
            seen = replace(REFUSED, detail=detail)
            assert (await host.evidence(target, (seen,))).host is not None
            return host._whole_began_s != before_s, explained - asked

        try:
            assert await taken_for(TARGET, "refused") == (True, 1)
            assert await taken_for(TARGET, "refused") == (False, 0)
            assert await taken_for(other, "refused") == (True, 1), "a first failure wants one from after it"
            assert await taken_for(TARGET, "refused") == (False, 0), "and the answer to the same question"
            assert await taken_for(TARGET, "otherwise") == (True, 1)
            host._concerned(HostEvent(EventKind.LISTENER_GONE, NOW, "tcp", socket=listening(6379)))
            assert await taken_for(TARGET, "otherwise") == (True, 1)
            await host.evidence(TARGET, (PASSED,))
            assert await taken_for(TARGET, "otherwise") == (True, 1)
        finally:
            host.close()

    asyncio.run(story())


@pytest.mark.parametrize(("ago", "shares"), [(timedelta(), False), (timedelta(minutes=1), True)])
def test_what_may_come_back_is_held_against_a_report_of_its_own_each_time(
    monkeypatch: pytest.MonkeyPatch, ago: timedelta, shares: bool
) -> None:
    async def containers(_: object) -> tuple[Container, ...]:
        return (container("shop", ports=(), state="exited", finished_at=datetime.now(UTC) - ago),)

    monkeypatch.setattr(reader.ThisMachine, "containers", containers)
    target = replace(TARGET, container="shop")

    async def story() -> None:
        host = WatchedHost((target,), SystemClock())
        await host.evidence(target, (REFUSED,))
        first_s = host._whole_began_s
        await host.evidence(target, (REFUSED,))
        assert (host._whole_began_s == first_s) is shares
        host.close()

    asyncio.run(story())


def test_an_event_during_a_look_leads_to_another(tmp_path: Path) -> None:
    with stranger(None) as silent:

        async def story(running: Running) -> None:
            name = shown(running)["name"]
            running.look_soon(name)
            await until(lambda: name in running._lookout._looking)
            running.look_soon(name)
            await until(lambda: name not in running._lookout._looking)
            await until(lambda: name in running._lookout._looking)

        run(tmp_path, story, check(f"redis://127.0.0.1:{silent}"))


def test_sockets_of_this_machine_can_be_read() -> None:
    """What the tests above rest on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert listening.getsockname()[1] in {one.port for one in Sockets().read()}


def test_an_internal_listener_on_all_addresses_is_a_hint_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_firewall() -> Firewall:
        return Firewall((), ())

    public = (InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth0", "192.0.2.7", 24))
    monkeypatch.setattr(reader, "read_firewall", no_firewall)
    monkeypatch.setattr(reader, "read_addresses", lambda: public)
    with socket.create_server(("0.0.0.0", 0)) as listening:
        port = listening.getsockname()[1]
        open_to_all = check(f"tcp://127.0.0.1:{port}")
        internal = replace(open_to_all, target=replace(open_to_all.target, internal=True))

        async def story(running: Running) -> None:
            running.look_soon(shown(running)["name"])
            await until(lambda: len(shown(running)["observations"]) == 2)
            hint = shown(running)["observations"][1]
            assert (hint["layer"], hint["outcome"]) == ("host", "pass")
            assert (hint["facts"]["hint"], hint["facts"]["bound_to"]) == (
                "bound-to-all-addresses",
                ["0.0.0.0"],
            )
            assert shown(running)["state"] == "up"

        run(tmp_path, story, internal)


def restarting(monkeypatch: pytest.MonkeyPatch, states: list[Unit]) -> list[tuple[str, Unit]]:
    """What is looked at after an event about a unit that has these states, one after another."""
    monkeypatch.setattr(watching_host, "ASK_AGAIN_S", 0.01)
    monkeypatch.setattr(watching_host, "CHANGING_S_MAX", 0.5)
    looked: list[tuple[str, Unit]] = []
    now = states[0]

    async def units(_: object, names: Sequence[str]) -> tuple[Unit, ...]:
        nonlocal now
        assert names == ["shop.service"]
        now = states.pop(0) if len(states) > 1 else states[0]
        return (now,)

    async def story() -> None:
        host = WatchedHost([Target("shop", unit="shop")], SystemClock())
        monkeypatch.setattr(reader.ThisMachine, "units", units)
        await host._look_soon({"shop"}, lambda name: looked.append((name, now)))
        host.close()

    asyncio.run(story())
    return looked


def test_a_planned_restart_is_waited_for() -> None:
    with pytest.MonkeyPatch.context() as patch:
        stopping = unit("shop.service", active_state="deactivating", job="restart")
        starting = unit("shop.service", active_state="activating")
        active = unit("shop.service", active_state="active")
        assert restarting(patch, [stopping, stopping, starting, active]) == [("shop", active)]


def test_a_container_that_ended_is_looked_at_once_it_would_have_been_restarted() -> None:
    begun_at, looked_at = datetime.now(UTC), []
    ended = container("shop", ports=(), state="exited", finished_at=begun_at)

    async def containers(_: object) -> tuple[Container, ...]:
        return (ended,)

    async def story() -> None:
        host = WatchedHost([Target("shop", container="shop")], SystemClock())
        await host._look_soon({"shop"}, lambda _: looked_at.append(datetime.now(UTC)))
        host.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader.ThisMachine, "containers", containers)
        asyncio.run(story())
    (at,) = looked_at
    assert not ended_just_now(ended, at)


def test_a_unit_that_changes_for_too_long_is_looked_at_all_the_same() -> None:
    with pytest.MonkeyPatch.context() as patch:
        starting = unit("shop.service", active_state="activating")
        assert restarting(patch, [starting]) == [("shop", starting)]


def test_who_holds_a_port_that_is_back_is_asked_at_once() -> None:
    """Until that's known, its next end is heard by nobody."""

    async def story() -> None:
        host = WatchedHost([TARGET], SystemClock())
        host._held.passed(TARGET.name, [PASSED])
        for report in (HELD, EMPTY):
            host._held.remember(report)
        assert host._held.has_lost(TARGET.name)
        await host.evidence(TARGET, [PASSED])
        assert host._refreshes.is_set()
        host.close()

    asyncio.run(story())
