"""What a machine says of itself: plain, serialisable nouns. Pure: readers and parsers live beside."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# ---- sockets ----------------------------------------------------------------------------------------------


class Transport(StrEnum):
    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class ListeningSocket:
    """A TCP socket in LISTEN, or a UDP socket that is bound and not connected.

    ``queue`` and ``queue_max``: for TCP, connections that wait to be accepted and the most that may
    (min of backlog and somaxconn); for UDP, bytes that wait to be read and the receive buffer. None where
    the source doesn't say. A queue longer than its maximum is full: the kernel drops new attempts.
    """

    transport: Transport
    address: str
    port: int
    queue: int
    queue_max: int | None
    uid: int
    inode: int
    cookie: int | None = None
    """The kernel's own number for this socket, the same in its destroy notification. None from /proc."""
    interface_index: int = 0
    """Only this interface; 0 is any."""
    v6_only: bool | None = None
    """False: an address of ``::`` takes IPv4 as well. None: not said, or an IPv4 socket."""
    cgroup_id: int | None = None
    """The cgroup v2 (an inode under its mount) that the socket was made in."""


class OwnerUnknown(StrEnum):
    """Why no owner is named."""

    PERMISSION = "permission"
    """Some process could not be looked into: it may be one of those."""
    NOBODY = "nobody"
    """No process that we can see holds it: the kernel itself does, or another pid namespace."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a socket: ``pid`` is the process to name (a master before its workers, a service before
    the systemd that handed it the socket), ``pids`` all that hold it.
    """

    pid: int | None
    pids: tuple[int, ...] = ()
    by_init: bool = False
    """systemd holds it too, or alone: socket activation."""
    unknown: OwnerUnknown | None = None


# ---- processes --------------------------------------------------------------------------------------------


class ProcessState(StrEnum):
    """proc(5), /proc/pid/stat, field 3."""

    RUNNING = "R"
    SLEEPING = "S"
    UNINTERRUPTIBLE = "D"
    STOPPED = "T"
    TRACED = "t"
    ZOMBIE = "Z"
    DEAD = "X"
    IDLE = "I"
    PARKED = "P"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process lives, from its cgroup path."""

    cgroup: str
    unit: str | None = None
    user_unit: str | None = None
    """A unit of the user's own systemd, inside ``unit`` (user@1000.service)."""
    container_id: str | None = None
    machine: str | None = None
    """A systemd-nspawn or LXC machine."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process. What needs a permission that we lack is None, never a guess."""

    pid: int
    start_ticks: int
    """With ``pid`` its identity: a pid alone is used again."""
    started_at: datetime
    name: str
    state: ProcessState
    parent_pid: int
    threads: int
    uid: int
    user: str
    """The number as text where /etc/passwd has no name for it."""
    executable: str | None
    executable_deleted: bool | None
    """True: the file was replaced or removed since the start (an upgrade without a restart)."""
    command: tuple[str, ...] | None
    place: Place | None
    files_open: int | None
    files_max: int | None
    resident_bytes: int | None
    tracer_pid: int = 0
    frozen: bool | None = None
    """Its cgroup is frozen (docker pause, systemctl freeze). None: could not be told."""
    waits_in: str | None = None
    """The kernel function that an uninterruptible process sleeps in."""


# ---- units ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SocketListen:
    """One Listen*= of a .socket unit: ``Stream``, ``Datagram``, ... and ``127.0.0.1:80`` or ``/run/x``."""

    kind: str
    address: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One systemd unit, as systemd(1) says it. Empty text and None: systemd doesn't say.

    ``exit_status`` and ``exit_signal``: how the main process last ended (ExecMainCode 1, or 2 and 3).
    """

    name: str
    names: tuple[str, ...]
    description: str
    load_state: str
    active_state: str
    sub_state: str
    unit_file_state: str
    """enabled, enabled-runtime, linked, linked-runtime, alias, masked, masked-runtime, static, disabled,
    indirect, generated, transient, bad; empty where there is no file."""
    result: str = ""
    type: str = ""
    load_error: str = ""
    fragment_path: str = ""
    drop_in_paths: tuple[str, ...] = ()
    source_path: str = ""
    need_daemon_reload: bool = False
    job: str | None = None
    """start, stop, restart, ...: queued or running; nothing about the unit is final while it is."""
    condition_met: bool | None = None
    main_pid: int | None = None
    control_group: str = ""
    user: str = ""
    exit_status: int | None = None
    exit_signal: str | None = None
    exit_meaning: str | None = None
    """systemd's name of the status (EXEC, CHDIR, ...), where it has one."""
    started_at: datetime | None = None
    """Of the main process."""
    exited_at: datetime | None = None
    active_since: datetime | None = None
    inactive_since: datetime | None = None
    changed_at: datetime | None = None
    restarts: int | None = None
    restart_policy: str = ""
    status_text: str = ""
    frozen: bool | None = None
    command: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    """Its working, state, logs, cache and runtime directories, as full paths."""
    listens: tuple[SocketListen, ...] = ()
    triggers: tuple[str, ...] = ()
    triggered_by: tuple[str, ...] = ()
    wanted_by: tuple[str, ...] = ()
    """Loaded units that pull it in: WantedBy, RequiredBy, RequisiteOf, BoundBy, UpheldBy."""
    wants: tuple[str, ...] = ()
    wants_generated: bool = False
    """A generator pulls it in at each boot (as postgresql@.service): enabled-runtime that survives."""


# ---- containers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PortMapping:
    """``address`` and ``port`` of the host are None for a port that is exposed and not published."""

    address: str | None
    port: int | None
    container_port: int
    transport: Transport


@dataclass(frozen=True, slots=True)
class Container:
    """One container, as the engine's inspect says it."""

    engine: str
    """docker or podman."""
    id: str
    name: str
    image: str
    state: str
    """created, running, paused, restarting, removing, exited, dead."""
    health: str | None
    """starting, healthy, unhealthy; None without a health check. Docker ends the check of a container that's
    paused, and calls it unhealthy: the state goes before the health."""
    health_output: str | None
    """The last line or lines of the newest health check."""
    health_failures: int
    exit_code: int | None
    """Of the last run; None while it runs."""
    out_of_memory: bool
    error: str
    restarts: int
    restart_policy: str
    pid: int | None
    started_at: datetime | None
    finished_at: datetime | None
    ports: tuple[PortMapping, ...]
    network_mode: str
    compose_service: str | None
    memory_bytes_max: int | None
    tty: bool
    """Its log is plain; without a terminal it is framed."""


# ---- memory and the packet filter -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MemoryEvents:
    """Counters of one cgroup that only rise while it lives. None: this kernel doesn't count it."""

    out_of_memory: int | None
    kills: int


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule that drops or rejects what comes in. ``ports`` are ranges; empty is any port."""

    place: str
    """Family, table and chain: ``inet filter input``."""
    verdict: str
    """drop or reject."""
    transport: Transport | None
    ports: tuple[tuple[int, int], ...]
    more: bool
    """It has other conditions too (an address, an interface, a state), so it may not mean us."""
    packets: int | None
    """What it has met, where it counts."""

    def may_meet(self, port: int, transport: Transport) -> bool:
        """Whether it speaks of this port, or of all."""
        if self.transport not in (None, transport):
            return False
        return not self.ports or any(low <= port <= high for low, high in self.ports)


@dataclass(frozen=True, slots=True)
class Firewall:
    """This machine's packet filter for what comes in: a hint, for conditions aren't judged."""

    closed: tuple[str, ...]
    """Chains that drop what no rule accepts."""
    rules: tuple[FirewallRule, ...]

    @property
    def filters(self) -> bool:
        return bool(self.closed or self.rules)


# ---- the whole machine ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Boot:
    """``started_at`` is when this system's first process started: in a container that of the container."""

    id: str
    started_at: datetime
    kernel_started_at: datetime


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    interface: str
    address: str
    prefix_bits: int


@dataclass(frozen=True, slots=True)
class PressureLine:
    """Share of the time in percent in which some, or all, tasks waited; ``total_us`` only rises."""

    avg10: float
    avg60: float
    avg300: float
    total_us: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """One resource: Documentation/accounting/psi.rst. ``full`` is None for cpu on old kernels."""

    some: PressureLine
    full: PressureLine | None


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One mounted file system. Inodes are None where it has no fixed number (btrfs)."""

    mount_point: str
    device: str
    type: str
    read_only: bool
    size_bytes: int
    available_bytes: int
    """For ordinary users: root may have more."""
    inodes: int | None
    inodes_available: int | None


@dataclass(frozen=True, slots=True)
class Vitals:
    """The machine's own state. A part that could not be read is None."""

    load_1m: float
    load_5m: float
    load_15m: float
    processors: int
    memory_bytes: int
    memory_available_bytes: int
    swap_bytes: int
    swap_free_bytes: int
    files_open: int | None
    files_max: int | None
    connections_tracked: int | None
    connections_tracked_max: int | None
    listen_overflows: int | None
    """Attempts dropped because an accept queue was full, on all sockets since the boot."""
    listen_drops: int | None
    pressure_cpu: Pressure | None
    pressure_memory: Pressure | None
    pressure_io: Pressure | None
