"""Rules for a place that nobody holds where it is asked: where is the one who should?"""

from datetime import timedelta
from typing import Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.failed_rules import FAILED_RULES
from trueup.diagnosis.finding import Finding, host_finding
from trueup.diagnosis.holder import Holder
from trueup.diagnosis.host_words import (
    ago,
    exit_facts,
    listener_words,
    look_into,
    process_words,
    ran_since,
    stopped_at,
)
from trueup.diagnosis.keeper import is_called, is_odd_web, may_run
from trueup.diagnosis.words import address_of
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.verdict import MAY_COME_BACK
from trueup.host.boot_survival import starts_at_boot
from trueup.host.dialled import met_at
from trueup.host.facts import Unit
from trueup.host.traces import Change, ChangeKind

_YOUNG: Final = timedelta(seconds=30)
_ACTIVE_AT_ONCE: Final = frozenset({"simple", "exec", "idle"})
"""Types of units that systemd calls active before they are ready: systemd.service(5)."""


def not_enabled(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """It hasn't run since the boot, and isn't enabled to start at boot."""
    unit, boot, report = holder.unit, holder.report.boot, holder.report
    if unit is None or boot is None or unit.active_state != "inactive" or not _is_installed(unit):
        return None
    known = (unit.active_since, unit.inactive_since, unit.started_at, unit.exited_at)
    # Of a unit that nothing refers to, systemd forgets that it ran: only its journal can say that it didn't.
    if any(known) or ran_since(report, unit.name, boot.started_at) is not False:
        return None
    survival = starts_at_boot(unit, {one.name: one for one in report.units})
    if survival.starts is not False:
        return None
    when = ago(boot.started_at, report.taken_at)
    words = f"{unit.name} is not running since the boot {when}: the unit {survival.why}"
    facts = {
        "unit": unit.name,
        "unit_file_state": unit.unit_file_state,
        "booted_at": boot.started_at.isoformat(),
    }
    step = f"{_unmask(unit)}systemctl enable --now {unit.name}"
    return host_finding(evidence, Cause.NOT_ENABLED, words, (step,), facts)


def _unmask(unit: Unit) -> str:
    return f"systemctl unmask {unit.name}; " if unit.unit_file_state.startswith("masked") else ""


def _is_installed(unit: Unit) -> bool:
    return unit.load_state in ("loaded", "masked")


def wrong_address(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """It listens on this port, but at another address than the one that is asked."""
    if failed.cause is not Cause.REFUSED or not holder.elsewhere:
        return None
    first, asked = holder.elsewhere[0], holder.asked
    places = sorted({one.socket.address for one in holder.elsewhere})
    words = f"{listener_words(first)} listens at {', '.join(places)} on {asked.words}, "
    words += f"and {asked.peer} is asked"
    name = _name_of(evidence, failed, asked.peer)
    words += f", which is what {name} means here" if name else ""
    place = f"[{places[0]}]" if ":" in places[0] else places[0]
    steps = (
        f"Ask {place}:{asked.port}, or let it listen at {asked.peer} too (bind, listen or listen_addresses)",
        f"ss -Hltnp 'sport = :{asked.port}'",
        *((f"getent ahosts {name}",) if name else ()),
    )
    facts = {
        "listens_at": places,
        "asked_at": asked.peer,
        "pid": first.owner.pid,
        "process": first.process,
        "unit": first.unit,
    }
    return host_finding(evidence, Cause.WRONG_ADDRESS, words, steps, facts)


def _name_of(evidence: Evidence, failed: Observation, peer: str) -> str:
    """The name that led to ``peer``; empty where it was asked as it is, or by a name that says nothing."""
    address = address_of(evidence.target, failed)
    dialled = str(failed.facts.get("dialled", "")).rpartition(":")[0]
    host = dialled or (address.host if address is not None else "")
    return "" if met_at(host) == peer or host == "localhost" else host


def not_listening(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The process or unit runs, and nothing of it listens on the port."""
    unit, process, report = holder.unit, holder.process, holder.report
    changed = _changed(holder)
    if holder.asked.port is None or _may_be_any_program(evidence, failed, holder, changed):
        return None
    if _ran_beside_it(evidence, holder):
        return None
    if unit is not None and unit.active_state == "active" and unit.sub_state != "exited":
        words, since = f"{unit.name} is active", unit.active_since
        steps = (*look_into(unit), f"systemctl status {unit.name}")
    elif unit is None and process is not None:
        words, since = f"{process_words(process)} runs", process.started_at
        steps = (f"ss -Hltnp | grep pid={process.pid},",)
    else:
        return None
    words += f", and nothing of it listens on {holder.asked.words}"
    ports = _ports_of(holder)
    words += f"; it listens on {', '.join(map(str, ports))}" if ports else ""
    words += f"; {changed.subject} changed {ago(changed.at, report.taken_at)}" if changed else ""
    facts = {"unit": unit.name if unit else None, "pid": process.pid if process else None}
    ready = unit is not None and unit.type not in _ACTIVE_AT_ONCE
    if not ready and since is not None and report.taken_at - since < _YOUNG:
        words += f"; it started {ago(since, report.taken_at)} and may not be done with that"
        facts[MAY_COME_BACK] = True
    return host_finding(evidence, Cause.NOT_LISTENING, words, steps, {**facts, "listens_on": ports})


def _changed(holder: Holder) -> Change | None:
    """Its configuration, where that is newer than its process."""
    changes = [one for one in holder.report.changes if one.kind is ChangeKind.CONFIGURATION]
    return changes[-1] if changes else None


def _may_be_any_program(
    evidence: Evidence, failed: Observation, holder: Holder, changed: Change | None
) -> bool:
    """A web server that runs is at fault for a port of its own only if its configuration has changed."""
    address = address_of(evidence.target, failed)
    odd = address is not None and is_odd_web(address.scheme, holder.asked.port)
    return odd and not holder.named and changed is None


def _ran_beside_it(evidence: Evidence, holder: Holder) -> bool:
    """Whether all of the configured name ran already beside the one that held the port, which has ended."""
    former, name = evidence.held_before, evidence.target.process
    if former is None or not former.has_ended or former.well_at is None or name is None:
        return False
    called = [one.started_at for one in holder.report.processes if is_called(one, name)]
    return all(at < former.well_at for at in called)


def _ports_of(holder: Holder) -> list[int]:
    unit, process = holder.unit, holder.process
    return sorted(
        {
            one.socket.port
            for one in holder.report.listeners
            if one.socket.transport is holder.asked.transport
            and (
                (unit is not None and one.unit == unit.name)
                or (process is not None and process.pid in (one.owner.pid, *one.owner.pids))
            )
        }
    )


def not_running(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """No such process runs, or its unit is inactive."""
    return _inactive(evidence, holder) or _no_process(evidence, holder)


def _inactive(evidence: Evidence, holder: Holder) -> Finding | None:
    unit, report = holder.unit, holder.report
    if unit is None:
        return None
    steps: tuple[str, ...] = (f"systemctl start {unit.name}",)
    if unit.load_state == "not-found":
        words = f"There is no unit {unit.name} on {report.host}"
        steps = (f"systemctl list-unit-files | grep -i {unit.name.partition('.')[0].partition('@')[0]}",)
    elif unit.load_state not in ("loaded", "masked"):
        words = f"systemd can't load {unit.name}: {unit.load_error or unit.load_state}"
        steps = (f"systemd-analyze verify {unit.name}",)
    elif unit.active_state == "active" and unit.sub_state == "exited" and unit.type != "oneshot":
        words = f"{unit.name} counts as active, and none of its processes is left"
        steps = (f"systemctl restart {unit.name}",)
    elif unit.active_state == "inactive":
        when = ago(stopped_at(report, unit), report.taken_at)
        words = f"{unit.name} is not running" + (f"; it stopped {when}" if when else "")
        words += "; a condition of its unit isn't met" if unit.condition_met is False else ""
        survival = starts_at_boot(unit, {one.name: one for one in report.units})
        lost = survival.starts is False
        words += f"; the unit {survival.why}, so a boot won't start it" if lost else ""
        steps = (f"{_unmask(unit)}systemctl {'enable --now' if lost else 'start'} {unit.name}",)
    else:
        return None
    return host_finding(evidence, Cause.NOT_RUNNING, words, steps, exit_facts(unit))


def _no_process(evidence: Evidence, holder: Holder) -> Finding | None:
    name, report = evidence.target.process, holder.report
    # Where it's known which of that name has ended, that says more: by ``former_ended``.
    if name is None or may_run(name, report) or evidence.held_before is not None:
        return None
    words = f"No process called {name} runs on {report.host}"
    steps = (f"systemctl list-units --all '*{name}*'",)
    return host_finding(evidence, Cause.NOT_RUNNING, words, steps, {"process": name})


ABSENT_RULES: Final = (*FAILED_RULES, not_enabled, wrong_address, not_listening, not_running)
"""In this order: what explains more comes first."""
