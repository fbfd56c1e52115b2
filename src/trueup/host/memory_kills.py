"""Whom the kernel killed for memory: its own log, /dev/kmsg (Documentation/ABI/testing/dev-kmsg)."""

import errno
import os
import re
import time
from collections.abc import Iterable
from typing import Final

from trueup.host.boot import moment
from trueup.host.traces import MemoryKill
from trueup.host.unreadable import HostUnreadable

_RECORD_BYTES_MAX: Final = 8192
_RECORDS_MAX: Final = 50_000
_SAID_MAX: Final = 1000
_OF_A_KILL: Final = re.compile(r"oom-kill:constraint=|Killed process ")
_RECORD: Final = re.compile(r"\d+,\d+,(?P<us>\d+),[^;]*;(?P<text>[^\n]*)")
# mm/oom_kill.c, dump_oom_summary: since Linux 5.0 this line comes before the kill and names the cgroups.
_SUMMARY: Final = re.compile(
    r"oom-kill:constraint=.*?,(?:oom_memcg=(?P<limit>[^,]*)|global_oom),"
    r"task_memcg=(?P<cgroup>[^,]*),task=(?P<name>.*),pid=(?P<pid>\d+),uid=(?P<uid>\d+)"
)
_KILLED: Final = re.compile(
    r"Killed process (?P<pid>\d+) \((?P<name>.*?)\),? (?:UID (?P<old_uid>\d+), )?total-vm:\d+kB, "
    r"anon-rss:(?P<anon>\d+)kB, file-rss:(?P<file>\d+)kB(?:, shmem-rss:(?P<shmem>\d+)kB)?"
    r"(?:, UID:(?P<uid>\d+))?"
)


class KernelLog:
    """The kills in the kernel's log. Each of its thousands of records is read once, however much fails."""

    def __init__(self, path: str = "/dev/kmsg") -> None:
        self._path = path
        self._log: int | None = None
        self._said: list[str] = []

    def kills(self) -> list[MemoryKill]:
        """All that the kernel still has, or had when we first asked, oldest first.

        It needs CAP_SYSLOG where dmesg is restricted.

        Raises:
            HostUnreadable: we may not read it, or there's none.
        """
        try:
            if self._log is None:
                self._log = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            for _ in range(_RECORDS_MAX):
                if not (record := _next_record(self._log)):
                    break
                if _OF_A_KILL.search(record):
                    self._said.append(record)
        except OSError as error:
            self.close()
            raise HostUnreadable.of(self._path, error) from error
        del self._said[:-_SAID_MAX]
        return parse_kernel_log(self._said, monotonic_epoch_s())

    def close(self) -> None:
        """Read it from its beginning the next time."""
        if self._log is not None:
            os.close(self._log)
        self._log, self._said = None, []


def _next_record(log: int) -> str:
    """One record; empty at the end."""
    while True:
        try:
            return os.read(log, _RECORD_BYTES_MAX).decode(errors="replace")
        except BlockingIOError:
            return ""
        except OSError as error:
            if error.errno != errno.EPIPE:  # EPIPE: overwritten before it could be read
                raise


def parse_kernel_log(records: Iterable[str], monotonic_epoch_s: float) -> list[MemoryKill]:
    """The kills of a kernel log; ``monotonic_epoch_s`` is the wall clock at 0 of the log's own clock."""
    return kills_of(
        (monotonic_epoch_s + int(found["us"]) / 1e6, found["text"])
        for record in records
        if (found := _RECORD.match(record))
    )


def kills_of(lines: Iterable[tuple[float, str]]) -> list[MemoryKill]:
    """The kills of lines of the kernel, each with its time in seconds of the epoch."""
    kills = []
    summary = None
    for epoch_s, text in lines:
        if found := _SUMMARY.search(text):
            summary = found
        elif found := _KILLED.search(text):
            named = summary if summary is not None and summary["pid"] == found["pid"] else None
            kills.append(_kill(found, named, epoch_s))
    return kills


def _kill(found: re.Match[str], summary: re.Match[str] | None, epoch_s: float) -> MemoryKill:
    uid = found["uid"] or found["old_uid"]
    resident_kb = int(found["anon"]) + int(found["file"]) + int(found["shmem"] or 0)
    return MemoryKill(
        pid=int(found["pid"]),
        process=found["name"],
        at=moment(epoch_s),
        uid=int(uid) if uid else None,
        cgroup=summary["cgroup"] if summary else None,
        limit_cgroup=summary["limit"] if summary else None,
        resident_bytes=resident_kb * 1024,
    )


def monotonic_epoch_s() -> float:
    """The wall clock's reading at 0 of the monotonic clock, on which the kernel stamps its log."""
    return time.time() - time.monotonic()
