"""Processes, from /proc/PID: proc(5). Any user may read most of it; the rest comes back as None."""

import math
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from trueup.host.boot import TICKS_A_SECOND, boot_epoch_s, moment
from trueup.host.cgroups import Cgroups, parse_place
from trueup.host.facts import Process, ProcessState
from trueup.host.files import read_bytes, read_text
from trueup.host.scripts import script_of
from trueup.host.unreadable import HostUnreadable, Reason
from trueup.host.users import Users

_DELETED: Final = " (deleted)"
WHOLE_AGAIN_AFTER_S: Final = 60.0
RESTING_AGAIN_AFTER_S: Final = 300.0
"""Of a process that hasn't run meanwhile, only others can have changed anything: its cgroup, its limits."""
_KNOWN_MAX: Final = 4096
_THREADS_MAX: Final = 16
_TOGETHER_S: Final = 0.05
_CLOCK_SET: Final = timedelta(seconds=1)
_NAME_CHARS_MAX: Final = 15
_COMMAND_BYTES_MAX: Final = 4096
_STATES: Final = frozenset(ProcessState)
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Stat:
    """What /proc/PID/stat says."""

    pid: int
    name: str
    state: ProcessState
    parent_pid: int
    threads: int
    start_ticks: int
    resident_bytes: int


def parse_stat(text: str) -> Stat:
    """Raises:
    HostUnreadable: not of the form of proc_pid_stat(5).
    """
    try:
        opening, closing = text.index("("), text.rindex(")")
        fields = text[closing + 2 :].split()
        return Stat(
            pid=int(text[:opening]),
            name=text[opening + 1 : closing],
            state=_state(fields[0]),
            parent_pid=int(fields[1]),
            threads=int(fields[17]),
            start_ticks=int(fields[19]),
            resident_bytes=int(fields[21]) * _PAGE_BYTES,
        )
    except (ValueError, IndexError) as error:
        raise HostUnreadable("/proc/PID/stat", f"unlike a process: {text!r}", Reason.MALFORMED) from error


def _state(letter: str) -> ProcessState:
    # x, K and W are older kernels' letters for states on the way out.
    return ProcessState(letter) if letter in _STATES else ProcessState.DEAD


def parse_status(text: str) -> tuple[int, int]:
    """The effective user and the tracer's pid (0: none) of /proc/PID/status.

    Raises:
        HostUnreadable: one of them isn't there.
    """
    uid = tracer = None
    try:
        for line in text.splitlines():
            if line.startswith("Uid:"):
                uid = int(line.split()[2])
            elif line.startswith("TracerPid:"):
                tracer = int(line.split()[1])
    except (ValueError, IndexError):
        uid = None
    if uid is None or tracer is None:
        raise HostUnreadable("/proc/PID/status", "no Uid or TracerPid", Reason.MALFORMED)
    return uid, tracer


def parse_files_max(limits: str) -> int | None:
    """The soft limit of open files in /proc/PID/limits; None is unlimited.

    Raises:
        HostUnreadable: there's no such line.
    """
    for line in limits.splitlines():
        if line.startswith("Max open files"):
            soft = line.split()[3]
            return int(soft) if soft.isdecimal() else None
    raise HostUnreadable("/proc/PID/limits", "no line for open files", Reason.MALFORMED)


def parse_command(arguments: bytes) -> tuple[str, ...]:
    """/proc/PID/cmdline; a process that writes its title there leaves one argument, and padding."""
    text = arguments.rstrip(b"\0 ").decode(errors="replace")
    return tuple(text.split("\0")) if text else ()


def parse_executable(link: str) -> tuple[str, bool]:
    """The path of /proc/PID/exe, and whether the file has been replaced or removed since."""
    return link.removesuffix(_DELETED), link.endswith(_DELETED)


@dataclass(frozen=True, slots=True)
class _Known:
    """A process as it was read last; ``read_at_s`` is when it was whole."""

    read_at_s: float
    process: Process
    place_text: str | None
    ran: bytes | None = None
    """What it had run before that."""


class Processes:
    """Reads processes of one /proc. What seldom changes is read again once a minute."""

    def __init__(
        self,
        proc: str = "/proc",
        users: Users | None = None,
        cgroups: Cgroups | None = None,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proc = proc
        self._users = users or Users()
        self._cgroups = cgroups or Cgroups(proc)
        self._monotonic_s = monotonic_s
        self._known: dict[int, _Known] = {}
        self._counted: dict[int, tuple[float, bytes | None]] = {}
        self._frozen_now: dict[str, tuple[float, bool | None]] = {}

    def pids(self) -> tuple[int, ...]:
        """All processes of this pid namespace that we may see.

        Raises:
            HostUnreadable: /proc can't be listed.
        """
        try:
            return tuple(int(name) for name in os.listdir(self._proc) if name.isdecimal())  # noqa: PTH208 - 10x faster
        except OSError as error:
            raise HostUnreadable.of(self._proc, error) from error

    def stat(self, pid: int) -> Stat:
        """The cheap part, one read.

        Raises:
            HostUnreadable: the process is gone (reason ``absent``), or hidden.
        """
        return parse_stat(read_text(f"{self._proc}/{pid}/stat"))

    def begin(self) -> None:
        """A new look at all starts: what was read for the one before is forgotten."""
        self._counted.clear()
        self._frozen_now.clear()

    def ran(self, pid: int) -> bytes | None:
        """What the scheduler has counted of each of its threads: how long and how often it was let run.

        The same twice, a tick of the kernel apart, and in between the process did nothing, not even begin a
        thread. None where this can't be told: it's gone, has many threads, is our own, or the kernel doesn't
        count (proc_pid_schedstat(5)).
        """
        counted = self._count(pid)
        self._counted[pid] = time.monotonic(), counted
        return counted

    def _count(self, pid: int) -> bytes | None:
        if pid == os.getpid():
            return None  # it runs, and what a run takes is counted when it ends
        folder = f"{self._proc}/{pid}"
        try:
            # A directory has a link for itself, one for its name, and one for each directory in it.
            threads = os.stat(f"{folder}/task").st_nlink - 2  # noqa: PTH116 - a path is text throughout this floor
            if threads == 1:
                counted = read_bytes(f"{folder}/schedstat")
            elif threads <= _THREADS_MAX:
                each = sorted(os.listdir(f"{folder}/task"))  # noqa: PTH208 - 10x faster
                counted = b"".join(
                    b"%s %s" % (thread.encode(), read_bytes(f"{folder}/task/{thread}/schedstat"))
                    for thread in each
                )
            else:
                return None
        except (OSError, HostUnreadable):
            return None
        return None if counted.startswith(b"0 0 ") else counted

    def read(self, pid: int) -> Process:
        """Everything about one process.

        Raises:
            HostUnreadable: the process is gone (reason ``absent``), or hidden.
        """
        folder = f"{self._proc}/{pid}"
        now_s = self._monotonic_s()
        known = self._known.pop(pid, None)
        ran = self._just_ran(pid)
        executable = self._executable(folder)
        rests = (
            known is not None
            and ran is not None
            and ran == known.ran
            and (known.process.executable, known.process.executable_deleted) == (executable or (None, None))
        )
        whole_again_s = RESTING_AGAIN_AFTER_S if rests else WHOLE_AGAIN_AFTER_S
        is_old = known is not None and now_s - known.read_at_s > whole_again_s
        if known is None or not rests or is_old:
            stat = self.stat(pid)
            if known is None or is_old or not _is_same(known.process, stat, executable):
                known = self._whole(folder, stat, executable, known)
            known = replace(known, process=_as_of(known.process, stat, folder), ran=ran)
        frozen = self._frozen(known.place_text) if known.place_text else None
        if known.process.frozen != frozen:
            known = replace(known, process=replace(known.process, frozen=frozen))
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[pid] = known
        return known.process

    def _just_ran(self, pid: int) -> bytes | None:
        """As ``ran`` in the same look at all, or now."""
        counted_at_s, counted = self._counted.pop(pid, (-math.inf, None))
        return counted if time.monotonic() - counted_at_s < _TOGETHER_S else self._count(pid)

    def _frozen(self, place_text: str) -> bool | None:
        """Many processes share a cgroup: it's asked once for all that are read together."""
        now_s = time.monotonic()
        asked_at_s, frozen = self._frozen_now.get(place_text, (-math.inf, None))
        if now_s - asked_at_s > _TOGETHER_S:
            frozen = self._cgroups.frozen(place_text)
            self._frozen_now[place_text] = now_s, frozen
        return frozen

    def _whole(
        self, folder: str, stat: Stat, executable: tuple[str, bool] | None, known: _Known | None
    ) -> _Known:
        uid, tracer_pid = parse_status(read_text(f"{folder}/status"))
        place_text = _or_none(f"{folder}/cgroup")
        # Reading the arguments takes the lock of its memory, which a stuck process may hold for ever.
        stuck = stat.state is ProcessState.UNINTERRUPTIBLE
        same = known.process if known and _is_same(known.process, stat, executable) else None
        process = Process(
            pid=stat.pid,
            start_ticks=stat.start_ticks,
            started_at=_started_at(stat, same),
            name=stat.name,
            state=stat.state,
            parent_pid=stat.parent_pid,
            threads=stat.threads,
            uid=uid,
            user=self._users.name(uid),
            executable=executable[0] if executable else None,
            executable_deleted=executable[1] if executable else None,
            command=(same.command if same else None) if stuck else self._command(folder),
            place=parse_place(place_text) if place_text else None,
            files_open=None,
            files_max=self._files_max(folder),
            resident_bytes=stat.resident_bytes,
            tracer_pid=tracer_pid,
        )
        return _Known(self._monotonic_s(), process, place_text)

    def named(self, names: Collection[str]) -> tuple[int, ...]:
        """Pids by the name of the process, which the kernel cuts at 15 letters, or of the file of its program
        or of the script that this runs.

        Raises:
            HostUnreadable: /proc can't be listed.
        """
        cut = {name[:_NAME_CHARS_MAX] for name in names}
        found = []
        for pid in self.pids():
            try:
                stat = self.stat(pid)
                if stat.name in cut or self._file_name(pid) in names or self._script(stat) in names:
                    found.append(pid)
            except HostUnreadable:
                continue  # it has ended meanwhile, or is hidden from us
        return tuple(found)

    def _file_name(self, pid: int) -> str | None:
        executable = self._executable(f"{self._proc}/{pid}")
        return executable[0].rpartition("/")[2] if executable else None

    def _script(self, stat: Stat) -> str | None:
        if stat.state is ProcessState.UNINTERRUPTIBLE:
            return None  # reading its arguments could hang with it
        return script_of(self._command(f"{self._proc}/{stat.pid}") or ())

    def _executable(self, folder: str) -> tuple[str, bool] | None:
        try:
            return parse_executable(os.readlink(f"{folder}/exe"))  # noqa: PTH115 - a path is text throughout this floor
        except OSError:
            return None  # of another user, or a kernel thread

    def _command(self, folder: str) -> tuple[str, ...] | None:
        try:
            return parse_command(read_bytes(f"{folder}/cmdline")[:_COMMAND_BYTES_MAX])
        except HostUnreadable:
            return None

    def _files_max(self, folder: str) -> int | None:
        text = _or_none(f"{folder}/limits")
        return parse_files_max(text) if text else None


def _as_of(process: Process, stat: Stat, folder: str) -> Process:
    """The process with what changes as it runs; the same object where that hasn't changed."""
    now = replace(
        process,
        state=stat.state,
        parent_pid=stat.parent_pid,
        threads=stat.threads,
        resident_bytes=stat.resident_bytes,
        files_open=_files_open(folder),
        waits_in=_waits_in(folder) if stat.state is ProcessState.UNINTERRUPTIBLE else None,
    )
    return process if now == process else now


def _is_same(process: Process, stat: Stat, executable: tuple[str, bool] | None) -> bool:
    """The same process, still running the same program as far as its name and file tell."""
    return (process.start_ticks, process.name) == (stat.start_ticks, stat.name) and (
        process.executable,
        process.executable_deleted,
    ) == (executable or (None, None))


def _started_at(stat: Stat, same: Process | None) -> datetime:
    """As it was said before, unless the wall clock was set: two clocks are never read at the same moment."""
    started_at = moment(boot_epoch_s() + stat.start_ticks / TICKS_A_SECOND)
    if same is not None and abs(started_at - same.started_at) < _CLOCK_SET:
        return same.started_at
    return started_at


def _waits_in(folder: str) -> str | None:
    text = (_or_none(f"{folder}/wchan") or "").strip()
    return None if text in ("", "0") else text


def _files_open(folder: str) -> int | None:
    try:
        # Since Linux 6.2 the directory's size is the number of descriptors, for anyone who asks.
        counted = os.stat(f"{folder}/fd").st_size  # noqa: PTH116 - a path is text throughout this floor
        return counted or len(os.listdir(f"{folder}/fd"))  # noqa: PTH208 - 10x faster
    except OSError:
        return None


def _or_none(path: str) -> str | None:
    try:
        return read_text(path)
    except HostUnreadable:
        return None
