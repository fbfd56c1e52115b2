"""Rules for a container: the engine's word about it, and what listens inside."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.failed_rules import FALSE_START, LOOP_RESTARTS_MIN, SHORT_RUN
from trueup.diagnosis.finding import Finding, host_finding
from trueup.diagnosis.holder import NOBODY_THERE, STOPPED, Holder, ended_just_now
from trueup.diagnosis.host_words import ago, container_facts, it_said
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.verdict import MAY_COME_BACK
from trueup.host.facts import Container, ListeningSocket
from trueup.host.report import HostReport

_ENDED: Final = frozenset({"exited", "dead", "created", "stopped", "initialized"})
_BY_SIGNAL: Final = {130: "SIGINT", 137: "SIGKILL", 143: "SIGTERM"}
"""How a container ends when it's told to: by docker stop or kill, or by somebody's kill."""
_SIGNALS: Final = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 139: "SIGSEGV"}
_UNWELL: Final = frozenset({*NOBODY_THERE, Cause.ERROR_ANSWER, Cause.BAD_UPSTREAM})
_YOUNG: Final = timedelta(seconds=30)


def killed_for_memory(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The kernel killed the container for memory."""
    container = holder.container
    if container is None or not container.out_of_memory or container.state == "running":
        return None
    most = container.memory_bytes_max
    limit = f" (its limit is {most // 2**20} MiB)" if most else ""
    words = (
        f"Container {container.name} was killed for memory {_ended_ago(holder.report, container)}".rstrip()
    )
    steps = (
        f"{container.engine} inspect -f '{{{{.HostConfig.Memory}}}}' {container.name}",
        f"{container.engine} start {container.name}",
    )
    return host_finding(evidence, Cause.OUT_OF_MEMORY, words + limit, steps, container_facts(container))


def keeps_dying(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The container keeps dying and being restarted."""
    container = holder.container
    if container is None or failed.cause not in NOBODY_THERE or not _is_looping(container, holder.report):
        return None
    code = f", last exit code {container.exit_code}" if container.exit_code is not None else ""
    words = f"Container {container.name} keeps dying: {container.restarts} restarts{code}"
    words += f"; {container.engine} has given up" if container.state in _ENDED else ""
    said = it_said(holder.report, container.name)
    return host_finding(
        evidence, Cause.CRASH_LOOP, words + said, _look_into(container), container_facts(container)
    )


def _is_looping(container: Container, report: HostReport) -> bool:
    """Its last run was short, as was none of a container that was restarted once in a while."""
    if container.restarts < LOOP_RESTARTS_MIN or container.started_at is None:
        return False
    if container.state == "running":
        return report.taken_at - container.started_at < SHORT_RUN
    if container.finished_at is None or container.state == "paused":
        return False
    lasted = container.finished_at - container.started_at
    return lasted < SHORT_RUN and (container.state == "restarting" or lasted >= FALSE_START)


def container_paused(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The container is paused by its engine."""
    container = holder.container
    if container is None or container.state != "paused":
        return None
    steps = (f"{container.engine} unpause {container.name}",)
    words = f"Container {container.name} is paused"
    return host_finding(evidence, Cause.PAUSED, words, steps, container_facts(container))


def container_crashed(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The container failed; the facts have its exit code."""
    container = holder.container
    if container is None or container.state not in _ENDED:
        return None
    code = container.exit_code or 0
    if not container.error and (code == 0 or code in _BY_SIGNAL):
        return None
    how = container.error or f"exit code {code}" + (f" ({_SIGNALS[code]})" if code in _SIGNALS else "")
    when = _ended_ago(holder.report, container)
    words = f"Container {container.name} failed {when}".rstrip() + f": {how}"
    steps = (*_look_into(container), f"{container.engine} start {container.name}")
    facts = container_facts(container) | {"signal": _SIGNALS.get(code)} | _back_soon(holder)
    words += it_said(holder.report, container.name)
    return host_finding(evidence, Cause.CRASHED, words, steps, facts)


def container_ended(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The container has exited, was never started, or isn't there."""
    container, named = holder.container, evidence.target.container
    if container is None:
        return _no_such(evidence, named, holder.report) if named is not None else None
    if container.state not in _ENDED:
        return None
    signal = _BY_SIGNAL.get(container.exit_code or 0)
    by = f", ended by {signal} (exit code {container.exit_code})" if signal else ""
    when = _ended_ago(holder.report, container)
    words = f"Container {container.name} has {'exited' if container.started_at else 'never been started'}"
    words = f"{words} {when}".rstrip() + by
    steps = (f"{container.engine} start {container.name}", *_look_into(container))
    facts = container_facts(container) | {"signal": signal} | _back_soon(holder)
    return host_finding(evidence, Cause.NOT_RUNNING, words, steps, facts)


def _no_such(evidence: Evidence, name: str, report: HostReport) -> Finding | None:
    """Only where an engine has told of others: without that, nothing says that it was asked."""
    unseen = any(word in gap.what for gap in report.unreadable for word in ("docker", "podman"))
    if unseen or not report.containers:
        return None
    engine = report.containers[0].engine
    words = f"There is no container {name} on {report.host}"
    return host_finding(evidence, Cause.NOT_RUNNING, words, (f"{engine} ps -a",), {"container": name})


def nothing_inside(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The container runs, and nothing in it listens where its published port leads."""
    container, inner = holder.container, _inside(holder)
    if container is None or inner is None or failed.cause not in NOBODY_THERE or inner[1]:
        return None
    port = inner[0]
    words = f"Container {container.name} runs, and nothing in it listens on port {port}, "
    words += f"to which {holder.asked.words} leads"
    facts = container_facts(container) | {"container_port": port}
    if container.started_at is not None and holder.report.taken_at - container.started_at < _YOUNG:
        started = ago(container.started_at, holder.report.taken_at)
        words += f"; it started {started} and may not be done with that"
        facts[MAY_COME_BACK] = True
    words += it_said(holder.report, container.name)
    return host_finding(evidence, Cause.NOT_LISTENING, words, _look_into(container), facts)


def only_inside(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """In the container it listens on the container's own loopback, where a published port can't reach it."""
    container, inner = holder.container, _inside(holder)
    if container is None or inner is None or failed.cause not in NOBODY_THERE or not inner[1]:
        return None
    places = sorted({sock.address for sock in inner[1]})
    if not all(place.startswith("127.") or place == "::1" for place in places):
        return None
    words = f"In container {container.name} it listens at {', '.join(places)} on port {inner[0]}, "
    words += f"which {holder.asked.words} can't reach: it must listen at 0.0.0.0 there"
    facts = container_facts(container) | {"listens_at": places, "container_port": inner[0]}
    return host_finding(evidence, Cause.WRONG_ADDRESS, words, _look_into(container), facts)


def hung_inside(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """In the container it listens and accepts nothing: connections wait in its accept queue."""
    container, inner = holder.container, _inside(holder)
    if container is None or inner is None or failed.cause not in (Cause.SILENT, Cause.NO_ANSWER):
        return None
    waiting = next((sock for sock in inner[1] if sock.queue), None)
    if waiting is None or (holder.process is not None and holder.process.state in STOPPED):
        return None
    words = f"Container {container.name} accepts nothing: {waiting.queue} connections wait on its port "
    words += str(waiting.port)
    steps = (*_look_into(container), f"{container.engine} restart {container.name}")
    facts = container_facts(container) | {"queue": waiting.queue, "pid": container.pid}
    return host_finding(evidence, Cause.HUNG, words, steps, facts)


def _inside(holder: Holder) -> tuple[int, Sequence[ListeningSocket]] | None:
    """The port inside that the one asked leads to, and who listens there; None where that isn't known."""
    container, asked = holder.container, holder.asked
    if container is None or container.state != "running":
        return None
    outer = (asked.port, asked.transport)
    ports = [one.container_port for one in container.ports if (one.port, one.transport) == outer]
    inner = next((one for one in holder.report.inner if one.container_id == container.id), None)
    if not ports or inner is None:
        return None
    there = (ports[0], asked.transport)
    return ports[0], [one for one in inner.sockets if (one.port, one.transport) == there]


def unhealthy(evidence: Evidence, failed: Observation, holder: Holder) -> Finding | None:
    """The container's own health check fails."""
    container = holder.container
    if container is None or failed.cause not in _UNWELL or container.health != "unhealthy":
        return None
    return unhealthy_finding(evidence, container)


def unhealthy_finding(evidence: Evidence, container: Container) -> Finding:
    """What the engine's health check says."""
    words = f"Container {container.name} is unhealthy: its health check failed "
    words += f"{container.health_failures} times"
    words += f": {container.health_output.splitlines()[-1][:200]}" if container.health_output else ""
    steps = (
        f"{container.engine} inspect -f '{{{{json .State.Health}}}}' {container.name}",
        *_look_into(container),
    )
    return host_finding(evidence, Cause.UNHEALTHY, words, steps, container_facts(container))


def _back_soon(holder: Holder) -> dict[str, object]:
    """Where it ended just now: that is what a restart looks like in between, and the engine says no more."""
    container = holder.container
    return {MAY_COME_BACK: True} if container and ended_just_now(container, holder.report.taken_at) else {}


def _look_into(container: Container) -> tuple[str, ...]:
    return (f"{container.engine} logs --tail 30 {container.name}",)


def _ended_ago(report: HostReport, container: Container) -> str:
    return ago(container.finished_at, report.taken_at)


CONTAINER_RULES: Final = (
    killed_for_memory,
    keeps_dying,
    container_paused,
    container_crashed,
    container_ended,
    nothing_inside,
    only_inside,
    hung_inside,
)
"""In this order: what explains more comes first. ``unhealthy`` is asked last, for it only says that it is."""
