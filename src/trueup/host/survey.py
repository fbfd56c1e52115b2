"""Puts a machine's facts together to one report: the only place of this floor where what could not be read
becomes a value.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from trueup.domain.clock import Clock
from trueup.host.facts import Container, FileSystem, ListeningSocket, Owner, Process, Unit
from trueup.host.join import Joiner
from trueup.host.reader import Reader
from trueup.host.report import Counter, HostReport, Inner, Listener
from trueup.host.software import patterns, stands_for_others
from trueup.host.traces import Change, LogExcerpt
from trueup.host.unreadable import HostUnreadable, Reason, Unreadable

COUNTED_OVER: Final = timedelta(minutes=10)
CHANGED_WITHIN: Final = timedelta(hours=24)
_HOLDERS_MAX: Final = 64
_UNITS_MAX: Final = 200
_UNIT_TYPES: Final = (".service", ".socket")
_Read = TypeVar("_Read")
_Else = TypeVar("_Else")


@dataclass(frozen=True, slots=True)
class Interests:
    """What a configuration names, besides what listens and what is known by name."""

    units: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()


class _Gaps:
    """Collects what could not be read, each once."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, Reason], Unreadable] = {}

    def note(self, error: HostUnreadable) -> None:
        self.found.setdefault((error.what, error.reason), Unreadable.of(error))

    def all(self) -> tuple[Unreadable, ...]:
        return tuple(self.found.values())

    def read(self, read: Callable[[], _Read], otherwise: _Else) -> _Read | _Else:
        try:
            return read()
        except HostUnreadable as error:
            self.note(error)
            return otherwise

    async def wait(self, reading: Awaitable[_Read], otherwise: _Else) -> _Read | _Else:
        try:
            return await reading
        except HostUnreadable as error:
            self.note(error)
            return otherwise


class Survey:
    """Takes one report after another, and remembers between them how long queues have stood and counters
    have risen.

    Units and containers are read again once they are older than ``keep``, or ``changed`` was told; whoever
    listens to their events may keep them long.
    """

    def __init__(
        self,
        reader: Reader,
        host: str,
        clock: Clock,
        interests: Interests | None = None,
        *,
        keep: timedelta = timedelta(),
    ) -> None:
        self._reader = reader
        self._host = host
        self._clock = clock
        self._keep = keep
        self.interests = interests or Interests()
        self._joiner = Joiner(reader)
        self._inodes: tuple[tuple[ListeningSocket, ...], frozenset[int]] = (), frozenset()
        self._counted: dict[tuple[str, str], deque[tuple[datetime, int]]] = {}
        self._kept_units: dict[str, tuple[datetime, Unit]] = {}
        self._kept_names: tuple[datetime, tuple[str, ...]] | None = None
        self._kept_containers: tuple[datetime, tuple[Container, ...]] | None = None

    def changed(self, *, unit: str | None = None, containers: bool = False) -> None:
        """Something happened: what was kept of it is read again for the next report."""
        if unit is not None:
            self._kept_units.pop(unit, None)
            self._kept_names = None
        if containers:
            self._kept_containers = None

    async def take_listeners(self) -> HostReport:
        """Only who listens: listeners, their processes, and containers for their names."""
        gaps = _Gaps()
        now = self._clock.now()
        containers = await self._containers(now, gaps)
        sockets = gaps.read(self._reader.sockets, ())
        owners = self._owners(sockets, gaps)
        processes = self._processes(_named(owners.values()), gaps)
        return HostReport(
            host=self._host,
            taken_at=now,
            boot=gaps.read(self._reader.boot, None),
            listeners=self._joiner.join(sockets, owners, processes, containers, now),
            processes=tuple(processes.values()),
            containers=containers,
            unreadable=gaps.all(),
        )

    async def take(self) -> HostReport:
        """The whole picture, without what's only asked for after a failure."""
        gaps = _Gaps()
        reader = self._reader
        now = self._clock.now()
        sockets = gaps.read(reader.sockets, ())
        owners = self._owners(sockets, gaps)
        containers = await self._containers(now, gaps)
        pids = _held(owners.values()) | {one.pid for one in containers if one.pid is not None}
        if self.interests.processes:
            pids |= set(gaps.read(lambda: reader.processes_named(self.interests.processes), ()))
        processes = self._processes(pids, gaps)
        listeners = self._joiner.join(sockets, owners, processes, containers, now)
        units = await self._units(listeners, processes, now, gaps)
        processes |= self._processes(
            {unit.main_pid for unit in units if unit.main_pid} - processes.keys(), gaps
        )
        return HostReport(
            host=self._host,
            taken_at=now,
            boot=gaps.read(reader.boot, None),
            addresses=gaps.read(reader.addresses, ()),
            listeners=listeners,
            inner=self._inner(containers, gaps),
            processes=tuple(processes.values()),
            units=units,
            containers=containers,
            vitals=gaps.read(reader.vitals, None),
            file_systems=self._file_systems(None, gaps),
            counters=self._counters(units, containers, now),
            unreadable=gaps.all(),
        )

    async def explain(
        self,
        report: HostReport,
        *,
        units: Collection[str] = (),
        containers: Collection[str] = (),
        pids: Collection[int] = (),
    ) -> HostReport:
        """The report with what is asked for only after a failure: the logs of these units and containers, who
        was killed for memory, what changed, the firewall, and the file systems that they and these processes
        write to.
        """
        gaps = _Gaps()
        reader = self._reader
        logs: list[LogExcerpt | None] = [await gaps.wait(reader.unit_log(unit), None) for unit in units]
        changes: list[Change] = []
        writers = set(pids)
        for name in containers:
            if (container := report.container(name)) is not None:
                logs.append(await gaps.wait(reader.container_log(container), None))
                writers |= {container.pid} if container.pid is not None else set()
        for name in units:
            unit = report.unit(name)
            process = report.process(unit.main_pid) if unit is not None else None
            changes += gaps.read(partial(reader.files_changed, unit, process), ())
            writers |= {process.pid} if process is not None else set()
        for pid in pids:
            changes += gaps.read(partial(reader.files_changed, None, report.process(pid)), ())
        changes += gaps.read(partial(reader.packages, report.taken_at - CHANGED_WITHIN), ())
        disks = [disk for pid in sorted(writers) for disk in self._file_systems(pid, gaps)]
        return replace(
            report,
            logs=tuple(log for log in logs if log is not None),
            file_systems=tuple(dict.fromkeys([*report.file_systems, *disks])),
            memory_kills=await gaps.wait(reader.memory_kills(), ()),
            firewall=await gaps.wait(reader.firewall(), None),
            changes=tuple(sorted(dict.fromkeys(changes), key=lambda change: change.at)),
            unreadable=(*report.unreadable, *gaps.all()),
        )

    # ---- processes and listeners ------------------------------------------------------------------------

    def _processes(self, pids: Iterable[int], gaps: _Gaps) -> dict[int, Process]:
        found = {}
        for pid in sorted(pids):
            try:
                found[pid] = self._reader.process(pid)
            except HostUnreadable as error:
                if error.reason is not Reason.ABSENT:  # absent: it has ended meanwhile
                    gaps.note(error)
        return found

    def _owners(self, sockets: tuple[ListeningSocket, ...], gaps: _Gaps) -> Mapping[int, Owner]:
        if sockets is not self._inodes[0]:
            self._inodes = sockets, frozenset(socket.inode for socket in sockets)
        try:
            return self._reader.owners(self._inodes[1])
        except HostUnreadable as error:
            gaps.note(error)
            return {}

    # ---- units, containers, disks -----------------------------------------------------------------------

    async def _containers(self, now: datetime, gaps: _Gaps) -> tuple[Container, ...]:
        if self._kept_containers is None or now - self._kept_containers[0] >= self._keep:
            try:
                self._kept_containers = now, await self._reader.containers()
            except HostUnreadable as error:
                self._kept_containers = None
                gaps.note(error)
                return ()
        return self._kept_containers[1]

    async def _units(
        self, listeners: Iterable[Listener], processes: Mapping[int, Process], now: datetime, gaps: _Gaps
    ) -> tuple[Unit, ...]:
        try:
            return await self._units_of(listeners, processes, now)
        except HostUnreadable as error:
            gaps.note(error)
            return ()

    async def _units_of(
        self, listeners: Iterable[Listener], processes: Mapping[int, Process], now: datetime
    ) -> tuple[Unit, ...]:
        """Those of listeners and of interest, those of known software, and what triggers or wants them."""
        if self._kept_names is None or now - self._kept_names[0] >= self._keep:
            self._kept_names = now, await self._reader.units_matching(patterns())
        places = [process.place for process in processes.values() if process.place is not None]
        names = [
            *self.interests.units,
            *(listener.unit for listener in listeners if listener.unit),
            *(place.unit for place in places if place.unit),
            *self._kept_names[1],
        ]
        units = await self._some_units(names, now)
        seen = {name for unit in units for name in unit.names}
        related = [name for unit in units for name in (*unit.triggers, *unit.triggered_by, *unit.wanted_by)]
        related += [name for unit in units if stands_for_others(unit) for name in unit.wants]
        units += await self._some_units([name for name in related if name not in seen], now)
        return tuple({unit.name: unit for unit in units}.values())

    async def _some_units(self, names: Iterable[str], now: datetime) -> tuple[Unit, ...]:
        wanted = [name for name in dict.fromkeys(names) if name.endswith(_UNIT_TYPES)][:_UNITS_MAX]
        kept = {
            name: unit
            for name in wanted
            if (found := self._kept_units.get(name)) and now - found[0] < self._keep
            for unit in (found[1],)
        }
        missing = [name for name in wanted if name not in kept]
        read = dict(zip(missing, await self._reader.units(missing), strict=True)) if missing else {}
        self._kept_units.update({name: (now, unit) for name, unit in read.items()})
        return tuple((kept | read)[name] for name in wanted)

    def _inner(self, containers: Iterable[Container], gaps: _Gaps) -> tuple[Inner, ...]:
        found = []
        for container in containers:
            if container.pid is not None:
                sockets = gaps.read(partial(self._reader.inner_sockets, container.pid), None)
                found += [Inner(container.id, sockets)] if sockets is not None else []
        return tuple(found)

    def _file_systems(self, pid: int | None, gaps: _Gaps) -> tuple[FileSystem, ...]:
        found = []
        for mount in gaps.read(lambda: self._reader.mounts(pid), ()):
            try:
                found.append(self._reader.file_system(mount, pid))
            except HostUnreadable as error:
                gaps.note(error)
        return tuple(found)

    # ---- counters -----------------------------------------------------------------------------------------

    def _counters(
        self, units: Iterable[Unit], containers: Iterable[Container], now: datetime
    ) -> tuple[Counter, ...]:
        values = {(unit.name, "restarts"): unit.restarts for unit in units if unit.restarts is not None}
        values |= {(one.name, "restarts"): one.restarts for one in containers}
        for unit in units:
            if unit.control_group and unit.active_state != "inactive":
                try:
                    events = self._reader.memory_events(unit.control_group)
                except HostUnreadable:
                    continue  # its cgroup is gone or memory isn't accounted: the other sources tell
                values[unit.name, "memory-kills"] = events.kills
        self._counted = {key: self._counted.get(key, deque()) for key in values}
        return tuple(
            Counter(subject, name, value, earlier, earlier_at)
            for (subject, name), value in values.items()
            for earlier_at, earlier in (self._earliest(self._counted[subject, name], value, now),)
        )

    def _earliest(
        self, looks: deque[tuple[datetime, int]], value: int, now: datetime
    ) -> tuple[datetime, int]:
        looks.append((now, value))
        while now - looks[0][0] > COUNTED_OVER:
            looks.popleft()
        return looks[0]


def _named(owners: Iterable[Owner]) -> set[int]:
    return {owner.pid for owner in _each_once(owners) if owner.pid is not None}


def _held(owners: Iterable[Owner]) -> set[int]:
    """Those to name, and the other holders: workers may be stopped where their master isn't."""
    each = _each_once(owners)
    return _named(each) | {pid for owner in each for pid in owner.pids[:_HOLDERS_MAX]}


def _each_once(owners: Iterable[Owner]) -> Collection[Owner]:
    """All sockets of a process have the very same owner."""
    return {id(owner): owner for owner in owners}.values()
