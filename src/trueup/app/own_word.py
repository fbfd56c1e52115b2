"""This machine's own word about targets that fail: read once, after the failure."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from trueup.app.clock import SystemClock
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.holder import Holder, holder_of
from trueup.diagnosis.rules import explained_by_the_host
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome
from trueup.domain.target import Target
from trueup.host.reader import Reader, ThisMachine
from trueup.host.report import HostReport
from trueup.host.survey import Interests, Survey
from trueup.host.unreadable import HostUnreadable

CONNECT_TIMEOUT_S: Final = 1.0
PROCESSES_MAX: Final = 8
"""Of so many holders of one port it's read where they write to: workers write where their master does."""

Failing = tuple[Target, Sequence[Observation]]


async def own_word(failing: Sequence[Failing]) -> dict[str, HostReport]:
    """The report of this machine for each of these targets, by name.

    It has the log and the changes of what the target should be held by, and of the file systems only those
    that this writes to. A target that has come back meanwhile has none: the machine as it is now says
    nothing of a failure that is over.
    """
    reader: Reader = ThisMachine()
    try:
        wanted = interests([target for target, _ in failing])
        wanted = replace(wanted, units=wanted.units | await socket_units(reader))
        survey = Survey(reader, socket.gethostname(), SystemClock(), wanted)
        report = await survey.take()
        told = [
            Evidence(target, tuple(seen), await explained(survey, report, question(target, seen, report)))
            for target, seen in failing
        ]
        lasting = await asyncio.gather(*(still_holds(evidence) for evidence in told))
        return {
            one.target.name: one.host
            for one, lasts in zip(told, lasting, strict=True)
            if lasts and one.host is not None
        }
    finally:
        reader.close()


def interests(targets: Iterable[Target]) -> Interests:
    """What a configuration names of machines."""
    targets = tuple(targets)
    units = (target.unit for target in targets if target.unit)
    return Interests(
        frozenset(name if "." in name else f"{name}.service" for name in units),
        frozenset(target.process for target in targets if target.process),
        frozenset(target.container for target in targets if target.container),
    )


async def socket_units(reader: Reader) -> frozenset[str]:
    """All .socket units: one that has given up holds no port, and only itself knows which was its own."""
    try:
        return frozenset(await reader.units_matching(["*.socket"]))
    except HostUnreadable:
        return frozenset()  # the survey meets the same, and says so in its report


class Question(NamedTuple):
    """Whose logs, changes and disks are asked for after a failure."""

    units: tuple[str, ...]
    containers: tuple[str, ...]
    pids: tuple[int, ...]


def question(target: Target, seen: Sequence[Observation], report: HostReport) -> Question | None:
    """What to ask about whoever holds the place that failed; None where that's no place of this machine."""
    holder = _holder(target, seen, report)
    if holder is None:
        return None
    unit, container = holder.unit, holder.container
    pids = {process.pid for process in (*holder.holding(), holder.process) if process is not None}
    return Question(
        (unit.name,) if unit is not None else (),
        (container.name,) if container is not None else (),
        tuple(sorted(pids)[:PROCESSES_MAX]),
    )


async def explained(survey: Survey, report: HostReport, asked: Question | None) -> HostReport:
    """The report with what was asked for."""
    if asked is None:
        return report
    return await survey.explain(replace(report, file_systems=()), **asked._asdict())


def _holder(target: Target, seen: Sequence[Observation], report: HostReport) -> Holder | None:
    failed = Evidence(target, tuple(seen)).first_broken(Outcome.FAIL)
    return None if failed is None else holder_of(target, failed, report)


async def still_holds(evidence: Evidence) -> bool:
    """Who listens now may not have when the question failed: before a firewall is blamed, ask again."""
    holder = _holder(evidence.target, evidence.observations, evidence.host) if evidence.host else None
    if holder is None or not holder.met:
        return True  # no firewall is blamed where nobody listens
    found = explained_by_the_host(evidence)
    if found is None or found.cause is not Cause.FIREWALL:
        return True
    if found.facts.get("seen_from_outside") == Cause.SILENT:
        return True
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(holder.asked.peer, holder.asked.port)
        writer.close()
        return False
    return True
