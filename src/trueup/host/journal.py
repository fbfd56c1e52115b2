"""The last lines of a unit's journal, asked for only after a failure: journalctl(1), its JSON."""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from trueup.host.boot import moment
from trueup.host.commands import output_of
from trueup.host.memory_kills import kills_of
from trueup.host.traces import LogExcerpt, LogLine, MemoryKill
from trueup.host.unreadable import HostUnreadable, Reason

_FIELDS: Final = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_COMM"
_LINE_CHARS_MAX: Final = 2000
_BYTES_MAX: Final = 2 * 1024 * 1024
_KERNEL_LINES: Final = 2000
_FOLDERS: Final = ("run/log/journal", "var/log/journal")
_HIDDEN: Final = ("not seeing messages", "insufficient permissions")


def parse_journal(text: str) -> tuple[LogLine, ...]:
    """Lines of ``journalctl -o json``.

    Raises:
        HostUnreadable: a line isn't an entry.
    """
    lines = []
    for line in text.splitlines():
        try:
            lines.append(_line(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise HostUnreadable("journal", f"unlike an entry: {line[:80]!r}", Reason.MALFORMED) from error
    return tuple(lines)


def _line(entry: Any) -> LogLine:
    priority = entry.get("PRIORITY")
    return LogLine(
        at=moment(int(entry["__REALTIME_TIMESTAMP"]) / 1e6),
        text=_text(entry.get("MESSAGE"))[:_LINE_CHARS_MAX],
        priority=int(priority) if priority is not None else None,
        source=_text(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM")) or None,
    )


def _text(said: Any) -> str:
    """Text; numbers where it isn't UTF-8 or isn't printable; null where it's too long; a list of both."""
    if said is None:
        return ""
    if isinstance(said, str):
        return said
    if all(isinstance(part, int) for part in said):
        return bytes(said).decode(errors="replace")
    return " ".join(_text(part) for part in said)


class Journal:
    """``root`` is where this system's file tree begins; ``prefix`` is put before the command."""

    def __init__(self, root: str = "/", prefix: Sequence[str] = ()) -> None:
        self._folders = [os.path.join(root, folder) for folder in _FOLDERS]  # noqa: PTH118 - text throughout
        self._prefix = tuple(prefix)

    async def of_unit(self, unit: str, count: int = 20, since: datetime | None = None) -> LogExcerpt:
        """The last lines of and about a unit.

        Raises:
            HostUnreadable: there is no journal, or we may not see this part of it (reason ``permission``).
        """
        words = [f"--unit={unit}", f"--lines={count}"]
        if since is not None:
            words.append(f"--since=@{since.timestamp():.6f}")
        return LogExcerpt(unit, parse_journal(await self._ask(*words)))

    async def memory_kills(self) -> list[MemoryKill]:
        """Whom the kernel killed for memory since the boot, where its own log is closed to us.

        Raises:
            HostUnreadable: as ``of_unit``.
        """
        lines = parse_journal(await self._ask("--dmesg", f"--lines={_KERNEL_LINES}"))
        return kills_of((line.at.timestamp(), line.text) for line in lines if line.at is not None)

    async def _ask(self, *words: str) -> str:
        output = await output_of(
            [
                *self._prefix,
                "journalctl",
                "--no-pager",
                "--output=json",
                f"--output-fields={_FIELDS}",
                *words,
            ],
            size_bytes_max=_BYTES_MAX,
        )
        if not output.written:
            self._must_be_there(output.complaint)
        return output.written.decode(errors="replace")

    def _must_be_there(self, complaint: str) -> None:
        """No line is no statement where there's no journal, or where we see our own part of it only."""
        if any(word in complaint for word in _HIDDEN):
            raise HostUnreadable("journal", "we may see our own messages only", Reason.PERMISSION)
        if not any(os.path.isdir(folder) for folder in self._folders):  # noqa: PTH112 - text throughout
            raise HostUnreadable("journal", "there is none on this machine", Reason.ABSENT)
