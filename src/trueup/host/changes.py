"""What changed lately: packages, unit files, configuration, programs. A hint by its time, never a proof."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from trueup.host.boot import moment
from trueup.host.facts import Process, Unit
from trueup.host.files import read_tail
from trueup.host.software import configuration_of
from trueup.host.traces import Change, ChangeKind
from trueup.host.unreadable import HostUnreadable, Reason

_LOG_BYTES_MAX: Final = 512 * 1024
_RUN_MAX: Final = timedelta(hours=1)
_FILES_MAX: Final = 500
_DEPTH_MAX: Final = 4
# dpkg.log: DATE TIME ACTION PACKAGE:ARCH OLD NEW; "status" and "trigproc" lines are steps on the way
_DPKG: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (install|upgrade|remove|purge) ([^ :]+)(?::\S+)? (\S+) (\S+)"
)
_APT: Final = re.compile(r"(Start-Date|Commandline): +(.*)")
# dnf.rpm.log: 2026-11-21T10:00:00+0000 SUBDEBUG Upgraded: redis-7.0.15-1.fc40.x86_64
_DNF: Final = re.compile(r"(\S+) (?:SUBDEBUG|INFO) (Installed|Upgraded?|Erased|Removed|Downgraded?): (\S+)")
_PACMAN: Final = re.compile(r"\[(\S+)\] \[ALPM\] (installed|upgraded|downgraded|removed) (\S+) \((.*)\)")
_SHADOWS: Final = ("~", ".swp", ".dpkg-dist", ".dpkg-old", ".dpkg-new", ".ucf-dist", ".rpmnew", ".rpmsave")


def parse_dpkg(text: str, zone: tzinfo | None = None) -> list[Change]:
    """Of /var/log/dpkg.log, whose times are local: ``zone``, or this machine's."""
    changes = []
    for line in text.splitlines():
        if found := _DPKG.fullmatch(line):
            at, action, package, old, new = found.groups()
            versions = {"install": new, "upgrade": f"{old} -> {new}"}.get(action, old)
            changes.append(Change(ChangeKind.PACKAGE, package, _local(at, zone), f"{action} {versions}"))
    return changes


def parse_apt_commands(text: str, zone: tzinfo | None = None) -> list[tuple[datetime, str]]:
    """When apt was run and how, of /var/log/apt/history.log."""
    runs = []
    started_at = None
    for line in text.splitlines():
        if found := _APT.fullmatch(line):
            if found[1] == "Start-Date":
                started_at = _local(" ".join(found[2].split()), zone)
            elif started_at is not None:
                runs.append((started_at, found[2]))
    return runs


def parse_dnf(text: str) -> list[Change]:
    """Of /var/log/dnf.rpm.log."""
    return [
        Change(
            ChangeKind.PACKAGE, found[3], datetime.fromisoformat(found[1]).astimezone(UTC), found[2].lower()
        )
        for line in text.splitlines()
        if (found := _DNF.fullmatch(line))
    ]


def parse_pacman(text: str) -> list[Change]:
    """Of /var/log/pacman.log."""
    return [
        Change(
            ChangeKind.PACKAGE,
            found[3],
            datetime.fromisoformat(found[1]).astimezone(UTC),
            f"{found[2]} {found[4]}",
        )
        for line in text.splitlines()
        if (found := _PACMAN.fullmatch(line))
    ]


def read_packages(since: datetime, root: str = "/") -> tuple[Change, ...]:
    """Packages changed since then, of whichever log this distribution keeps.

    A log that hasn't changed isn't read again: when much fails at once, each asks.

    Raises:
        HostUnreadable: there's no log that we know, or none that we may read.
    """
    failures = []
    for path in _PACKAGE_LOGS:
        try:
            changes = _changes_in(path, root, (_stamp(root + path), _stamp(root + _APT_LOG)))
        except HostUnreadable as error:
            failures.append(error)
            continue
        return tuple(change for change in changes if change.at >= since)
    denied = [error for error in failures if error.reason is not Reason.ABSENT]
    raise denied[0] if denied else HostUnreadable("package log", "none that we know", Reason.ABSENT)


@lru_cache(maxsize=8)
def _changes_in(path: str, root: str, _stamps: tuple[tuple[int, ...], ...]) -> tuple[Change, ...]:
    changes = _PACKAGE_LOGS[path](read_tail(root + path, _LOG_BYTES_MAX))
    return tuple(_with_commands(changes, root) if path == _DPKG_LOG else changes)


def _stamp(path: str) -> tuple[int, ...]:
    """What is another when the file has changed."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a path is text throughout this floor
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode


def _with_commands(changes: list[Change], root: str) -> list[Change]:
    """Each with the apt command that made it, where apt did."""
    try:
        runs = parse_apt_commands(read_tail(root + _APT_LOG, _LOG_BYTES_MAX))
    except HostUnreadable:
        return changes
    told = []
    for change in changes:
        began = [(at, command) for at, command in runs if timedelta() <= change.at - at <= _RUN_MAX]
        told.append(replace(change, detail=f"{change.detail} ({began[-1][1]})") if began else change)
    return told


_DPKG_LOG: Final = "var/log/dpkg.log"
_APT_LOG: Final = "var/log/apt/history.log"
_PACKAGE_LOGS: Final[dict[str, Callable[[str], list[Change]]]] = {
    _DPKG_LOG: parse_dpkg,
    "var/log/dnf.rpm.log": parse_dnf,
    "var/log/pacman.log": parse_pacman,
}


def read_files(unit: Unit | None, process: Process | None, root: str = "/") -> tuple[Change, ...]:
    """Files of a service that are newer than its process, or than its unit's last start.

    The unit's own files, its environment files, files named by its command, the usual configuration of its
    program, and the program itself. What can't be read is left out: this is a hint.
    """
    since = process.started_at if process else unit.started_at if unit else None
    if since is None:
        return ()
    found = []
    for kind, path in dict.fromkeys(_files(unit, process, root)):
        changed_at = _changed_at(root + path.lstrip("/"))
        if changed_at is not None and changed_at > since:
            found.append(Change(kind, path, changed_at))
    return tuple(found)


def _files(unit: Unit | None, process: Process | None, root: str) -> Iterator[tuple[ChangeKind, str]]:
    named: list[str] = []
    if unit is not None:
        for path in (unit.fragment_path, unit.source_path, *unit.drop_in_paths):
            if path:
                yield ChangeKind.UNIT_FILE, path
        yield from ((ChangeKind.CONFIGURATION, path) for path in unit.environment_files)
        named += named_files(unit.command[1:])
    if process is not None:
        named += named_files((process.command or ())[1:])
        named += configuration_of(process.name)
        if process.executable is not None:
            yield ChangeKind.EXECUTABLE, process.executable
    for path in named:
        yield from ((ChangeKind.CONFIGURATION, file) for file in _below(root, path))


def named_files(arguments: Sequence[str]) -> list[str]:
    """Whole paths among a command's arguments: ``/etc/x``, ``--config=/etc/x``, ``config_file=/etc/x``."""
    paths = []
    for argument in arguments:
        path = argument if argument.startswith("/") else argument.partition("=")[2]
        if path.startswith("/"):
            paths.append(path)
    return paths


def _below(root: str, path: str) -> Iterator[str]:
    """The file itself, or the files of a folder, without editors' and packagers' copies."""
    whole = root + path.lstrip("/")
    if not os.path.isdir(whole):  # noqa: PTH112 - a path is text throughout this floor
        yield path
        return
    if not path.startswith("/etc/"):
        return  # a data directory changes all the time
    counted = 0
    for folder, names, files in os.walk(whole):
        if folder.count("/") - whole.count("/") >= _DEPTH_MAX:
            names.clear()
        for name in _plain(files):
            counted += 1
            if counted > _FILES_MAX:
                return
            yield f"/{os.path.relpath(os.path.join(folder, name), root)}"  # noqa: PTH118 - text throughout


def _plain(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith(".") and not name.endswith(_SHADOWS))


def _changed_at(path: str) -> datetime | None:
    try:
        # Not the time of modification: that of a file moved or unpacked into place is old, and a change of
        # owner or permissions, which breaks as much, doesn't show in it.
        return moment(os.stat(path).st_ctime)  # noqa: PTH116 - a path is text throughout this floor
    except OSError:
        return None


def _local(text: str, zone: tzinfo | None) -> datetime:
    naive = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the log's own zone is put on it here
    return (naive.replace(tzinfo=zone) if zone else naive.astimezone()).astimezone(UTC)
