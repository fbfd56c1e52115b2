import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.beds.commands import stop
from tests.host.fake_reader import FakeClock, listening
from trueup.host import events as module
from trueup.host.containers import Engine
from trueup.host.events import EventKind, HostEvent, HostEvents, Sources
from trueup.host.facts import Owner
from trueup.host.listener_watch import ListenerDeaths
from trueup.host.process_watch import ProcessExits
from trueup.host.processes import Processes
from trueup.host.reader import ThisMachine
from trueup.host.report import HostReport, Listener
from trueup.host.sockets import Sockets
from trueup.host.survey import Survey
from trueup.host.systemd_bus import SystemdBus
from trueup.host.unreadable import HostUnreadable, Reason

SERVER = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
time.sleep(60)
"""
CLOCK = FakeClock()
RunLoop = Callable[..., Any]


@contextlib.contextmanager
def served() -> Iterator[tuple["subprocess.Popen[str]", int]]:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server, int(server.stdout.readline())
    finally:
        server.kill()
        stop(server)


async def heard(events: HostEvents, count: int, timeout_s: float = 30) -> list[HostEvent]:
    found = []
    async with asyncio.timeout(timeout_s):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


@contextlib.asynccontextmanager
async def followed(**sources: object) -> AsyncIterator[HostEvents]:
    told = Sources(Sockets(), Processes(), **sources)  # type: ignore[arg-type]
    async with HostEvents(told, CLOCK) as events:
        yield events


def killed(run_loop: RunLoop = asyncio.run) -> tuple[list[HostEvent], HostEvents]:
    """What is heard of a server that is killed."""

    async def run(server: "subprocess.Popen[str]", port: int) -> tuple[list[HostEvent], HostEvents]:
        async with followed() as events:
            report = await Survey(ThisMachine(), "here", CLOCK).take_listeners()
            mine = tuple(one for one in report.listeners if one.socket.port == port)
            assert [one.owner.pid for one in mine] == [server.pid]
            events.watch(HostReport("here", CLOCK.now(), None, listeners=mine, processes=report.processes))
            server.kill()
            return await heard(events, 2), events

    with served() as (server, port):
        heard_of: tuple[list[HostEvent], HostEvents] = run_loop(run(server, port))
        return heard_of


@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
def test_a_kill_is_heard_as_the_end_of_the_process_and_of_its_listener(
    run_loop: RunLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 3600.0)  # the kernel says it, or nobody
    found, events = killed(run_loop)
    assert {event.kind for event in found} == {EventKind.PROCESS_EXITED, EventKind.LISTENER_GONE}
    (gone,) = [event for event in found if event.kind is EventKind.LISTENER_GONE]
    assert gone.socket is not None
    assert gone.subject == f"tcp 127.0.0.1:{gone.socket.port}"
    assert events.unreadable == {}


def test_where_the_kernel_does_not_tell_looking_does_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: ListenerDeaths) -> None:
        raise HostUnreadable("listener events", "Operation not permitted", Reason.PERMISSION)

    monkeypatch.setattr(ListenerDeaths, "open", denied)
    found, events = killed()
    assert {event.kind for event in found} == {EventKind.PROCESS_EXITED, EventKind.LISTENER_GONE}
    assert module.LOOK_EVERY_S < 1
    assert events.unreadable["listener events"].reason is Reason.PERMISSION


def test_more_than_fits_is_said_to_be_lost_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING_MAX", 2)

    async def run() -> list[EventKind]:
        async with followed() as events:
            for port in range(5):
                events._listener_gone(listening(port))
            return [event.kind for event in await heard(events, 3)]

    assert asyncio.run(run()) == [EventKind.EVENTS_LOST, EventKind.LISTENER_GONE, EventKind.LISTENER_GONE]


def test_processes_that_cannot_be_watched_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise HostUnreadable("process events", "Function not implemented", Reason.UNSUPPORTED)

    monkeypatch.setattr(ProcessExits, "watch", missing)

    async def run() -> HostEvents:
        async with followed() as events:
            events.watch(HostReport("here", CLOCK.now(), None))
            return events

    assert "process events" in asyncio.run(run()).unreadable


def test_a_bus_that_is_not_there_is_named_and_sought_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_AGAIN_AFTER_S", 0.05)
    bus = SystemdBus(lambda _: False, f"unix:path={tmp_path}/none")

    async def run() -> HostEvents:
        async with followed(bus=bus) as events:
            assert {event.kind for event in await heard(events, 2)} == {EventKind.EVENTS_LOST}
            return events

    assert asyncio.run(run()).unreadable["unit events"].reason is Reason.ABSENT


EVENT = (
    b'{"Type":"container","Action":"die","Actor":{"ID":"ab","Attributes":{"name":"web","exitCode":"137"}},'
    b'"timeNano":1795229720519436459}\n'
)


def test_an_engine_that_ends_and_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fake engine tells one event, and ends."""
    monkeypatch.setattr(module, "_AGAIN_AFTER_S", 0.05)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + EVENT)
        await writer.drain()
        writer.close()

    async def run() -> list[HostEvent]:
        server = await asyncio.start_unix_server(serve, tmp_path / "s")
        async with followed(engines=(Engine("docker", str(tmp_path / "s")),)) as events:
            found = await heard(events, 4)
            assert events.unreadable.keys() <= {"docker events"}
        server.close()
        return found

    found = asyncio.run(run())
    assert [event.kind for event in found] == [EventKind.CONTAINER_CHANGED, EventKind.EVENTS_LOST] * 2
    assert (found[0].subject, found[0].detail) == ("web", "die")
    assert found[0].container is not None
    assert found[0].container.exit_code == 137


def test_only_owners_and_main_processes_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[int] = []
    monkeypatch.setattr(
        ProcessExits, "watch", lambda _, processes: watched.extend(one.pid for one in processes)
    )

    async def run() -> None:
        me = Processes().read(os.getpid())
        worker = Processes().read(os.getppid())
        one = Listener(listening(80), "root", Owner(me.pid, (me.pid, worker.pid)))
        async with followed() as events:
            events.watch(HostReport("here", CLOCK.now(), None, listeners=(one,), processes=(me, worker)))

    asyncio.run(run())
    assert len(watched) == 1
