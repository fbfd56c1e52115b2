"""The combined diagnosis: what was seen from outside, held against what the machine itself says.

Loaded when a machine says something, for a look that's well needs none of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from trueup.diagnosis.absent_rules import ABSENT_RULES
from trueup.diagnosis.container_rules import CONTAINER_RULES, keeps_dying, unhealthy, unhealthy_finding
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.failed_rules import CHANGING_RULES
from trueup.diagnosis.finding import Finding
from trueup.diagnosis.former_rules import FORMER_RULES
from trueup.diagnosis.held_rules import HELD_RULES, paused
from trueup.diagnosis.holder import NOBODY_THERE, Holder, holder_of, is_changing
from trueup.diagnosis.host_words import exit_words, look_into
from trueup.diagnosis.owner_rules import taken_over, wrong_owner
from trueup.domain.observation import Observation
from trueup.domain.states import State
from trueup.host.report import HostReport

HostRule = Callable[[Evidence, Observation, Holder], Finding | None]
"""A rule of the combined diagnosis: what failed from outside, held against who keeps the place."""


def why_it_failed(evidence: Evidence, failed: Observation, report: HostReport) -> Finding | None:
    """What the machine says of ``failed``, where it's about this machine."""
    holder = holder_of(evidence.target, failed, report)
    if holder is None:
        return None
    rules = rules_for(holder, failed)
    found = next((found for rule in rules if (found := rule(evidence, failed, holder)) is not None), None)
    return None if found is None else replace(found, supports=(failed, *found.supports))


def rules_for(holder: Holder, failed: Observation) -> Sequence[HostRule]:
    """The rules to ask, in order, of what failed and who keeps the place."""
    if holder.is_changing:
        return (*CHANGING_RULES, keeps_dying)
    if holder.met:
        return (wrong_owner, *CONTAINER_RULES, *HELD_RULES, unhealthy)
    # Of a unix socket no listener is known: its daemon is told by its unit.
    absent = (paused, *CONTAINER_RULES, *ABSENT_RULES, *FORMER_RULES, unhealthy)
    return absent if failed.cause in NOBODY_THERE else ()


def with_what_changes(found: Finding, evidence: Evidence, report: HostReport) -> Finding:
    """With the unit that should answer and is between two states: no cause, for nothing about it is final."""
    (failed,) = found.supports
    holder = holder_of(evidence.target, failed, report)
    unit = holder.unit if holder is not None else None
    if unit is None or failed.cause not in NOBODY_THERE or not is_changing(unit, report):
        return found
    words = f"; {unit.name} is {unit.active_state} ({unit.sub_state})"
    if unit.active_state == "active" and unit.job is None:
        words = f"; {unit.name} has become active since"
    if unit.sub_state == "auto-restart":
        words += f", after it ended: {exit_words(unit)}"
    return replace(found, summary=found.summary + words, next=(*look_into(unit), *found.next))


def why_it_is_unwell(evidence: Evidence, passed: Observation, report: HostReport) -> Finding | None:
    """What the machine has against a target that answers from outside as it should."""
    holder = holder_of(evidence.target, passed, report)
    if holder is None:
        return None
    found = taken_over(evidence, passed, holder)
    container = holder.container
    if container is not None and container.state == "running" and container.health == "unhealthy":
        found = unhealthy_finding(evidence, container)
    return None if found is None else replace(found, state=State.DEGRADED, supports=(passed,))
