"""Rules for a unit that failed: killed, dying again and again, given up, or not starting at all."""

from datetime import timedelta
from typing import Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding, host_finding
from trueup.diagnosis.holder import NOBODY_THERE, Holder
from trueup.diagnosis.host_words import (
    ago,
    exit_facts,
    exit_words,
    it_said,
    last_exit,
    look_into,
    restarted_at,
)
from trueup.diagnosis.keeper import listens_for
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.host.facts import Unit
from trueup.host.traces import MemoryKill

LOOP_RESTARTS_MIN: Final = 2
SHORT_RUN: Final = timedelta(minutes=1)
FALSE_START: Final = timedelta(seconds=0.5)
"""A run that lasts less never came up: that's a start that fails, not one who keeps dying."""
LATELY: Final = timedelta(minutes=10)
SAME_MOMENT: Final = timedelta(seconds=2)
_RECENT: Final = timedelta(hours=1)


def out_of_memory(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The kernel killed the process for memory."""
    unit = holder.unit
    if unit is not None and (unit.active_state == "active" or holder.is_changing) and not is_looping(holder):
        return None
    killed = _memory_kill(evidence, holder)
    if unit is not None and (unit.result == "oom-kill" or killed is not None):
        again = f" again and again: {unit.restarts} restarts" if is_looping(holder) else ""
        words = f"{unit.name} was killed by the kernel for want of memory{again}"
        steps = (
            "journalctl -k --no-pager -g 'out of memory|oom' -n 10",
            f"systemctl show {unit.name} -p MemoryMax -p MemoryPeak",
            f"systemctl start {unit.name}",
        )
        facts = exit_facts(unit) | ({"pid": killed.pid, "process": killed.process} if killed else {})
        return host_finding(evidence, Cause.OUT_OF_MEMORY, words, steps, facts)
    if killed is None or holder.process is not None:
        return None
    when = ago(killed.at, holder.report.taken_at)
    words = f"{killed.process} (pid {killed.pid}) was killed by the kernel for want of memory {when}"
    look = ("dmesg -T | grep -i 'out of memory' | tail -5; free -m",)
    facts = {"pid": killed.pid, "process": killed.process}
    return host_finding(evidence, Cause.OUT_OF_MEMORY, words, look, facts)


def _memory_kill(evidence: Evidence, holder: Holder) -> MemoryKill | None:
    """The kill that ended the unit or the configured process, the newest first."""
    process = evidence.target.process
    for kill in reversed(holder.report.memory_kills):
        if holder.report.taken_at - kill.at > _RECENT:
            continue
        if holder.unit is not None and _ended(kill, holder.unit):
            return kill
        if holder.unit is None and process is not None and kill.process == process[:15]:
            return kill
    return None


def _ended(kill: MemoryKill, unit: Unit) -> bool:
    """In its cgroup, and at the end of its last run where that's known."""
    inside = any(f"/{unit.name}/" in f"{path}/" for path in (kill.cgroup, kill.limit_cgroup) if path)
    return inside and (unit.exited_at is None or abs(unit.exited_at - kill.at) < SAME_MOMENT)


def crash_loop(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """It keeps dying and being restarted."""
    unit = holder.unit
    if unit is None or failed.cause not in NOBODY_THERE or not is_looping(holder):
        return None
    given_up = "; systemd has given up" if unit.active_state == "failed" else ""
    ended = last_exit(holder.report, unit)
    words = f"{unit.name} keeps dying: {unit.restarts} restarts{', last ' if ended else ''}{ended}{given_up}"
    again = f"systemctl reset-failed {unit.name}; systemctl start {unit.name}"
    steps = (*look_into(unit), again if given_up else f"systemctl status {unit.name}")
    said = it_said(holder.report, unit.name, in_any_run=True)
    return host_finding(evidence, Cause.CRASH_LOOP, words + said, steps, exit_facts(unit))


def is_looping(holder: Holder) -> bool:
    """Restarted by systemd again and again lately, and dead, between two runs, or up for a moment.

    Given up, it was a loop if the last run came up; a start that fails each time is a crash.
    """
    unit, report = holder.unit, holder.report
    if unit is None or unit.started_at is None or (unit.restarts or 0) < LOOP_RESTARTS_MIN:
        return False
    lasted = (unit.exited_at or report.taken_at) - unit.started_at
    if unit.active_state == "failed":
        came_up = unit.active_since is not None and unit.active_since >= unit.started_at
        return came_up and FALSE_START <= lasted < SHORT_RUN
    counter = report.counter(unit.name, "restarts")
    times = [at for at in restarted_at(report, unit.name) if report.taken_at - at < LATELY]
    often = len(times) >= LOOP_RESTARTS_MIN or (counter is not None and counter.rise >= LOOP_RESTARTS_MIN)
    return lasted < SHORT_RUN and (often or (unit.restarts or 0) > LOOP_RESTARTS_MIN)


def socket_given_up(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The init system has closed the port, because the service behind it would not start."""
    unit = holder.unit
    for name in unit.triggered_by if unit is not None else ():
        sock = holder.report.unit(name)
        mine = sock is not None and (holder.named or listens_for(sock, holder.asked.port))
        if unit is None or sock is None or sock.active_state != "failed" or not mine:
            continue
        words = f"{name} has given up ({sock.result}): {unit.name} would not start, {exit_words(unit)}"
        again = f"systemctl reset-failed {unit.name} {name}; systemctl start {name}"
        facts = exit_facts(unit) | {"socket": name}
        words += it_said(holder.report, unit.name, in_any_run=True)
        return host_finding(evidence, Cause.ACTIVATION_FAILED, words, (*look_into(unit), again), facts)
    return None


def crashed(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The unit failed; the facts have its exit status or signal."""
    unit = holder.unit
    if unit is None or unit.active_state != "failed":
        return None
    when = ago(unit.inactive_since or unit.exited_at or unit.changed_at, holder.report.taken_at)
    tried = f" {(unit.restarts or 0) + 1} times" if unit.restarts else ""
    words = f"{unit.name} failed{tried} {when}".rstrip() + f": {exit_words(unit)}"
    own = (unit.exit_status or 0) >= 200 and unit.exit_meaning is not None
    again = f"systemctl reset-failed {unit.name}; " if unit.restarts else ""
    steps = (
        *look_into(unit),
        *([f"systemctl cat {unit.name}"] if own else []),
        f"{again}systemctl start {unit.name}",
    )
    said = it_said(holder.report, unit.name, in_any_run=bool(unit.restarts))
    return host_finding(evidence, Cause.CRASHED, words + said, steps, exit_facts(unit))


FAILED_RULES: Final = (out_of_memory, crash_loop, socket_given_up, crashed)
"""In this order: what explains more comes first."""

CHANGING_RULES: Final = (out_of_memory, crash_loop)
"""While it starts, stops or restarts, only that it does so again and again can be said."""
