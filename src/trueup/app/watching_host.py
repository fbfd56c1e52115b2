"""This machine's own word while ``trueup run`` watches: kept over time, and told when something happens."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from trueup.app.held_before import HeldBefore
from trueup.app.own_word import Question, explained, interests, question, socket_units, still_holds
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.exposure import hint
from trueup.diagnosis.holder import ended_just_now, holder_of
from trueup.diagnosis.rules import explained_by_the_host
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.domain.verdict import MAY_COME_BACK
from trueup.host.events import EventKind, HostEvent, HostEvents, Sources
from trueup.host.facts import Firewall
from trueup.host.processes import Processes
from trueup.host.reader import ThisMachine
from trueup.host.report import HostReport
from trueup.host.sockets import Sockets
from trueup.host.survey import Survey
from trueup.host.systemd_reader import Systemd
from trueup.host.unreadable import HostUnreadable

REFRESH_EVERY_S: Final = 10.0
REFRESH_WHILE_LOST_S: Final = 1.0
"""While a target's port is held by nobody: who takes it again is told by no event."""
WHOLE_EVERY_S: Final = 60.0
SWARM_S: Final = 0.05
"""What happens to one service comes as several events: a process, its listeners, its unit."""
CHANGING_S_MAX: Final = 5.0
"""So long a unit may start, stop or restart before an event leads to a look all the same."""
ASK_AGAIN_S: Final = 0.1
WORD_WITHIN_S: Final = 3.0
REST_S_MAX: Final = 0.5
Failure = tuple[Layer, Cause | None, str]
_CHANGING: Final = frozenset({"activating", "deactivating", "reloading", "refreshing", "maintenance"})
_LOG = logging.getLogger("trueup")


class WatchedHost:
    """Remembers who held which target's port, follows events, and adds to evidence what the machine says.

    ``follow`` runs until it's cancelled; whoever made it closes it.
    """

    def __init__(self, targets: Sequence[Target], clock: Clock, *, name: str | None = None) -> None:
        self.name = name or socket.gethostname()
        self._targets = {target.name: target for target in targets if target.host in (None, self.name)}
        self._clock = clock
        self._reader = ThisMachine()
        self._survey = Survey(self._reader, self.name, clock, interests(self._targets.values()))
        self._held = HeldBefore(self._targets)
        self._taking = asyncio.Lock()
        self._whole: HostReport | None = None
        self._whole_began_s = 0.0
        self._rest_until_s = 0.0
        self._listeners: HostReport | None = None
        self._events: HostEvents | None = None
        self._firewall: Firewall | None = None
        self._refreshes = asyncio.Event()
        self._changed: set[str] = set()
        """Whose ports have changed hands, until they're looked at."""
        self._changed_s = 0.0
        self._swarm: set[str] = set()
        self._explained: dict[str, Failure] = {}
        """By a target's name: the failure that was held against a report from after it."""
        self._answers: dict[Question | None, HostReport] = {}
        """What was asked of the last whole report."""

    def watch(self, targets: Sequence[Target]) -> None:
        """Of these targets from now on; who held the ports of those that stay is still known."""
        self._targets = {target.name: target for target in targets if target.host in (None, self.name)}
        self._survey.interests = interests(self._targets.values())
        self._held.watch(self._targets)
        self._explained.clear()
        self._whole = None
        self._refreshes.set()

    def knows_holder(self, name: str) -> bool:
        """Whether events are heard, and who holds the port of this target is known."""
        return self._events is not None and self._held.holds(name)

    def is_wary_of(self, name: str) -> bool:
        """Whether its port has changed hands: nobody is known to hold it now, or another than is named."""
        return self._held.has_lost(name) or self._held.is_strange(name)

    def close(self) -> None:
        """End what the reader keeps open."""
        self._reader.close()

    async def follow(self, look_at: Callable[[str], None]) -> None:
        """Call ``look_at`` with the name of each target that an event of this machine is about."""
        async with HostEvents(await event_sources(self._reader), self._clock) as events:
            self._events = events
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._go_on_refreshing(tasks, look_at))
                async for event in events:
                    if event.kind is EventKind.EVENTS_LOST:
                        self._refreshes.set()
                    names = self._concerned(event) - self._swarm
                    if names:
                        tasks.create_task(self._look_soon(names, look_at))

    async def evidence(self, target: Target, seen: Sequence[Observation]) -> Evidence:
        """What was seen from outside, with this machine's word where it's about this machine.

        It's asked for a target that fails, and for one that may be unwell while it answers: whose container
        is named, or whose port another holds than is named.
        """
        plain = Evidence(target, tuple(seen))
        failed = plain.first_broken(Outcome.FAIL)
        if failed is None:
            self._explained.pop(target.name, None)
            self._held.passed(target.name, seen)
            if self._held.has_lost(target.name):
                self._refreshes.set()  # its end is heard only once who holds the port now is known
        if target.name not in self._targets:
            return plain
        if failed is None and target.container is None and not self._held.is_strange(target.name):
            return replace(plain, observations=(*plain.observations, *self._hints(target, seen)))
        if failed is not None and self._whole is not None and not holder_of(target, failed, self._whole):
            return plain  # it's about another machine
        try:
            async with asyncio.timeout(WORD_WITHIN_S):
                return await self._with_its_word(plain, failed)
        except TimeoutError:
            _LOG.warning("%s: this machine took too long to say why", target.name)
            return plain

    def _hints(self, target: Target, seen: Sequence[Observation]) -> list[Observation]:
        if not target.internal or self._listeners is None or self._whole is None:
            return []
        report = replace(self._listeners, addresses=self._whole.addresses, firewall=self._firewall)
        told = hint(target, seen, report)
        return [told] if told is not None else []

    async def _with_its_word(self, plain: Evidence, failed: Observation | None) -> Evidence:
        """A failure wants a report from after it. What goes on shares one that isn't old, and from no earlier
        than a target's port last changed hands.
        """
        name, began_s = plain.target.name, self._clock.monotonic_s()
        failure = (failed.layer, failed.cause, failed.detail) if failed is not None else None
        if failure == self._explained.get(name):
            began_s = max(began_s - REFRESH_EVERY_S, self._changed_s)
        report = await self._report_since(began_s)
        target, held = self._held.known_of(plain.target, failed, report, self._reader)
        report = await self._explained_report(report, question(target, plain.observations, report))
        told = replace(plain, target=target, host=report, held_before=held)
        if failure is not None and not _may_come_back(told):
            self._explained[name] = failure
        return told if await still_holds(told) else plain

    async def _explained_report(self, report: HostReport, asked: Question | None) -> HostReport:
        """What is asked of one report by many is answered once."""
        known = self._answers.get(asked) if report is self._whole else None
        if known is None:
            known = await explained(self._survey, report, asked)
            if report is self._whole:
                self._answers[asked] = known
        return known

    # ---- reports ------------------------------------------------------------------------------------------

    async def _report_since(self, began_s: float) -> HostReport:
        """The whole report, taken anew unless its taking began at ``began_s`` or later.

        When much fails, taking it takes half of the time at most: meanwhile others look, and then share it.
        """
        async with self._taking:
            if self._whole is None or self._whole_began_s < began_s:
                await asyncio.sleep(self._rest_until_s - self._clock.monotonic_s())
                self._whole_began_s = self._clock.monotonic_s()
                wanted = interests(self._targets.values())
                units = wanted.units | self._held.units() | await socket_units(self._reader)
                self._survey.interests = replace(wanted, units=units)
                self._whole, self._answers = await self._survey.take(), {}
                self._know(self._whole, self._whole_began_s)
                await self._read_firewall()
                ended_s = self._clock.monotonic_s()
                self._rest_until_s = ended_s + min(ended_s - self._whole_began_s, REST_S_MAX)
            return self._whole

    async def _read_firewall(self) -> None:
        """For hints about internal targets alone."""
        if not any(target.internal for target in self._targets.values()):
            return
        try:
            self._firewall = await self._reader.firewall()
        except HostUnreadable:
            self._firewall = None

    async def _go_on_refreshing(self, tasks: asyncio.TaskGroup, look_at: Callable[[str], None]) -> None:
        while True:
            if self._clock.monotonic_s() - self._whole_began_s >= WHOLE_EVERY_S or self._whole is None:
                await self._report_since(self._clock.monotonic_s())
            else:
                async with self._taking:
                    began_s = self._clock.monotonic_s()
                    self._know(await self._survey.take_listeners(), began_s)
            names, self._changed = self._changed - self._swarm, set()
            if names:
                tasks.create_task(self._look_soon(names, look_at))
            every_s = REFRESH_WHILE_LOST_S if self._held.lost() else REFRESH_EVERY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await self._refreshes.wait()
            self._refreshes.clear()

    def _know(self, report: HostReport, began_s: float) -> None:
        self._listeners = report
        addresses = self._whole.addresses if self._whole is not None else ()
        ports = self._held.remember(replace(report, addresses=addresses))
        names = {name for port in ports for name in self._held.at_port(port)}
        if names:
            self._changed_s = began_s
            self._changed |= names
        if self._events is not None:
            self._events.watch(report)

    # ---- events -------------------------------------------------------------------------------------------

    def _concerned(self, event: HostEvent) -> set[str]:
        """The names of the targets that an event is about; what was known of them is old."""
        names = self._names_of(event)
        for name in names:
            self._explained.pop(name, None)
        return names

    def _names_of(self, event: HostEvent) -> set[str]:
        if event.socket is not None:
            return self._held.at_port(event.socket.port)
        if event.process is not None:
            return self._held.by_process(event.process)
        if event.unit is not None:
            return self._held.by_unit(event.unit.unit)
        return self._held.by_container(event.container.name) if event.container is not None else set()

    async def _look_soon(self, names: set[str], look_at: Callable[[str], None]) -> None:
        """Look once the swarm has passed, and nothing about the units is under way any more."""
        self._swarm |= names
        await asyncio.sleep(SWARM_S)
        self._swarm -= names
        ends_s = self._clock.monotonic_s() + CHANGING_S_MAX
        while names:
            changing = await self._changing(names) if self._clock.monotonic_s() < ends_s else set()
            for name in names - changing:
                look_at(name)
            names = changing
            if names:
                await asyncio.sleep(ASK_AGAIN_S)
        self._refreshes.set()

    async def _changing(self, names: Iterable[str]) -> set[str]:
        """Those whose unit or container is between two states: a planned restart is no failure."""
        names = set(names)
        return await self._units_changing(names) | await self._containers_restarting(names)

    async def _containers_restarting(self, names: set[str]) -> set[str]:
        container_of = {name: one for name in names if (one := self._held.container_of(name)) is not None}
        try:
            containers = await self._reader.containers() if container_of else ()
        except HostUnreadable:
            return set()
        now = self._clock.now()
        ended = {one.name for one in containers if ended_just_now(one, now)}
        return {name for name, container in container_of.items() if container in ended}

    async def _units_changing(self, names: set[str]) -> set[str]:
        unit_of = {name: unit for name in names if (unit := self._held.unit_of(name)) is not None}
        try:
            units = await self._reader.units([*unit_of.values()]) if unit_of else ()
        except HostUnreadable:
            return set()
        pairs = zip(unit_of, units, strict=True)
        return {name for name, unit in pairs if unit.job is not None or unit.active_state in _CHANGING}


def _may_come_back(told: Evidence) -> bool:
    """Whether it may be in the middle of a restart: then another report will know more."""
    found = explained_by_the_host(told)
    return found is not None and MAY_COME_BACK in found.facts


async def event_sources(reader: ThisMachine) -> Sources:
    """Where this machine's events come from; systemd only where it's the init system."""
    try:
        await reader.units(())
    except HostUnreadable:
        bus = None
    else:
        bus = Systemd().bus  # a connection of its own
    return Sources(Sockets(), Processes(), bus, tuple(reader.engines()))
