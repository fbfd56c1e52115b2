"""Rules for a port that somebody holds: why do they not answer, or not as they should?"""

from datetime import timedelta
from typing import Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.failed_rules import crash_loop
from trueup.diagnosis.finding import Finding, host_finding
from trueup.diagnosis.holder import NOBODY_THERE, STOPPED, Holder
from trueup.diagnosis.host_words import (
    ago,
    exit_facts,
    exit_words,
    it_said,
    listener_words,
    look_into,
    process_facts,
    process_words,
    template_of,
)
from trueup.diagnosis.keeper import (
    activated,
)
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer
from trueup.host.facts import FileSystem, Process, ProcessState, Transport, Unit
from trueup.host.report import Listener

NOT_LET_IN: Final = frozenset({Cause.REFUSED, Cause.NO_ANSWER, Cause.UNREACHABLE})
NO_WORD: Final = frozenset({Cause.SILENT, Cause.NO_ANSWER})
FILES_LEFT_MIN: Final = 2
NEVER_SERVED: Final = timedelta(minutes=10)
_PROXIES: Final = frozenset({"haproxy"})
"""Programs that never serve TCP by themselves."""
_MEBIBYTE: Final = 2**20
_NOTHING_BYTES: Final = 2**16


def paused(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The process that holds the port is stopped by a signal, or its cgroup is frozen."""
    if failed.cause not in NO_WORD:
        return None
    masters = _masters(holder)
    for process in masters:
        if process.frozen:
            unit = holder.unit
            group = process.place.cgroup if process.place else ""
            thaw = f"systemctl thaw {unit.name}" if unit else f"echo 0 > /sys/fs/cgroup{group}/cgroup.freeze"
            words = f"{process_words(process)} is frozen" + (f", with all of {unit.name}" if unit else "")
            return host_finding(evidence, Cause.PAUSED, words, (thaw,), process_facts(process))
    stopped = _stopped(holder, masters)
    if not stopped:
        return None
    names = ", ".join(process_words(one) for one in stopped[:4]) + (", ..." if len(stopped) > 4 else "")
    tracers = sorted({one.tracer_pid for one in stopped if one.state is ProcessState.TRACED})
    by = f"a debugger (pid {tracers[0]})" if tracers else "a signal"
    words = f"{names} {'is' if len(stopped) == 1 else 'are'} stopped by {by}"
    pids = " ".join(str(one.pid) for one in stopped)
    step = f"See who holds it: ps -fp {tracers[0]}" if tracers else f"kill -CONT {pids}"
    return host_finding(evidence, Cause.PAUSED, words, (step,), process_facts(stopped[0]))


def _masters(holder: Holder) -> list[Process]:
    """The processes to name of each listener met, and the one that is configured or in the container."""
    pids = {one.owner.pid for one in holder.met}
    found = [one for one in holder.holding() if one.pid in pids]
    return found + ([holder.process] if holder.process and holder.process not in found else [])


def _stopped(holder: Holder, masters: list[Process]) -> list[Process]:
    """The masters that are; else the workers, if all are or connections wait for those that are."""
    stopped = [one for one in masters if one.state in STOPPED]
    if stopped:
        return stopped
    workers = [one for one in holder.holding() if one not in masters and one.pid != 1]
    stopped = [one for one in workers if one.state in STOPPED]
    waits = any(one.socket.queue for one in holder.met)
    return stopped if waits or len(stopped) == len(workers) else []


def activation_failed(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The init system holds the port for a service that doesn't start, or starts and never takes over."""
    listener = next((one for one in holder.met if one.owner.by_init), None)
    if listener is None or failed.cause not in NOBODY_THERE:
        return None
    services = [unit for unit in activated(holder.asked.port, holder.report) if _fails(unit, holder)]
    service = max(services, key=lambda unit: unit.changed_at or holder.report.taken_at, default=None)
    if service is not None:
        words = f"systemd holds {holder.asked.words} for {template_of(service)}, which doesn't start: "
        words += exit_words(service) + it_said(holder.report, service.name, in_any_run=True)
    elif (service := _never_served(failed, holder, listener)) is not None:
        since = ago(service.started_at, holder.report.taken_at)
        words = f"systemd holds {holder.asked.words} for {service.name}, which started {since} "
        words += f"and has taken no connection: {listener.socket.queue} wait"
    else:
        return None
    steps = (*look_into(service), f"systemctl cat '{template_of(service)}'")
    return host_finding(evidence, Cause.ACTIVATION_FAILED, words, steps, exit_facts(service))


def _fails(service: Unit, holder: Holder) -> bool:
    """Down for good; of services of one connection each, those that failed just now."""
    if service.active_state not in ("failed", "inactive"):
        return False
    if template_of(service) == service.name:
        return True
    now = holder.report.taken_at
    recent = service.changed_at is not None and now - service.changed_at < timedelta(minutes=1)
    return service.active_state == "failed" and recent


def _never_served(failed: Observation, holder: Holder, listener: Listener) -> Unit | None:
    """A service that was started for its socket lately, runs, and leaves all connections in the queue."""
    unit = holder.unit
    if unit is None or unit.started_at is None or failed.cause not in NO_WORD or not listener.socket.queue:
        return None
    lately = holder.report.taken_at - unit.started_at < NEVER_SERVED
    return unit if unit.active_state == "active" and lately else None


def out_of_files(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The process has as many files open as it may, so it can't accept."""
    process = next((one for one in holder.holding() if _is_out_of_files(one)), None)
    if process is None or failed.cause not in (*NO_WORD, Cause.CLOSES, Cause.ERROR_ANSWER):
        return None
    if any(one.socket.queue_max == 0 and _waits(one, failed) for one in holder.met):
        return None  # it has shut its door by itself, as memcached does at its limit: it accepts nothing
    words = f"{process_words(process)} has {_files(process)} and can take no more"
    unit = holder.unit
    steps = (
        f"See what it holds: ls -l /proc/{process.pid}/fd | awk '{{print $NF}}' | sort | uniq -c | sort -n",
        f"Raise LimitNOFILE: systemctl edit {unit.name}" if unit else "Raise its limit: ulimit -n",
    )
    facts = {**process_facts(process), "files_open": process.files_open, "files_max": process.files_max}
    return host_finding(evidence, Cause.OVERLOADED, words, steps, facts).on(Layer.SERVICE)


def _is_out_of_files(process: Process) -> bool:
    opened, most = process.files_open, process.files_max
    return opened is not None and most is not None and opened > most - FILES_LEFT_MIN


def _files(process: Process) -> str:
    return f"{process.files_open} of {process.files_max} files open"


def hung(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """It's alive and holds the port, and accepts nothing: connections wait in its accept queue."""
    waiting = next((one for one in holder.met if _waits(one, failed)), None)
    if waiting is None:
        return None
    words = f"{listener_words(waiting)} accepts nothing: {waiting.socket.queue} "
    if waiting.socket.transport is Transport.UDP:
        words = f"{listener_words(waiting)} reads nothing: {waiting.socket.queue} bytes wait"
    else:
        words += f"{'connections wait' if waiting.socket.queue > 1 else 'connection waits'} in its queue"
    pid, most = waiting.owner.pid, waiting.socket.queue_max
    words += f" of {most}" if most is not None else ""
    process = holder.report.process(pid)
    facts: dict[str, object] = {"queue": waiting.socket.queue, "queue_max": most, "pid": pid}
    if process is not None and process.state is ProcessState.UNINTERRUPTIBLE:
        words += f"; it waits for input or output in {process.waits_in or 'the kernel'}"
        facts["waits_in"] = process.waits_in
    if process is not None and _is_out_of_files(process):
        words += f"; it has {_files(process)}"
        facts |= {"files_open": process.files_open, "files_max": process.files_max}
    look = (
        f"See where it hangs (gdb, py-spy and jstack know more): cat /proc/{pid}/wchan /proc/{pid}/stack",
    )
    unit = holder.unit
    is_its = unit is not None and process is not None and unit.main_pid in (process.pid, process.parent_pid)
    restart = (f"systemctl restart {unit.name}",) if unit and is_its else ()
    return host_finding(evidence, Cause.HUNG, words, (*(look if pid else ()), *restart), facts)


def _waits(listener: Listener, failed: Observation) -> bool:
    """A client of a full queue meets silence; in one with room it's taken for accepted."""
    if failed.cause is Cause.NO_ANSWER:
        return not has_room(listener)
    return failed.cause is Cause.SILENT and listener.socket.queue > 0


def has_room(listener: Listener) -> bool:
    """The kernel drops attempts when more wait than may."""
    return listener.socket.queue_max is None or listener.socket.queue <= listener.socket.queue_max


def disk_full(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The right service answers with an error, and a file system that it writes to is full."""
    if failed.cause not in (Cause.ERROR_ANSWER, Cause.DISK_FULL) or not holder.met:
        return None
    least = 0.05 if failed.cause is Cause.DISK_FULL else 0.001
    full = next((one for one in holder.report.file_systems if _is_full(one, least)), None)
    if full is None:
        return None
    left = f"{full.available_bytes / _MEBIBYTE:.1f} MiB"
    if full.inodes_available == 0:
        left = "no inodes"
    elif full.available_bytes < _NOTHING_BYTES:
        left = "no space"
    words = f"{full.mount_point} has {left} left, and {listener_words(holder.met[0])} fails: {failed.detail}"
    steps = (
        f"df -h {full.mount_point}; df -i {full.mount_point}",
        f"du -xh --max-depth=2 {full.mount_point} | sort -h | tail -20",
    )
    facts = {"mount_point": full.mount_point, "available_bytes": full.available_bytes}
    return host_finding(evidence, Cause.DISK_FULL, words, steps, facts).on(failed.layer)


def _is_full(disk: FileSystem, least: float) -> bool:
    """Less than this part is left for ordinary users, or no inode; one that has no size isn't full."""
    no_space = disk.size_bytes > 0 and disk.available_bytes <= disk.size_bytes * least
    return not disk.read_only and (no_space or disk.inodes_available == 0)


def behind_a_proxy(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """A proxy holds the port, and hangs up: it's the service behind it that doesn't answer."""
    listener = next((one for one in holder.met if one.process in _PROXIES), None)
    if listener is None or failed.cause is not Cause.CLOSES:
        return None
    words = f"{listener_words(listener)} takes connections to {holder.asked.words} for others and hangs up: "
    words += "the backend behind it is down, or hangs up by itself"
    unit = holder.unit
    steps: tuple[str, ...] = (f"journalctl -u {unit.name} -n 30 --no-pager",) if unit else ()
    steps += ("See where it leads: grep -nE 'bind|server|backend|listen' /etc/haproxy/haproxy.cfg",)
    facts = {"process": listener.process, "pid": listener.owner.pid}
    return host_finding(evidence, Cause.BAD_UPSTREAM, words, steps, facts).on(Layer.SERVICE)


def firewall(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """It listens with room in its queue, and connections from where they should succeed fail."""
    listener = next(iter(holder.met), None)
    if listener is None or not has_room(listener) or not _was_there(listener, failed, holder):
        return None
    asked = holder.asked
    lost = failed.cause is Cause.SILENT and failed.facts.get("unacked_bytes", 0) and not listener.socket.queue
    if failed.cause not in NOT_LET_IN and not lost:
        return None
    how = "what is sent to it gets lost" if lost else f"connections to {asked.peer} fail ({failed.cause})"
    words = f"{listener_words(listener)} listens at {listener.socket.address} on {asked.words} with room in "
    words += f"its queue, and {how}: a firewall is in between"
    steps = (
        f"nft list ruleset | grep -nE '{asked.port}|drop|reject'",
        f"iptables-save | grep -nE '{asked.port}|DROP|REJECT'",
    )
    facts = {"process": listener.process, "pid": listener.owner.pid, "seen_from_outside": str(failed.cause)}
    return host_finding(evidence, Cause.FIREWALL, words, steps, facts)


def _was_there(listener: Listener, failed: Observation, holder: Holder) -> bool:
    """Whether this very listener, and nothing behind it, must have been met when the question failed."""
    process = holder.report.process(listener.owner.pid)
    if process is None or listener.since is None or listener.since > failed.observed_at:
        return False  # whose it is isn't known, or it came later
    if listener.socket.interface_index or listener.socket.transport is Transport.UDP:
        return False  # clients of another interface don't meet it; UDP tells nobody that it was let in
    if listener.socket.address == "::" and ":" not in holder.asked.peer and listener.socket.v6_only is None:
        return False
    place = process.place
    return listener.container is None or (place is not None and place.container_id is not None)


HELD_RULES: Final = (
    paused,
    crash_loop,
    activation_failed,
    out_of_files,
    hung,
    disk_full,
    behind_a_proxy,
    firewall,
)
"""In this order, when the right one holds the port: ``wrong_owner`` is asked before."""
