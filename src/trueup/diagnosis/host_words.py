"""Small phrases about processes, units, containers, times and logs."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Final

from trueup.host.facts import Container, Process, Unit
from trueup.host.report import HostReport, Listener
from trueup.host.traces import LogLine

SAID_CHARS_MAX: Final = 240
_RESULTS: Final = {
    "timeout": "it wasn't ready, or didn't end, in time",
    "watchdog": "its watchdog met silence",
    "protocol": "it didn't come up as its type of unit must",
    "resources": "systemd couldn't give it what it needs",
    "start-limit-hit": "it was started too often",
    "exit-code": "a command of its start failed",
}
_TESTS: Final = {
    "nginx": "nginx -t",
    "apache2": "apachectl configtest",
    "haproxy": "haproxy -c -f /etc/haproxy/haproxy.cfg",
    "ssh": "sshd -t",
    "sshd": "sshd -t",
    "named": "named-checkconf",
    "unbound": "unbound-checkconf",
    "postfix": "postfix check",
    "slapd": "slaptest -u",
}
_TROUBLE: Final = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"no such|not found|no module|unrecogni[sz]ed|unknown|invalid|syntax|denied|in use|no space|\bbad ",
        r"\b(emerg|alert|crit|fatal|panic)",
        r"error|exception|fail|cannot|can't|could not|unable|abort",
    )
)
"""What says why, what says that it's the end, what says that something is wrong: in this order."""
_HARMLESS: Final = re.compile(r"\b(INFO|DEBUG|NOTE|NOTICE)\b|[\[<=](?i:info|debug|note|notice)\b")
_WARNING: Final = re.compile(r"\bwarn", re.IGNORECASE)
_TRACEBACK: Final = "Traceback (most recent call last)"
_CONNECTION: Final = re.compile(r"\d+-(.+:\d+-.+:\d+|\d+-\d+)\.service")
"""The instances of a .socket unit with Accept=yes: a number, and the addresses: systemd.socket(5)."""
_EXITED: Final = re.compile(r"Main process exited, code=(exited|killed|dumped), status=(\d+)/(\w+)")
_STARTS: Final = ("Starting ", "Started ", "Listening on ")
_ENDS: Final = ("Stopped ", "Stopping ", "Closed ")


def process_words(process: Process) -> str:
    """As ``redis-server (pid 812)``."""
    return f"{process.name} (pid {process.pid})"


def listener_words(listener: Listener) -> str:
    """Who holds a listener, as far as it's known."""
    if listener.container is not None:
        return f"Container {listener.container}"
    if listener.process is not None:
        return f"{listener.process} (pid {listener.owner.pid})"
    return f"A process of {listener.user} (owner unknown: {listener.owner.unknown or 'permission'})"


def ago(then: datetime | None, now: datetime) -> str:
    """As ``14 minutes ago``; empty where it isn't known."""
    if then is None:
        return ""
    seconds = max(0, round((now - then).total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def exit_words(unit: Unit) -> str:
    """How its main process last ended."""
    if unit.exit_signal:
        dumped = " with a core dump" if unit.result == "core-dump" else ""
        return f"killed by {unit.exit_signal}{dumped}"
    if unit.exit_status:
        meaning = f" ({unit.exit_meaning})" if unit.exit_meaning else ""
        return f"exit status {unit.exit_status}{meaning}"
    return _RESULTS.get(unit.result, unit.result or "systemd doesn't say how")


def exit_facts(unit: Unit) -> dict[str, object]:
    """Exit status, signal and systemd's result, as facts."""
    facts = {
        "unit": unit.name,
        "exit_status": unit.exit_status,
        "signal": unit.exit_signal,
        "result": unit.result,
        "restarts": unit.restarts,
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def process_facts(process: Process) -> dict[str, object]:
    """Which process it is, and its state's letter, as facts."""
    return {"pid": process.pid, "process": process.name, "process_state": process.state.value}


def container_facts(container: Container) -> dict[str, object]:
    """State, exit code and restarts of a container, as facts."""
    return {
        "container": container.name,
        "container_state": container.state,
        "exit_status": container.exit_code,
        "restarts": container.restarts,
        "health": container.health,
    }


def look_into(unit: Unit) -> tuple[str, ...]:
    """How to see why a unit fails: its journal, and the test of its configuration where it has one."""
    stem = unit.name.partition(".")[0].partition("@")[0]
    name = unit.name if template_of(unit) == unit.name else f"'{stem}@*'"
    return (f"journalctl -u {name} -n 30 --no-pager", *([_TESTS[stem]] if stem in _TESTS else []))


def template_of(unit: Unit) -> str:
    """For a service of one connection, which nobody will meet again, its template; else its name."""
    stem, _, instance = unit.name.partition("@")
    return f"{stem}@.service" if _CONNECTION.fullmatch(instance) else unit.name


def stopped_at(report: HostReport, unit: Unit) -> datetime | None:
    """When it last stopped; systemd forgets that of a unit that nothing refers to, its journal doesn't."""
    if unit.inactive_since is not None:
        return unit.inactive_since
    moments = [line.at for line in _lines(report, unit.name) if _is_systemds(line, _ENDS)]
    return moments[-1] if moments else None


def ran_since(report: HostReport, unit: str, then: datetime) -> bool | None:
    """Whether the journal shows that a unit was started or spoke since then; None where it wasn't read."""
    if report.log(unit) is None:
        return None
    return any(
        line.at is not None
        and line.at > then
        and (line.source != "systemd" or _is_systemds(line, (*_STARTS, *_ENDS)))
        for line in _lines(report, unit)
    )


def restarted_at(report: HostReport, unit: str) -> list[datetime]:
    """When systemd restarted it by itself, as far back as the lines of its journal go."""
    lines = _lines(report, unit)
    return [line.at for line in lines if line.at is not None and "restart counter is at" in line.text]


def last_exit(report: HostReport, unit: Unit) -> str:
    """How its main process last ended, by systemd's journal once it runs again; empty where it isn't told."""
    if unit.exit_status is not None or unit.exit_signal is not None:
        return exit_words(unit)
    found = [_EXITED.search(line.text) for line in _lines(report, unit.name) if line.source == "systemd"]
    told = [match for match in found if match is not None]
    if not told:
        return ""
    code, status, name = told[-1].groups()
    return f"exit status {status}" if code == "exited" else f"killed by SIG{name}"


def it_said(report: HostReport, of: str, *, in_any_run: bool = False) -> str:
    """Of the log of its last run: all where that's little, else the line that says most of the trouble.

    ``in_any_run``: where the last run hasn't spoken, of the one before that has.
    """
    runs = _runs(_lines(report, of))
    spoken = [said for run in runs if (said := _own(run)) or not in_any_run]
    said = spoken[-1] if spoken else []
    if not said:
        return ""
    whole = " | ".join(line.strip() for line in said)
    return "; it said: " + (whole if len(whole) <= SAID_CHARS_MAX else _worst(said).strip())[:SAID_CHARS_MAX]


def _lines(report: HostReport, of: str) -> Sequence[LogLine]:
    log = report.log(of)
    return log.lines if log is not None else ()


def _is_systemds(line: LogLine, starts: tuple[str, ...]) -> bool:
    return line.source == "systemd" and line.text.startswith(starts)


def _runs(lines: Sequence[LogLine]) -> list[Sequence[LogLine]]:
    """Its lines, from start to start.

    systemd says that it has started a simple service when the child is made. What the child says then, before
    it becomes the program, may overtake that; it's known by its name in brackets.
    """
    began = []
    for place, line in enumerate(lines):
        if _is_systemds(line, _STARTS):
            overtook = takewhile(_is_childs, reversed(lines[:place]))
            began.append(place - sum(1 for _ in overtook))
    return [lines[begin:end] for begin, end in pairwise([0, *began, len(lines)])]


def _is_childs(line: LogLine) -> bool:
    return line.source is not None and line.source.startswith("(")


def _own(run: Sequence[LogLine]) -> list[str]:
    """What the program itself said."""
    return [line.text.rstrip() for line in run if line.source != "systemd" and line.text.strip()]


def _worst(said: Sequence[str]) -> str:
    """The first line of the worst kind; in a traceback the last one, which says what it is about."""
    grave = sorted(
        (line for line in said if not _HARMLESS.search(line)),
        key=lambda line: _WARNING.search(line) is not None,
    )
    if any(_TRACEBACK in line for line in said):
        grave = [line for line in reversed(grave) if not line.startswith((" ", "\t"))]
    found = (line for kind in _TROUBLE for line in grave if kind.search(line))
    return next(found, said[-1])
