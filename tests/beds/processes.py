"""Processes by id and start time, so that a number used anew is never taken for the one it was."""

import contextlib
import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    started_ticks: int
    state: str
    command: str

    @property
    def alive(self) -> bool:
        now = read(self.pid)
        return now is not None and now.started_ticks == self.started_ticks and now.state not in "ZX"

    def send(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def read(pid: int) -> Process | None:
    """None when there is no such process. Fields of /proc/PID/stat: proc(5)."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    name, _, rest = line.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Process(pid, int(fields[1]), int(fields[19]), fields[0], name)


def descendants(pid: int) -> list[Process]:
    """What a process started and what these did, parents first."""
    everybody = [
        process
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (process := read(int(entry.name)))
    ]
    found = [process for process in everybody if process.parent == pid]
    for process in found:  # grows while it is walked
        found += [child for child in everybody if child.parent == process.pid]
    return found


def end(members: list[Process], timeout_s: float = 5) -> None:
    """Kill those that are still alive and wait until they are gone, else AssertionError.

    What was orphaned by now and became our child is reaped.
    """
    for process in members:
        process.send(signal.SIGKILL)
    deadline_s = time.monotonic() + timeout_s
    while left := [process for process in members if process.alive]:
        assert time.monotonic() < deadline_s, f"these don't die: {left}"
        time.sleep(0.005)
    for process in members:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def adopt_orphans() -> None:
    """From now on what our descendants leave behind becomes our child and can be seen: prctl(2)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def left_behind() -> list[Process]:
    """Our descendants that still run."""
    return [process for process in descendants(os.getpid()) if process.alive]
