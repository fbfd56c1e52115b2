"""The rule for a port that somebody else holds than the one who should."""

from dataclasses import replace

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding, host_finding
from trueup.diagnosis.holder import Holder
from trueup.diagnosis.host_words import listener_words
from trueup.diagnosis.keeper import (
    is_called,
    is_kept_by,
    keeper_of,
    may_run,
    only_unit,
    speaks,
    speaks_generally,
)
from trueup.diagnosis.words import address_of
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.host.facts import Unit
from trueup.host.report import Listener
from trueup.host.software import software_of


def wrong_owner(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """Another process holds the port than the one that should; the facts name it."""
    listener = next(iter(holder.met), None)
    if listener is None or listener.process is None or not _is_foreign(evidence, failed, holder, listener):
        return None
    words = f"{listener_words(listener)} holds {holder.asked.words}"
    found = failed.facts.get("found")
    words += f" and speaks {found}" if found else ""
    words += f"; it belongs to {listener.unit}" if listener.unit else ""
    wanted = holder.unit if holder.named else _right_one(evidence, failed, holder)
    words += f"; {wanted.name} is {wanted.active_state}" if wanted else ""
    facts = {
        "process": listener.process,
        "pid": listener.owner.pid,
        "user": listener.user,
        "unit": listener.unit,
        "container": listener.container,
    }
    start = f"; systemctl start {wanted.name}" if wanted else ""
    steps = (
        f"See what it is: ps -fp {listener.owner.pid}",
        f"If it's in the way: {_end_of(listener, holder)}{start}",
    )
    return host_finding(evidence, Cause.WRONG_OWNER, words, steps, facts)


def taken_over(evidence: Evidence, passed: Observation, holder: Holder) -> Finding | None:
    """It answers, but nothing of the process or unit that is named runs: another holds its port.

    While what is named runs, who answers may stand before it, as a proxy does.
    """
    target = evidence.target
    if holder.container is not None:
        return None
    if target.unit is not None:
        gone = holder.unit is not None and holder.unit.active_state in ("inactive", "failed")
    else:
        gone = target.process is not None and not may_run(target.process, holder.report)
    found = wrong_owner(evidence, passed, holder) if gone else None
    if found is None:
        return None
    words = f"{found.summary}, and answers"
    words += f"; no process called {target.process} runs" if target.unit is None else ""
    return replace(found, summary=words)


def _right_one(evidence: Evidence, failed: Observation, holder: Holder) -> Unit | None:
    address = address_of(evidence.target, failed)
    return only_unit(address, holder.asked.port, holder.report) if address is not None else None


def _end_of(listener: Listener, holder: Holder) -> str:
    """How to free the port of one who may serve others too."""
    same = (one for one in holder.report.listeners if one.owner.pid == listener.owner.pid)
    others = sorted({one.socket.port for one in same} - {holder.asked.port})
    if others:
        served = ", ".join(map(str, others[:5]))
        return f"take {holder.asked.words} out of its configuration (it serves port {served} too)"
    if listener.unit is not None and listener.unit.endswith(".service"):
        return f"systemctl stop {listener.unit}"
    return f"kill {listener.owner.pid}"


def _is_foreign(evidence: Evidence, failed: Observation, holder: Holder, listener: Listener) -> bool:
    target = evidence.target
    process = holder.report.process(listener.owner.pid)
    if process is None or process.place is None or listener.owner.by_init:
        return False  # whose it is isn't known, or it's systemd's on behalf of another
    if target.container is not None:
        return holder.container is not None and not is_kept_by(holder.keeper, listener, holder.report)
    if holder.unit is not None and target.unit is not None and holder.unit.load_state in ("loaded", "masked"):
        # A unit may run a container by its engine's client: then who holds the port says nothing.
        return listener.container is None and not is_kept_by(holder.keeper, listener, holder.report)
    if target.process is not None:
        return not any(is_called(one, target.process) for one in holder.holding())
    return failed.cause is Cause.WRONG_SERVICE and _speaks_another(evidence, failed, holder, listener)


def _speaks_another(evidence: Evidence, failed: Observation, holder: Holder, listener: Listener) -> bool:
    """By the name of its software, else by what it was found to speak; HTTP is anyone's."""
    address = address_of(evidence.target, failed)
    if address is None or not address.scheme:
        return False
    known = speaks(keeper_of(listener, holder.report), address.scheme)
    if known is not None:
        return not known
    found = software_of(str(failed.facts.get("found", "")))
    differs = found is not None and found is not software_of(address.scheme)
    return differs and not (speaks_generally(address.scheme) and listener.container is not None)
