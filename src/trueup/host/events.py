"""What happens on this machine, as it happens: the reason to look now and not at the next turn.

Listeners that go, processes that end, units and containers that change. Each source that isn't to be had is
left out and named; a listener's death is then found by looking, within a second.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from trueup.domain.clock import Clock
from trueup.host.containers import Containers, Engine
from trueup.host.engine_json import EngineEvent
from trueup.host.facts import ListeningSocket, Process
from trueup.host.listener_watch import ListenerDeaths, ListenerLooks
from trueup.host.process_watch import ProcessExits
from trueup.host.processes import Processes
from trueup.host.report import HostReport, Listener
from trueup.host.sockets import Sockets
from trueup.host.systemd_bus import SystemdBus
from trueup.host.unit_watch import UnitChange, UnitChanges
from trueup.host.unreadable import HostUnreadable, Reason, Unreadable

LOOK_EVERY_S: Final = 0.7
_AGAIN_AFTER_S: Final = 5.0
_WAITING_MAX: Final = 1000


class EventKind(StrEnum):
    LISTENER_GONE = "listener-gone"
    PROCESS_EXITED = "process-exited"
    UNIT_CHANGED = "unit-changed"
    CONTAINER_CHANGED = "container-changed"
    EVENTS_LOST = "events-lost"
    """Anything may have happened: look at everything."""


@dataclass(frozen=True, slots=True)
class HostEvent:
    """``subject`` is ``tcp 127.0.0.1:6379``, a pid, or the name of a unit or container. The part of its kind
    is set.
    """

    kind: EventKind
    at: datetime
    subject: str
    detail: str = ""
    socket: ListeningSocket | None = None
    process: Process | None = None
    unit: UnitChange | None = None
    container: EngineEvent | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Where events come from; a bus or an engine that isn't there is left out."""

    sockets: Sockets
    processes: Processes
    bus: SystemdBus | None = None
    engines: tuple[Engine, ...] = ()


class HostEvents:
    """``async with HostEvents(...) as events``, ``async for event in events``; ``watch`` after each report.

    ``unreadable`` names the sources that can't be had now.
    """

    def __init__(self, sources: Sources, clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._waiting: asyncio.Queue[HostEvent] = asyncio.Queue(_WAITING_MAX)
        self._lost = False
        self._deaths = ListenerDeaths(self._listener_gone, self._events_lost)
        self._looks: ListenerLooks | None = None
        self._exits = ProcessExits(sources.processes, self._process_exited)
        self._tasks: list[asyncio.Task[None]] = []
        self._watched: tuple[Listener, ...] | None = None
        self._owners: set[int | None] = set()
        self.unreadable: dict[str, Unreadable] = {}

    async def __aenter__(self) -> Self:
        try:
            self._deaths.open()
        except HostUnreadable as error:
            self._note("listener events", error)
            self._looks = ListenerLooks(self._listener_gone)
            self._tasks.append(asyncio.create_task(self._look()))
        if self._sources.bus is not None:
            self._tasks.append(asyncio.create_task(self._follow_units(self._sources.bus)))
        self._tasks += [asyncio.create_task(self._follow(engine)) for engine in self._sources.engines]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._deaths.close()
        self._exits.close()

    def watch(self, report: HostReport) -> None:
        """These listeners and processes from now on; units and containers are followed anyway."""
        if report.listeners is not self._watched:
            self._watched = report.listeners
            sockets = [listener.socket for listener in report.listeners]
            self._deaths.know(sockets)
            if self._looks is not None:
                self._looks.know(sockets)
            self._owners = {one.owner.pid for one in report.listeners}
        pids = (
            self._owners | {unit.main_pid for unit in report.units} | {one.pid for one in report.containers}
        )
        try:
            self._exits.watch(process for process in report.processes if process.pid in pids)
        except HostUnreadable as error:
            self._note("process events", error)

    def __aiter__(self) -> AsyncIterator[HostEvent]:
        return self

    async def __anext__(self) -> HostEvent:
        if self._lost:
            self._lost = False
            return HostEvent(EventKind.EVENTS_LOST, self._clock.now(), "")
        return await self._waiting.get()

    # ---- what sources call ------------------------------------------------------------------------------

    def _put(self, event: HostEvent) -> None:
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self._lost = True

    def _events_lost(self) -> None:
        self._put(HostEvent(EventKind.EVENTS_LOST, self._clock.now(), ""))

    def _listener_gone(self, socket: ListeningSocket) -> None:
        subject = f"{socket.transport} {socket.address}:{socket.port}"
        self._put(HostEvent(EventKind.LISTENER_GONE, self._clock.now(), subject, socket=socket))

    def _process_exited(self, process: Process) -> None:
        event = HostEvent(
            EventKind.PROCESS_EXITED, self._clock.now(), str(process.pid), process.name, process=process
        )
        self._put(event)

    def _unit_changed(self, change: UnitChange) -> None:
        detail = f"{change.active_state} ({change.sub_state})"
        self._put(HostEvent(EventKind.UNIT_CHANGED, self._clock.now(), change.unit, detail, unit=change))

    def _container_changed(self, event: EngineEvent) -> None:
        kind = EventKind.CONTAINER_CHANGED
        self._put(HostEvent(kind, event.at, event.name, event.action, container=event))

    # ---- sources that run ---------------------------------------------------------------------------------

    async def _look(self) -> None:
        assert self._looks is not None
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(HostUnreadable):  # the next report says it
                self._looks.compare(self._sources.sockets.read())

    async def _follow_units(self, bus: SystemdBus) -> None:
        await self._again("unit events", lambda: self._units_until_lost(bus))

    async def _units_until_lost(self, bus: SystemdBus) -> None:
        gone = asyncio.Event()
        changes = UnitChanges(bus, self._unit_changed, gone.set)
        try:
            await changes.open()
            self.unreadable.pop("unit events", None)
            await gone.wait()
        finally:
            changes.close()

    async def _follow(self, engine: Engine) -> None:
        name = f"{engine.name} events"

        async def until_lost() -> None:
            async with Containers(engine).events() as events:
                self.unreadable.pop(name, None)
                async for event in events:
                    self._container_changed(event)

        await self._again(name, until_lost)

    async def _again(self, name: str, follow: Callable[[], Awaitable[None]]) -> None:
        """Follows a source, and when it ends follows it again, with everything in doubt in between."""
        while True:
            try:
                await follow()
                self._note(name, HostUnreadable(name, "it ended", Reason.ABSENT))
            except HostUnreadable as error:
                self._note(name, error)
            self._events_lost()
            await asyncio.sleep(_AGAIN_AFTER_S)

    def _note(self, name: str, error: HostUnreadable) -> None:
        self.unreadable[name] = Unreadable.of(error)
