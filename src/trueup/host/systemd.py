"""What systemd says of a unit, as D-Bus properties or as ``systemctl show`` prints them. Pure.

org.freedesktop.systemd1(5), systemd.unit(5), systemd.exec(5) (process exit codes).
"""

import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from trueup.host.facts import SocketListen, Unit
from trueup.host.unreadable import HostUnreadable, Reason


class _Kind(Enum):
    """How ``systemctl show`` prints a property."""

    TEXT = 1
    NUMBER = 2
    FLAG = 3
    MOMENT = 4
    NAMES = 5
    LISTENS = 6
    COMMANDS = 7
    FILES = 8


_REVERSE: Final = ("WantedBy", "RequiredBy", "RequisiteOf", "BoundBy", "UpheldBy")
_DIRECTORIES: Final = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "CacheDirectory": "/var/cache",
    "ConfigurationDirectory": "/etc",
    "RuntimeDirectory": "/run",
}
_KINDS: Final[dict[str, _Kind]] = {
    **dict.fromkeys(
        (
            "Id",
            "Description",
            "LoadState",
            "ActiveState",
            "SubState",
            "UnitFileState",
            "Result",
            "Type",
            "LoadError",
            "FragmentPath",
            "SourcePath",
            "ControlGroup",
            "User",
            "Restart",
            "StatusText",
            "FreezerState",
            "WorkingDirectory",
        ),
        _Kind.TEXT,
    ),
    **dict.fromkeys(("MainPID", "ExecMainCode", "ExecMainStatus", "NRestarts", "Job"), _Kind.NUMBER),
    **dict.fromkeys(("NeedDaemonReload", "ConditionResult", "AssertResult"), _Kind.FLAG),
    **dict.fromkeys(
        (
            "ExecMainStartTimestamp",
            "ExecMainExitTimestamp",
            "ActiveEnterTimestamp",
            "InactiveEnterTimestamp",
            "StateChangeTimestamp",
            "ConditionTimestamp",
        ),
        _Kind.MOMENT,
    ),
    **dict.fromkeys(
        ("Names", "DropInPaths", "Triggers", "TriggeredBy", "Wants", *_REVERSE, *_DIRECTORIES), _Kind.NAMES
    ),
    "Listen": _Kind.LISTENS,
    "ExecStart": _Kind.COMMANDS,
    "EnvironmentFiles": _Kind.FILES,
}
PROPERTIES: Final = tuple(_KINDS)
"""The properties that make a Unit."""

_PATH_ESCAPE: Final = re.compile(rb"_([0-9a-f]{2})")
_ARGUMENTS: Final = re.compile(r"argv\[\]=(.*?) ; (?:ignore_errors|flags)=")
_MOMENT: Final = re.compile(r"\w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? UTC")
_LISTEN: Final = re.compile(r"(.*) \((\w+)\)")
_CLD_EXITED: Final = 1
_CLD_KILLED: Final = (2, 3)  # killed, and killed with a core dump
_UNTIL_REBOOT: Final = "enabled-runtime"
_NEVER: Final = (0, 2**64 - 1)

EXIT_MEANINGS: Final[Mapping[int, str]] = {
    200: "CHDIR: its working directory can't be entered",
    201: "NICE: its priority can't be set",
    202: "FDS: its file descriptors can't be arranged",
    203: "EXEC: its program can't be run: missing, not executable, or of another machine",
    204: "MEMORY: there was no memory to start it",
    205: "LIMITS: a resource limit can't be set",
    206: "OOM_ADJUST: its OOM score can't be set",
    207: "SIGNAL_MASK: its signal mask can't be set",
    208: "STDIN: its standard input can't be opened",
    209: "STDOUT: its standard output can't be opened",
    210: "CHROOT: its root directory can't be entered",
    214: "SETSCHEDULER: its scheduling can't be set",
    215: "CPUAFFINITY: its processors can't be set",
    216: "GROUP: its group doesn't exist or can't be taken",
    217: "USER: its user doesn't exist or can't be taken",
    218: "CAPABILITIES: its capabilities can't be set",
    219: "CGROUP: its control group can't be made",
    220: "SETSID: no session can be made for it",
    222: "STDERR: its standard error can't be opened",
    224: "PAM: no PAM session can be opened",
    225: "NETWORK: its network namespace can't be made",
    226: "NAMESPACE: its mount namespace can't be made: often a path of the unit that doesn't exist",
    227: "NO_NEW_PRIVILEGES: they can't be dropped",
    228: "SECCOMP: its system call filter can't be set",
    231: "APPARMOR_PROFILE: its profile can't be entered",
    233: "RUNTIME_DIRECTORY: its directory under /run can't be made",
    235: "CHOWN: a file can't be given to it",
    238: "STATE_DIRECTORY: its directory under /var/lib can't be made",
    239: "CACHE_DIRECTORY: its directory under /var/cache can't be made",
    240: "LOGS_DIRECTORY: its directory under /var/log can't be made",
    241: "CONFIGURATION_DIRECTORY: its directory under /etc can't be made",
    243: "CREDENTIALS: its credentials can't be set up",
    245: "BPF: its BPF programs can't be attached",
}
"""Exit statuses that systemd itself gives before the service's own program runs, from systemd.exec(5)."""


IN_USE: Final = ("active", "reloading", "activating", "deactivating", "failed")
"""Active states of what runs, is about to, or should."""


def object_path(unit: str) -> str:
    """The D-Bus path of a unit; asking it loads the unit, as ``systemctl show`` does."""
    escaped = "".join(
        letter if letter.isascii() and (letter.isalpha() or (letter.isdigit() and place)) else f"_{byte:02x}"
        for place, byte in enumerate(unit.encode())
        for letter in (chr(byte),)
    )
    return f"/org/freedesktop/systemd1/unit/{escaped}"


def unit_of_path(path: str) -> str:
    """The unit of a D-Bus path."""
    name = path.rpartition("/")[2]
    packed = _PATH_ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), name.encode())
    return packed.decode(errors="replace")


def unit_from(properties: Mapping[str, Any], *, job: str | None, generated: Callable[[str], bool]) -> Unit:
    """One unit of its properties, in D-Bus's types: times in microseconds of the epoch, 0 for never.

    ``job`` is the type of its queued job, where it has one; ``generated`` says whether a generator pulls a
    unit in at each boot, and is asked only about one that is enabled until the next.

    Raises:
        HostUnreadable: a property isn't of its type.
    """
    try:
        return _unit(properties, job, generated)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        name = properties.get("Id", "a unit")
        raise HostUnreadable("systemd", f"{name} is not as expected: {error!r}", Reason.MALFORMED) from error


def _unit(said: Mapping[str, Any], job: str | None, generated: Callable[[str], bool]) -> Unit:
    status, killed_by = _ending(said.get("ExecMainCode") or 0, said.get("ExecMainStatus") or 0)
    checked = (said.get("ConditionTimestamp") or 0) not in _NEVER
    return Unit(
        name=said["Id"],
        names=tuple(sorted(said.get("Names") or (said["Id"],))),
        description=said.get("Description", ""),
        load_state=said["LoadState"],
        active_state=said["ActiveState"],
        sub_state=said["SubState"],
        unit_file_state=said.get("UnitFileState", ""),
        result=said.get("Result", ""),
        type=said.get("Type", ""),
        load_error=_load_error(said.get("LoadError", "")),
        fragment_path=said.get("FragmentPath", ""),
        drop_in_paths=tuple(said.get("DropInPaths", ())),
        source_path=said.get("SourcePath", ""),
        need_daemon_reload=bool(said.get("NeedDaemonReload")),
        job=job,
        condition_met=said["ConditionResult"] and said.get("AssertResult", True) if checked else None,
        main_pid=said.get("MainPID") or None,
        control_group=said.get("ControlGroup", ""),
        user=said.get("User", ""),
        exit_status=status,
        exit_signal=killed_by,
        exit_meaning=EXIT_MEANINGS.get(status) if status is not None else None,
        started_at=_moment(said.get("ExecMainStartTimestamp")),
        exited_at=_moment(said.get("ExecMainExitTimestamp")),
        active_since=_moment(said.get("ActiveEnterTimestamp")),
        inactive_since=_moment(said.get("InactiveEnterTimestamp")),
        changed_at=_moment(said.get("StateChangeTimestamp")),
        restarts=said.get("NRestarts"),
        restart_policy=said.get("Restart", ""),
        status_text=said.get("StatusText", ""),
        frozen=said["FreezerState"] != "running" if said.get("FreezerState") else None,
        command=tuple(said["ExecStart"][0][1]) if said.get("ExecStart") else (),
        environment_files=tuple(path for path, _ in said.get("EnvironmentFiles", ())),
        directories=_directories(said),
        listens=tuple(SocketListen(kind, address) for kind, address in said.get("Listen", ())),
        triggers=tuple(said.get("Triggers", ())),
        triggered_by=tuple(said.get("TriggeredBy", ())),
        wanted_by=tuple(dict.fromkeys(name for key in _REVERSE for name in said.get(key, ()))),
        wants=tuple(said.get("Wants", ())),
        wants_generated=said.get("UnitFileState") == _UNTIL_REBOOT and generated(said["Id"]),
    )


def _ending(code: int, status: int) -> tuple[int | None, str | None]:
    if code == _CLD_EXITED:
        return status, None
    if code in _CLD_KILLED:
        try:
            return None, signal.Signals(status).name
        except ValueError:
            return None, f"signal {status}"
    return None, None


def _load_error(said: Sequence[str]) -> str:
    """Its second part: D-Bus gives a name and a text, systemctl prints ``NAME "TEXT"``."""
    return said.partition(' "')[2].removesuffix('"') if isinstance(said, str) else said[1]


def _moment(microseconds: int | None) -> datetime | None:
    if microseconds is None or microseconds in _NEVER:
        return None
    return datetime.fromtimestamp(microseconds / 1e6, UTC)


def _directories(said: Mapping[str, Any]) -> tuple[str, ...]:
    working = said.get("WorkingDirectory", "").lstrip("!-")
    found = [working] if working.startswith("/") else []
    for key, parent in _DIRECTORIES.items():
        found += [f"{parent}/{name}" for name in said.get(key, ())]
    return tuple(dict.fromkeys(found))


# ---- systemctl show ----------------------------------------------------------------------------------------


def parse_show(text: str) -> Iterator[dict[str, Any]]:
    """The blocks of ``systemctl show`` run in the C locale and UTC, in the types of D-Bus.

    Raises:
        HostUnreadable: a line isn't KEY=VALUE, or a value not of its key's form.
    """
    for block in text.split("\n\n"):
        said: dict[str, Any] = {}
        for line in block.splitlines():
            key, equals, value = line.partition("=")
            kind = _KINDS.get(key)
            if not equals or kind is None:
                raise HostUnreadable("systemctl", f"unlike a property: {line!r}", Reason.MALFORMED)
            try:
                _take(said, key, kind, value)
            except ValueError as error:
                what = f"unlike a {kind.name.lower()}: {line!r}"
                raise HostUnreadable("systemctl", what, Reason.MALFORMED) from error
        if said:
            yield said


def _take(said: dict[str, Any], key: str, kind: _Kind, value: str) -> None:
    match kind:
        case _Kind.TEXT:
            said[key] = value
        case _Kind.NUMBER if value:
            said[key] = int(value)
        case _Kind.FLAG:
            said[key] = value == "yes"
        case _Kind.MOMENT if value:
            said[key] = _microseconds(value)
        case _Kind.NAMES:
            said[key] = value.split()
        case _Kind.LISTENS:
            said.setdefault(key, []).append(_listen(value))
        case _Kind.COMMANDS:
            found = _ARGUMENTS.search(value)
            said.setdefault(key, []).append(("", found[1].split() if found else []))
        case _Kind.FILES:
            said.setdefault(key, []).append((value.rpartition(" (")[0], False))
        case _:
            pass  # an empty number or time: there is none


def _microseconds(text: str) -> int:
    if text in ("n/a", "0"):
        return 0
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError(text)
    moment = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    return int(moment.timestamp()) * 1_000_000 + int(float(found[3] or 0) * 1e6)


def _listen(text: str) -> tuple[str, str]:
    found = _LISTEN.fullmatch(text)
    if not found:
        raise ValueError(text)
    return found[2], found[1]


def parse_jobs(text: str) -> dict[str, str]:
    """The types of queued jobs by unit, of ``systemctl list-jobs --no-legend``."""
    rows = (line.split() for line in text.splitlines())
    return {row[1]: row[2] for row in rows if len(row) >= 3 and row[0].isdecimal()}


def parse_names(text: str) -> list[str]:
    """The units of ``list-units`` or ``list-unit-files`` with ``--plain --no-legend``."""
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def startable(names: Sequence[str]) -> tuple[str, ...]:
    """Each once, without templates: ``redis@.service`` is no unit."""
    return tuple(dict.fromkeys(name for name in names if "@." not in name))
