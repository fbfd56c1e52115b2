"""Rules by memory: a port that nobody holds now, and whose last holder is known."""

from datetime import timedelta
from pathlib import PurePath
from typing import Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding, host_finding
from trueup.diagnosis.holder import Holder
from trueup.diagnosis.host_words import process_words
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.host.facts import Process

LATELY: Final = timedelta(hours=1)


def former_killed_for_memory(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The kernel killed the process that held the port for memory."""
    former = evidence.held_before
    if former is None or not former.has_ended:
        return None
    report, pid = holder.report, former.process.pid
    kills = [one for one in report.memory_kills if one.pid == pid and report.taken_at - one.at < LATELY]
    if not kills:
        return None
    words = f"{process_words(former.process)}, which held {holder.asked.words}, was killed for want of memory"
    steps = ("dmesg -T | grep -i 'out of memory' | tail -5; free -m", *_start_again(former.process))
    facts = {"pid": pid, "process": former.process.name}
    return host_finding(evidence, Cause.OUT_OF_MEMORY, words, steps, facts)


def former_ended(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The process that held the port has ended, and nobody has taken its place."""
    former = evidence.held_before
    if former is None or not former.has_ended:
        return None
    process = former.process
    words = f"{process_words(process)}, which held {holder.asked.words}, has ended; nobody holds the port now"
    facts = {"pid": process.pid, "process": process.name, "user": process.user}
    return host_finding(evidence, Cause.NOT_RUNNING, words, _start_again(process), facts)


def former_gave_it_up(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The process that held the port runs on, and doesn't listen there any more."""
    former = evidence.held_before
    if former is None or former.has_ended:
        return None
    process = former.process
    words = f"{process_words(process)} runs, and listens on {holder.asked.words} no more"
    steps = (f"ss -Hltnp | grep pid={process.pid},", f"ls -l /proc/{process.pid}/fd")
    return host_finding(evidence, Cause.NOT_LISTENING, words, steps, {"pid": process.pid})


def _start_again(process: Process) -> tuple[str, ...]:
    """Arguments may hold secrets: the program alone is named. What wrote a title of its own there (``nginx:
    master process …``) leaves no program to read, nor where its arguments begin. Its file has another name
    where it was started by a link (Debian's redis-server is one to redis-check-rdb), and does something else
    by that.
    """
    first = process.command[0] if process.command else ""
    file = process.executable or ""
    by_file = file if PurePath(file).name.startswith(process.name) else process.name
    return (f"Start it again; it was started as {by_file if not first or ' ' in first else first}",)


FORMER_RULES: Final = (former_killed_for_memory, former_ended, former_gave_it_up)
"""In this order: what explains more comes first."""
