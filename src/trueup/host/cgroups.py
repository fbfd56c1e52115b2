"""Where a process lives: its systemd unit or container, from /proc/PID/cgroup; and what a cgroup says.

The paths are those of systemd (CGROUP_DELEGATION.md, systemd.slice(5)), Docker, Podman, containerd,
CRI-O, Kubernetes (cgroupfs and systemd drivers), LXC and systemd-nspawn, on cgroup v1, hybrid and v2.
"""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from trueup.host.facts import MemoryEvents, Place
from trueup.host.files import read_text
from trueup.host.unreadable import HostUnreadable, Reason

_UNIT_TYPES: Final = (".service", ".scope", ".socket", ".mount", ".swap")
_ID: Final = r"(?P<id>[0-9a-f]{64})"
_CONTAINERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:docker|libpod|cri-containerd|crio|nerdctl|containerd)-{_ID}\.scope",  # systemd driver
        rf"libpod-(?:payload-)?{_ID}",  # podman: cgroupfs, or split inside its unit
        rf"kubepods[^/]*:cri-containerd:{_ID}",  # containerd's own form under its service
        rf"crio-{_ID}",
        _ID,  # /docker/ID, /kubepods/burstable/podUID/ID, /ecs/TASK/ID
    )
)
_MONITORS: Final = re.compile(r"(?:libpod-conmon|crio-conmon)-[0-9a-f]{64}(?:\.scope)?")
_MACHINES: Final = (
    re.compile(r"machine-(?P<name>.+)\.scope"),
    re.compile(r"systemd-nspawn@(?P<name>.+)\.service"),
    re.compile(r"lxc\.payload\.(?P<name>.+)"),
)
_ESCAPED: Final = re.compile(r"\\x([0-9a-f]{2})")
_ENGINES: Final = frozenset({"docker.service", "containerd.service", "crio.service", "podman.service"})
_USER_MANAGER: Final = re.compile(r"user@\d+\.service")


def parse_place(text: str) -> Place:
    """The place that /proc/PID/cgroup names: cgroups(7).

    Raises:
        HostUnreadable: a line isn't ``NUMBER:CONTROLLERS:PATH``.
    """
    unified = systemd = ""
    paths = []
    for number, controllers, path in _lines(text):
        if number == "0" and not controllers:
            unified = path
        elif controllers == "name=systemd":
            systemd = path
        paths.append(path)
    # Hybrid: systemd uses its own named tree, Docker with cgroupfs any of them; the unified one may be bare.
    main = systemd if systemd not in ("", "/") else unified or next(iter(paths), "/")
    container_id = next((found for path in [main, *paths] if (found := _container_id(path))), None)
    unit, user_unit = _units(main)
    if container_id and (container_id not in main or unit in _ENGINES):
        unit = user_unit = None
    return Place(main, unit, user_unit, container_id, _machine(main))


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not colon or not path.startswith("/"):
            raise HostUnreadable("cgroup", f"unlike a cgroup: {line!r}", Reason.MALFORMED)
        yield number, controllers, path.removesuffix(" (deleted)")


def _units(path: str) -> tuple[str | None, str | None]:
    """As systemd's cg_path_get_unit: slices, then the unit. Anything else before it is not our systemd's."""
    unit, rest = _unit_after_slices(path.strip("/").split("/"))
    if unit is None or _container_id_of(unit):
        return None, None
    user_unit = None
    if _USER_MANAGER.fullmatch(unit):
        user_unit, _ = _unit_after_slices(rest)
        if user_unit == "init.scope" or (user_unit and _container_id_of(user_unit)):
            user_unit = None
    return unit, user_unit


def _unit_after_slices(parts: list[str]) -> tuple[str | None, list[str]]:
    for place, raw in enumerate(parts):
        part = raw.removeprefix("_")  # systemd escapes names that the kernel keeps for itself
        if part.endswith(_UNIT_TYPES):
            return part, parts[place + 1 :]
        if not part.endswith(".slice"):
            break
    return None, []


def _container_id(path: str) -> str | None:
    for part in path.split("/"):
        if found := _container_id_of(part):
            return found
    return None


def _container_id_of(part: str) -> str | None:
    if _MONITORS.fullmatch(part):
        return None  # conmon, which stands beside its container and isn't in it
    for pattern in _CONTAINERS:
        if found := pattern.fullmatch(part):
            return found["id"]
    return None


def _machine(path: str) -> str | None:
    parts = path.split("/")
    for parent, part in pairwise(parts):
        for pattern in _MACHINES:
            if found := pattern.fullmatch(part):
                return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), found["name"])
        if parent == "lxc":
            return part
    return None


def parse_counters(text: str) -> dict[str, int]:
    """A flat keyed file, such as memory.events or memory.oom_control.

    Raises:
        HostUnreadable: a line isn't ``KEY NUMBER``.
    """
    counters = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if not value.isdecimal():
            raise HostUnreadable("cgroup", f"unlike a counter: {line!r}", Reason.MALFORMED)
        counters[key] = int(value)
    return counters


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where the cgroup trees are mounted; None where there is none."""

    unified: str | None
    memory: str | None
    freezer: str | None


def parse_mounts(mountinfo: str) -> Mounts:
    """From /proc/self/mountinfo: proc_pid_mountinfo(5)."""
    unified = memory = freezer = None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.partition(" ")
        if kind == "cgroup2":
            unified = unified or before.split()[4]
        elif kind == "cgroup":
            controllers = options.rpartition(" ")[2].split(",")
            memory = before.split()[4] if "memory" in controllers else memory
            freezer = before.split()[4] if "freezer" in controllers else freezer
    return Mounts(unified, memory, freezer)


class Cgroups:
    """Reads what cgroups say of themselves."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._mounts: Mounts | None = None
        self._paths: dict[int, str] = {}

    def mounts(self) -> Mounts:
        if self._mounts is None:
            self._mounts = parse_mounts(read_text(f"{self._proc}/self/mountinfo"))
        return self._mounts

    def place(self, pid: int) -> Place:
        """Raises:
        HostUnreadable: the process is gone, or this kernel has no cgroups.
        """
        return parse_place(read_text(f"{self._proc}/{pid}/cgroup"))

    def frozen(self, place_text: str) -> bool | None:
        """Whether a cgroup of one /proc/PID/cgroup is frozen; None where the kernel doesn't say.

        v2: ``frozen`` of cgroup.events; v1: freezer.state, which is THAWED, FREEZING or FROZEN.
        """
        mounts = self.mounts()
        answers = []
        for _, controllers, path in _lines(place_text):
            if (
                not controllers
                and mounts.unified
                and (text := _text(f"{mounts.unified}{path}/cgroup.events"))
            ):
                answers.append("frozen 1" in text)
            elif "freezer" in controllers.split(",") and mounts.freezer:
                text = _text(f"{mounts.freezer}{path}/freezer.state")
                answers += ["THAWED" not in text] if text else []
        return any(answers) if answers else None

    def memory_events(self, cgroup: str) -> MemoryEvents:
        """The counters of memory kills of a cgroup, by its path: ``/system.slice/x.service``.

        v2: memory.events; v1: memory.oom_control.

        Raises:
            HostUnreadable: the cgroup is gone (its service has stopped), or memory isn't accounted.
        """
        mounts = self.mounts()
        if mounts.memory is not None:
            counters = parse_counters(read_text(f"{mounts.memory}{cgroup}/memory.oom_control"))
            return _memory_events(counters.get("oom_kill"), None)
        if mounts.unified is None:
            raise HostUnreadable("memory.events", "no cgroups are mounted", Reason.UNSUPPORTED)
        counters = parse_counters(read_text(f"{mounts.unified}{cgroup}/memory.events"))
        return _memory_events(counters.get("oom_kill"), counters.get("oom"))

    def paths_of(self, cgroup_ids: Collection[int]) -> dict[int, str]:
        """The paths of cgroups v2 by their ids, the inodes of their directories; gone ones are left out."""
        root = self.mounts().unified
        if root is None:
            return {}
        if any(_inode(root + self._paths.get(number, "/")) != number for number in cgroup_ids):
            self._paths = {
                number: folder.removeprefix(root) or "/"
                for folder, _, _ in os.walk(root)
                if (number := _inode(folder)) is not None
            }
        return {number: self._paths[number] for number in cgroup_ids if number in self._paths}


def _memory_events(kills: int | None, out_of_memory: int | None) -> MemoryEvents:
    if kills is None:
        raise HostUnreadable("memory.events", "this kernel doesn't count kills", Reason.UNSUPPORTED)
    return MemoryEvents(out_of_memory, kills)


def _text(path: str) -> str | None:
    try:
        return read_text(path)
    except HostUnreadable:
        return None


def _inode(folder: str) -> int | None:
    try:
        return os.stat(folder).st_ino  # noqa: PTH116 - a path is text throughout this floor
    except OSError:
        return None
