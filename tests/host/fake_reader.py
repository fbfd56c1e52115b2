"""A machine made of facts, for tests: what isn't set is absent, and what is set to an error raises it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from trueup.host.disks import Mount
from trueup.host.facts import (
    Boot,
    Container,
    FileSystem,
    Firewall,
    InterfaceAddress,
    ListeningSocket,
    MemoryEvents,
    Owner,
    OwnerUnknown,
    Place,
    Process,
    ProcessState,
    Transport,
    Unit,
    Vitals,
)
from trueup.host.traces import Change, LogExcerpt, MemoryKill
from trueup.host.unreadable import HostUnreadable, Reason

NOW: Final = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
_Value = TypeVar("_Value")


class FakeClock:
    """Stands still until it's moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()

    def pass_time(self, **units: float) -> None:
        self.at += timedelta(**units)


def listening(port: int, address: str = "127.0.0.1", **said: Any) -> ListeningSocket:
    plain: dict[str, Any] = {
        "transport": Transport.TCP,
        "queue": 0,
        "queue_max": 128,
        "uid": 109,
        "inode": 1000 + port,
        "cookie": port,
    }
    return ListeningSocket(address=address, port=port, **(plain | said))


def process(
    pid: int, name: str = "shop", *, unit: str | None = None, container_id: str | None = None, **said: Any
) -> Process:
    plain: dict[str, Any] = {
        "start_ticks": pid,
        "started_at": NOW - timedelta(hours=1),
        "state": ProcessState.SLEEPING,
        "parent_pid": 1,
        "threads": 1,
        "uid": 109,
        "user": "shop",
        "executable": f"/usr/bin/{name}",
        "executable_deleted": False,
        "command": (f"/usr/bin/{name}",),
        "place": Place(f"/system.slice/{unit or 'x'}", unit, None, container_id),
        "files_open": 9,
        "files_max": 1024,
        "resident_bytes": 4096,
    }
    return Process(pid=pid, name=name, **(plain | said))


def container(name: str, *, container_id: str | None = None, **said: Any) -> Container:
    plain: dict[str, Any] = {
        "engine": "docker",
        "image": "shop:1",
        "state": "running",
        "health": None,
        "health_output": None,
        "health_failures": 0,
        "exit_code": None,
        "out_of_memory": False,
        "error": "",
        "restarts": 0,
        "restart_policy": "",
        "pid": None,
        "started_at": NOW - timedelta(hours=1),
        "finished_at": None,
        "ports": (),
        "network_mode": "bridge",
        "compose_service": None,
        "memory_bytes_max": None,
        "tty": False,
    }
    return Container(name=name, id=container_id or name.ljust(64, "0"), **(plain | said))


@dataclass
class FakeReader:
    """Set what the machine has. ``broken`` holds an error for each method that shall raise one."""

    listening: tuple[ListeningSocket, ...] = ()
    owned: Mapping[int, Owner] = field(default_factory=dict)
    inner: Mapping[int, tuple[ListeningSocket, ...]] = field(default_factory=dict)
    processes: Mapping[int, Process] = field(default_factory=dict)
    all_units: Mapping[str, Unit] = field(default_factory=dict)
    known_units: tuple[str, ...] = ()
    all_containers: tuple[Container, ...] = ()
    cgroups: Mapping[int, str] = field(default_factory=dict)
    events: Mapping[str, MemoryEvents] = field(default_factory=dict)
    stores: Mapping[int | None, tuple[FileSystem, ...]] = field(default_factory=dict)
    package_changes: tuple[Change, ...] = ()
    file_changes: tuple[Change, ...] = ()
    kills: tuple[MemoryKill, ...] = ()
    filter: Firewall = Firewall((), ())  # noqa: RUF009 - frozen
    logs: Mapping[str, LogExcerpt] = field(default_factory=dict)
    own_addresses: tuple[InterfaceAddress, ...] = (InterfaceAddress("lo", "127.0.0.1", 8),)
    state: Vitals | None = None
    broken: dict[str, HostUnreadable] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def _answer(self, what: str, value: _Value) -> _Value:
        self.asked.append(what)
        if what in self.broken:
            raise self.broken[what]
        return value

    def boot(self) -> Boot:
        return self._answer("boot", Boot("b", NOW - timedelta(days=1), NOW - timedelta(days=1)))

    def addresses(self) -> tuple[InterfaceAddress, ...]:
        return self._answer("addresses", self.own_addresses)

    def sockets(self) -> tuple[ListeningSocket, ...]:
        return self._answer("sockets", self.listening)

    def inner_sockets(self, pid: int) -> tuple[ListeningSocket, ...] | None:
        return self._answer("inner_sockets", self.inner.get(pid))

    def owners(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        nobody = Owner(None, unknown=OwnerUnknown.NOBODY)
        return self._answer("owners", {inode: self.owned.get(inode, nobody) for inode in inodes})

    def process(self, pid: int) -> Process:
        return _there(self._answer("process", self.processes), pid, f"process {pid}")

    def processes_named(self, names: Collection[str]) -> tuple[int, ...]:
        found = tuple(pid for pid, one in self.processes.items() if one.name in names)
        return self._answer("processes_named", found)

    def user(self, uid: int) -> str:
        return {0: "root", 109: "shop"}.get(uid, str(uid))

    def cgroup_paths(self, cgroup_ids: Collection[int]) -> Mapping[int, str]:
        return self._answer(
            "cgroup_paths", {one: self.cgroups[one] for one in cgroup_ids if one in self.cgroups}
        )

    def memory_events(self, cgroup: str) -> MemoryEvents:
        return _there(self._answer("memory_events", self.events), cgroup, cgroup)

    def vitals(self) -> Vitals:
        vitals = self._answer("vitals", self.state)
        if vitals is None:
            raise HostUnreadable("vitals", "not set", Reason.ABSENT)
        return vitals

    def mounts(self, pid: int | None = None) -> tuple[Mount, ...]:
        stores = self._answer("mounts", self.stores.get(pid, ()))
        return tuple(Mount(1, "0:1", one.mount_point, one.type, one.device) for one in stores)

    def file_system(self, mount: Mount, pid: int | None = None) -> FileSystem:
        (found,) = [one for one in self.stores.get(pid, ()) if one.mount_point == mount.mount_point]
        return self._answer("file_system", found)

    def packages(self, since: datetime) -> tuple[Change, ...]:
        return self._answer("packages", tuple(one for one in self.package_changes if one.at >= since))

    def files_changed(self, unit: Unit | None, process: Process | None) -> tuple[Change, ...]:
        return self._answer("files_changed", self.file_changes)

    async def firewall(self) -> Firewall:
        return self._answer("firewall", self.filter)

    async def memory_kills(self) -> tuple[MemoryKill, ...]:
        return self._answer("memory_kills", self.kills)

    async def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        units = self._answer("units", self.all_units)
        return tuple(_there(units, name, name) for name in names)

    async def units_matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        return self._answer("units_matching", self.known_units)

    async def containers(self) -> tuple[Container, ...]:
        return self._answer("containers", self.all_containers)

    async def unit_log(self, unit: str, count: int = 20) -> LogExcerpt:
        return _there(self._answer("unit_log", self.logs), unit, unit)

    async def container_log(self, container: Container, count: int = 20) -> LogExcerpt:
        return _there(self._answer("container_log", self.logs), container.name, container.name)

    def close(self) -> None:
        self.asked.append("close")


def _there(things: Mapping[Any, _Value], key: object, what: str) -> _Value:
    if key not in things:
        raise HostUnreadable(what, "not there", Reason.ABSENT)
    return things[key]
