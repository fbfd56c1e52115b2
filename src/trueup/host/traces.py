"""What a machine remembers of what happened on it: logs, changes, deaths."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime | None
    text: str
    priority: int | None = None
    """syslog's, 0 emergency to 7 debug."""
    source: str | None = None
    """Who wrote it: a syslog identifier, stdout or stderr."""


@dataclass(frozen=True, slots=True)
class LogExcerpt:
    """The last lines of ``of``: a unit's journal or a container's log."""

    of: str
    lines: tuple[LogLine, ...]


class ChangeKind(StrEnum):
    PACKAGE = "package"
    UNIT_FILE = "unit-file"
    CONFIGURATION = "configuration"
    EXECUTABLE = "executable"


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed on this machine: a hint by its time, never a proof."""

    kind: ChangeKind
    subject: str
    """A package's name or a file's path."""
    at: datetime
    detail: str = ""
    """upgrade 7.0.11 -> 7.0.15; the command line."""


@dataclass(frozen=True, slots=True)
class MemoryKill:
    """The kernel killed a process for want of memory."""

    pid: int
    process: str
    at: datetime
    uid: int | None = None
    cgroup: str | None = None
    """Of the process killed."""
    limit_cgroup: str | None = None
    """The cgroup that was at its limit; None: the whole machine was."""
    resident_bytes: int | None = None
