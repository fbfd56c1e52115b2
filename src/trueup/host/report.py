"""The whole picture of one machine at one time: what the diagnosis takes as evidence and an agent sends.

Pure. What could not be read is in ``unreadable``: a thing that is missing here and not named there isn't.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trueup.host.facts import (
    Boot,
    Container,
    FileSystem,
    Firewall,
    InterfaceAddress,
    ListeningSocket,
    Owner,
    Process,
    Transport,
    Unit,
    Vitals,
)
from trueup.host.traces import Change, LogExcerpt, MemoryKill
from trueup.host.unreadable import Unreadable

SCHEMA: Final = 1
_ANY: Final = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for clients, with whom it belongs to."""

    socket: ListeningSocket
    user: str
    """Who made the socket, known even where its owner isn't."""
    owner: Owner
    process: str | None = None
    since: datetime | None = None
    """The start of its owner."""
    unit: str | None = None
    user_unit: str | None = None
    container: str | None = None
    """The name of the container that it runs in, or whose published port it is; else the short id."""
    machine: str | None = None
    queued_since: datetime | None = None
    """Its queue wasn't empty at any look since then. None: it's empty now."""


@dataclass(frozen=True, slots=True)
class Inner:
    """The listening sockets in the network of a container that has one of its own."""

    container_id: str
    sockets: tuple[ListeningSocket, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that only rises, now and at the earliest look of the last ten minutes.

    ``name`` is ``restarts`` (of a unit or a container, by its name) or ``memory-kills`` (of a unit's cgroup).
    """

    subject: str
    name: str
    value: int
    earlier: int
    earlier_at: datetime

    @property
    def rise(self) -> int:
        """What was counted in between; a counter that fell began anew."""
        return self.value - self.earlier if self.value >= self.earlier else self.value


@dataclass(frozen=True, slots=True)
class HostReport:
    """Everything by which a failure can be explained from the inside."""

    host: str
    taken_at: datetime
    boot: Boot | None
    """None where even that could not be read."""
    addresses: tuple[InterfaceAddress, ...] = ()
    listeners: tuple[Listener, ...] = ()
    inner: tuple[Inner, ...] = ()
    processes: tuple[Process, ...] = ()
    """Those that hold a listener, are a unit's or a container's main process, or were asked for by name."""
    units: tuple[Unit, ...] = ()
    containers: tuple[Container, ...] = ()
    vitals: Vitals | None = None
    file_systems: tuple[FileSystem, ...] = ()
    counters: tuple[Counter, ...] = ()
    memory_kills: tuple[MemoryKill, ...] = ()
    changes: tuple[Change, ...] = ()
    logs: tuple[LogExcerpt, ...] = ()
    firewall: Firewall | None = None
    unreadable: tuple[Unreadable, ...] = ()
    schema: int = SCHEMA

    def process(self, pid: int | None) -> Process | None:
        return next((process for process in self.processes if process.pid == pid), None)

    def unit(self, name: str) -> Unit | None:
        """By its name or another of its names."""
        return next((unit for unit in self.units if name == unit.name or name in unit.names), None)

    def container(self, name: str) -> Container | None:
        """By name, by id or by the beginning of its id, of at least 12 letters."""
        for container in self.containers:
            if name == container.name or (len(name) >= 12 and container.id.startswith(name)):
                return container
        return None

    def counter(self, subject: str, name: str) -> Counter | None:
        return next((one for one in self.counters if (one.subject, one.name) == (subject, name)), None)

    def log(self, of: str) -> LogExcerpt | None:
        return next((log for log in self.logs if log.of == of), None)

    def on_port(self, port: int, transport: Transport = Transport.TCP) -> tuple[Listener, ...]:
        """All listeners on a port, at whatever address."""
        return tuple(
            listener
            for listener in self.listeners
            if listener.socket.port == port and listener.socket.transport is transport
        )

    def reached_at(
        self, address: str, port: int, transport: Transport = Transport.TCP
    ) -> tuple[Listener, ...]:
        """Those that a client of this address and port would meet, the exact address before any address."""
        on_port = self.on_port(port, transport)
        exact = tuple(one for one in on_port if one.socket.address == address)
        return exact or tuple(one for one in on_port if takes(one.socket, address))

    def is_own(self, address: str) -> bool:
        """Whether the address is one of this machine's, loopback included."""
        return any(one.address == address for one in self.addresses) or address.startswith("127.")

    def could_not_read(self, what: str) -> Unreadable | None:
        """The first gap whose name begins so."""
        return next((gap for gap in self.unreadable if gap.what.startswith(what)), None)


def takes(socket: ListeningSocket, address: str) -> bool:
    """Whether a socket takes what comes to one of this machine's addresses, as far as its own address goes.

    Of an IPv6 socket that isn't known to refuse IPv4 we say that it takes it, as it does by default.
    """
    if socket.address == address:
        return True
    if socket.address not in _ANY:
        return False
    if ":" in address:
        return socket.address == "::"
    return socket.address == "0.0.0.0" or not socket.v6_only
