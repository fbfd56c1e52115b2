"""Processes of a machine that has its own process namespace, seen from outside."""

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.beds.commands import stop
from tests.beds.deadline import wait_until


@dataclass(frozen=True, slots=True)
class Inside:
    """A process of the machine, started through a parent on this side.

    End it, never the parent: an orphan would be waited for by nobody, and its namespace couldn't end.
    """

    entry: "subprocess.Popen[str]"
    """The parent: ends as the process ends, and holds its pipes."""

    @property
    def pid(self) -> int:
        """Its number here, not the one it sees itself."""
        wait_until(lambda: self._pids() or self.entry.poll() is not None, "the process is inside")
        pids = self._pids()
        assert pids, f"the process has ended with {self.entry.returncode}"
        return pids[0]

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def stop(self, timeout_s: float = 5) -> int:
        """Asked to end, then made to; its exit status. Nothing happens when it has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired, AssertionError, ProcessLookupError):
                if self.entry.poll() is None:
                    self.send(number)
                    self.entry.wait(timeout_s)
        return stop(self.entry)

    def _pids(self) -> list[int]:
        outside = len(_numbers_of(os.getpid()))
        return [child for child in children_of(self.entry.pid) if len(_numbers_of(child)) > outside]


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_first(pid: int) -> bool:
    """Whether it is process 1 of a namespace of its own."""
    numbers = _numbers_of(pid)
    return numbers[-1:] == [1] and len(numbers) > len(_numbers_of(os.getpid()))


def _numbers_of(pid: int) -> list[int]:
    """The ids of a process, one for each level of namespaces: proc(5), NSpid. Empty when it's gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    return [int(number) for number in status.partition("\nNSpid:")[2].partition("\n")[0].split()]
