"""The end of a process, by a pidfd: pidfd_open(2). It turns readable when the process ends, reaped or not."""

import asyncio
import os
from collections.abc import Callable, Iterable
from typing import Final

from trueup.host.facts import Process
from trueup.host.processes import Processes
from trueup.host.unreadable import HostUnreadable, Reason

WATCHED_MAX: Final = 512


class ProcessExits:
    """Calls ``exited`` with each watched process as it ends. Any user may watch any process."""

    def __init__(self, processes: Processes, exited: Callable[[Process], None]) -> None:
        self._processes = processes
        self._exited = exited
        self._watched: dict[tuple[int, int], tuple[int, Process]] = {}

    def watch(self, processes: Iterable[Process]) -> None:
        """From now on these and no others, as far as there's room.

        Raises:
            HostUnreadable: the kernel has no pidfds (before Linux 5.3), or we have no descriptors left.
        """
        wanted = {(one.pid, one.start_ticks): one for one in processes}
        for key in self._watched.keys() - wanted.keys():
            self._forget(key)
        for key, process in wanted.items():
            if key not in self._watched and len(self._watched) < WATCHED_MAX:
                self._begin(key, process)

    def close(self) -> None:
        for key in list(self._watched):
            self._forget(key)

    def _begin(self, key: tuple[int, int], process: Process) -> None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            self._exited(process)
            return
        except (OSError, AttributeError) as error:
            raise HostUnreadable("process events", str(error), Reason.UNSUPPORTED) from error
        self._watched[key] = descriptor, process
        asyncio.get_running_loop().add_reader(descriptor, self._readable, key)
        if not self._is_still(process):  # the number is another process's by now
            self._readable(key)

    def _is_still(self, process: Process) -> bool:
        try:
            return self._processes.stat(process.pid).start_ticks == process.start_ticks
        except HostUnreadable:
            return False

    def _readable(self, key: tuple[int, int]) -> None:
        process = self._watched[key][1]
        self._forget(key)
        self._exited(process)

    def _forget(self, key: tuple[int, int]) -> None:
        descriptor, _ = self._watched.pop(key)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
