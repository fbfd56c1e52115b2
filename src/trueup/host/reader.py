"""Where host facts come from: one interface, and this machine behind it."""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from trueup.host.addresses import read_addresses
from trueup.host.boot import read_boot
from trueup.host.cgroups import Cgroups
from trueup.host.changes import read_files, read_packages
from trueup.host.containers import Containers, Engine, engines
from trueup.host.disks import Mount, mounts_used_by, read_file_system, read_mounts, stores_of
from trueup.host.facts import (
    Boot,
    Container,
    FileSystem,
    Firewall,
    InterfaceAddress,
    ListeningSocket,
    MemoryEvents,
    Owner,
    Process,
    Unit,
    Vitals,
)
from trueup.host.firewall import read_firewall
from trueup.host.journal import Journal
from trueup.host.memory_kills import KernelLog
from trueup.host.owners import Owners
from trueup.host.processes import Processes
from trueup.host.shared import Shared
from trueup.host.sockets import Sockets, from_proc
from trueup.host.systemd_reader import Systemd
from trueup.host.traces import Change, LogExcerpt, MemoryKill
from trueup.host.unreadable import HostUnreadable, Reason
from trueup.host.users import Users
from trueup.host.vitals import read_vitals


class Reader(Protocol):
    """Reads one machine. Every method raises HostUnreadable when it could not look, and never guesses.

    What waits for somebody else's answer is a coroutine; the rest takes milliseconds.
    """

    def boot(self) -> Boot: ...

    def addresses(self) -> tuple[InterfaceAddress, ...]: ...

    def sockets(self) -> tuple[ListeningSocket, ...]: ...

    def inner_sockets(self, pid: int) -> tuple[ListeningSocket, ...] | None:
        """Those of the network that a process lives in; None where that is this machine's own."""
        ...

    def owners(self, inodes: Collection[int]) -> Mapping[int, Owner]: ...

    def process(self, pid: int) -> Process: ...

    def processes_named(self, names: Collection[str]) -> tuple[int, ...]:
        """Pids by the name of the process or of its program's file."""
        ...

    def user(self, uid: int) -> str: ...

    def cgroup_paths(self, cgroup_ids: Collection[int]) -> Mapping[int, str]: ...

    def memory_events(self, cgroup: str) -> MemoryEvents: ...

    def vitals(self) -> Vitals: ...

    def mounts(self, pid: int | None = None) -> tuple[Mount, ...]:
        """This machine's stores, or those that a process writes to."""
        ...

    def file_system(self, mount: Mount, pid: int | None = None) -> FileSystem: ...

    def packages(self, since: datetime) -> tuple[Change, ...]: ...

    def files_changed(self, unit: Unit | None, process: Process | None) -> tuple[Change, ...]: ...

    async def firewall(self) -> Firewall: ...

    async def memory_kills(self) -> tuple[MemoryKill, ...]: ...

    async def units(self, names: Sequence[str]) -> tuple[Unit, ...]: ...

    async def units_matching(self, patterns: Sequence[str]) -> tuple[str, ...]: ...

    async def containers(self) -> tuple[Container, ...]: ...

    async def unit_log(self, unit: str, count: int = 20) -> LogExcerpt: ...

    async def container_log(self, container: Container, count: int = 20) -> LogExcerpt: ...

    def close(self) -> None: ...


class ThisMachine:
    """The Reader of the machine that we run on."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._users = Users()
        self._cgroups = Cgroups(proc)
        self._processes = Processes(proc, self._users, self._cgroups)
        self._owners = Owners(self._processes, proc)
        self._sockets = Sockets(proc)
        self.systemd = Systemd()
        self._journal = Journal()
        self._kernel_log = KernelLog()
        self._firewall = Shared(read_firewall)
        self._journal_kills = Shared(self._journal.memory_kills)

    def boot(self) -> Boot:
        return read_boot(self._proc)

    def addresses(self) -> tuple[InterfaceAddress, ...]:
        return read_addresses()

    def sockets(self) -> tuple[ListeningSocket, ...]:
        return self._sockets.read()

    def inner_sockets(self, pid: int) -> tuple[ListeningSocket, ...] | None:
        if self._network(pid) == self._network(os.getpid()):
            return None
        return from_proc(f"{self._proc}/{pid}/net")

    def owners(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        return self._owners.of(inodes)

    def process(self, pid: int) -> Process:
        return self._processes.read(pid)

    def processes_named(self, names: Collection[str]) -> tuple[int, ...]:
        return self._processes.named(names)

    def user(self, uid: int) -> str:
        return self._users.name(uid)

    def cgroup_paths(self, cgroup_ids: Collection[int]) -> Mapping[int, str]:
        return self._cgroups.paths_of(cgroup_ids)

    def memory_events(self, cgroup: str) -> MemoryEvents:
        return self._cgroups.memory_events(cgroup)

    def vitals(self) -> Vitals:
        return read_vitals(self._proc)

    def mounts(self, pid: int | None = None) -> tuple[Mount, ...]:
        if pid is not None:
            return mounts_used_by(pid, self._proc)
        return stores_of(read_mounts(proc=self._proc).values())

    def file_system(self, mount: Mount, pid: int | None = None) -> FileSystem:
        return read_file_system(mount, "" if pid is None else f"{self._proc}/{pid}/root")

    def packages(self, since: datetime) -> tuple[Change, ...]:
        return read_packages(since)

    def files_changed(self, unit: Unit | None, process: Process | None) -> tuple[Change, ...]:
        return read_files(unit, process)

    async def firewall(self) -> Firewall:
        return await self._firewall.get()

    async def memory_kills(self) -> tuple[MemoryKill, ...]:
        try:
            return tuple(self._kernel_log.kills())
        except HostUnreadable as error:
            if error.reason is not Reason.PERMISSION:
                raise
            return tuple(await self._journal_kills.get())

    async def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        return await self.systemd.units(names)

    async def units_matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        return await self.systemd.matching(patterns)

    def engines(self) -> tuple[Engine, ...]:
        """The container engines whose sockets are there."""
        return engines(os.environ)

    async def containers(self) -> tuple[Container, ...]:
        """Of all engines; one that can't be read makes all unreadable, for then any may be missing."""
        return tuple([one for engine in self.engines() for one in await Containers(engine).read()])

    async def unit_log(self, unit: str, count: int = 20) -> LogExcerpt:
        return await self._journal.of_unit(unit, count)

    async def container_log(self, container: Container, count: int = 20) -> LogExcerpt:
        for engine in self.engines():
            if engine.name == container.engine:
                try:
                    return await Containers(engine).log(container, count)
                except HostUnreadable as error:
                    if error.reason is not Reason.ABSENT:
                        raise  # absent: it may be another user's engine's
        raise HostUnreadable(container.name, "no engine has it", Reason.ABSENT)

    def close(self) -> None:
        self.systemd.close()
        self._kernel_log.close()

    def _network(self, pid: int) -> str:
        try:
            return os.readlink(f"{self._proc}/{pid}/ns/net")  # noqa: PTH115 - a path is text throughout this floor
        except OSError as error:
            raise HostUnreadable.of(f"network of {pid}", error) from error
