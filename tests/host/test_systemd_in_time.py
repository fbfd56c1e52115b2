"""What happens to the units of a real machine is heard, and what doesn't answer is left."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.beds.deadline import wait_until
from tests.beds.nspawn import Machine
from tests.host.test_events import CLOCK, heard
from tests.host.test_systemd_live import asked, systemd_of
from trueup.host.events import EventKind, HostEvent, HostEvents, Sources
from trueup.host.processes import Processes
from trueup.host.sockets import Sockets
from trueup.host.systemd_bus import SystemdBus
from trueup.host.systemd_reader import Systemd
from trueup.host.unit_watch import UnitChanges
from trueup.host.unreadable import HostUnreadable, Reason


def during(
    server: Machine, action: Callable[[], object], enough: Callable[[list[HostEvent]], bool]
) -> list[HostEvent]:
    """What is heard of units while something is done, until it is enough."""

    followed = asyncio.Event()

    class Changes(UnitChanges):
        async def open(self) -> None:
            await super().open()
            followed.set()

    async def run() -> list[HostEvent]:
        bus = SystemdBus(lambda _: False, server.bus_address)
        found: list[HostEvent] = []
        async with asyncio.timeout(60), HostEvents(Sources(Sockets(), Processes(), bus), CLOCK) as events:
            await followed.wait()
            doing = asyncio.create_task(asyncio.to_thread(action))
            while not enough(found):
                found += await heard(events, 1)
            await doing
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trueup.host.events.UnitChanges", Changes)
        return asyncio.run(run())


def states(events: list[HostEvent], unit: str) -> list[tuple[str, bool]]:
    return [
        (event.unit.active_state, event.unit.has_job)
        for event in events
        if event.kind is EventKind.UNIT_CHANGED and event.subject == unit and event.unit is not None
    ]


def test_a_stop_a_kill_and_a_restart_are_heard(server: Machine) -> None:
    name = "steady.service"
    killed = during(
        server,
        lambda: server.systemctl("kill", "--signal=KILL", name),
        lambda events: ("failed", False) in states(events, name),
    )
    assert killed
    started = during(
        server,
        lambda: server.systemctl("start", name),
        lambda events: ("active", False) in states(events, name),
    )
    assert ("failed", False) not in states(started, name)
    restarted = during(
        server,
        lambda: server.systemctl("restart", name),
        lambda events: ("active", False) in states(events, name),
    )
    # While it is down a job is queued: whoever judges can tell a restart from a failure.
    assert all(has_job for state, has_job in states(restarted, name) if state != "active")


def test_the_end_of_the_bus_is_heard(server: Machine) -> None:
    events = during(
        server,
        lambda: server.systemctl("restart", "dbus"),
        lambda events: any(event.kind is EventKind.EVENTS_LOST for event in events),
    )
    assert events
    wait_until(lambda: asked(systemd_of(server), "steady.service"), "the new bus answers")


def test_an_answer_that_does_not_come_is_a_timeout(server: Machine, tmp_path: Path) -> None:
    held = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async def silent() -> None:
        listener = await asyncio.start_unix_server(hold, tmp_path / "bus")
        began_s = time.monotonic()
        try:
            await Systemd(str(server.root), f"unix:path={tmp_path}/bus").units(["a.service"])
        finally:
            assert time.monotonic() - began_s < 5
            listener.close()
            for writer in held:
                writer.close()
                await writer.wait_closed()

    with pytest.raises(HostUnreadable) as caught:
        asyncio.run(silent())
    assert caught.value.reason is Reason.TIMEOUT


def test_without_systemd_it_says_so_and_asks_nobody(tmp_path: Path) -> None:
    questions: list[Callable[[Systemd], Awaitable[object]]] = [
        lambda systemd: systemd.units(["a.service"]),
        lambda systemd: systemd.matching(["a*"]),
        lambda systemd: systemd.in_use(["a*"]),
    ]
    for question in questions:
        with pytest.raises(HostUnreadable) as caught:
            asyncio.run(question(Systemd(str(tmp_path))))  # type: ignore[arg-type]
        assert caught.value.reason is Reason.UNSUPPORTED
