"""Why a verdict is what it is: its evidence in order of time, the rules, the log, and what is missing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding
from trueup.diagnosis.holder import Holder, holder_of
from trueup.diagnosis.host_rules import rules_for
from trueup.diagnosis.rules import RULES, all_passed, explained_by_the_host, never_looked
from trueup.domain.clock import timestamp
from trueup.domain.observation import Observation
from trueup.domain.printable import printable
from trueup.domain.states import LAYERS_OUTSIDE_IN, Layer, Outcome
from trueup.host.facts import Container, Process, Unit
from trueup.host.traces import Change, ChangeKind, LogExcerpt

LOG_LINES_MAX: Final = 20
CHANGES_MAX: Final = 20
NAMES_MAX: Final = 5
KILLS_MAX: Final = 5
COMMAND_CHARS_MAX: Final = 80
LATELY: Final = timedelta(hours=1)
_OTHERWISE: Final = (all_passed, never_looked)
"""Rules that say how it is where none before them finds anything: after one that does, they aren't true."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that was asked. ``found`` is what it says where it finds something."""

    name: str
    says: str
    found: Finding | None
    speaks: bool


def explanation(evidence: Evidence) -> dict[str, Any]:
    """As JSON: ``timeline``, ``rules``, ``log`` and ``missing``."""
    holder = _holder(evidence)
    log = _log(evidence, holder)
    return {
        "timeline": [{"at": timestamp(at), "what": what} for at, what in _timeline(evidence, holder)],
        "rules": [_rule_document(one) for one in asked(evidence)],
        "log": None if log is None else _log_document(log),
        "missing": list(_missing(evidence, holder)),
    }


def asked(evidence: Evidence) -> list[Asked]:
    """Every rule that was asked, in order. The first that finds something speaks; what comes after it would
    have spoken without it.
    """
    found: list[Asked] = []
    for rule in RULES:
        if rule is explained_by_the_host:
            found += _host_rules(evidence)
        else:
            is_settled = rule in _OTHERWISE and any(one.found for one in found)
            found.append(_asked(rule, None if is_settled else rule(evidence)))
    first = next((place for place, one in enumerate(found) if one.found is not None), len(found))
    return [Asked(one.name, one.says, one.found, place == first) for place, one in enumerate(found)]


def _host_rules(evidence: Evidence) -> list[Asked]:
    failed = evidence.first_broken(Outcome.FAIL)
    holder = _holder(evidence)
    if failed is None or holder is None:
        return []
    return [_asked(rule, rule(evidence, failed, holder)) for rule in rules_for(holder, failed)]


def _asked(rule: Callable[..., Any], found: Finding | None) -> Asked:
    says = " ".join((rule.__doc__ or "").split())
    return Asked(rule.__name__.replace("_", "-"), says, found, speaks=False)


def _rule_document(one: Asked) -> dict[str, Any]:
    result = "no" if one.found is None else "speaks" if one.speaks else "outranked"
    return {
        "rule": one.name,
        "says": one.says,
        "result": result,
        "cause": one.found.cause.value if one.found is not None and one.found.cause else None,
        "would_say": one.found.summary if one.found is not None else None,
    }


def _holder(evidence: Evidence) -> Holder | None:
    """Of what failed first; of a target that's well, of what answered it last."""
    passed = [seen for seen in evidence.of(Outcome.PASS) if seen.layer is not Layer.HOST]
    deepest = max(passed, key=lambda seen: LAYERS_OUTSIDE_IN.index(seen.layer), default=None)
    seen = evidence.first_broken(Outcome.FAIL) or deepest
    return None if seen is None or evidence.host is None else holder_of(evidence.target, seen, evidence.host)


# ---- the order of time ------------------------------------------------------------------------------------


def _timeline(evidence: Evidence, holder: Holder | None) -> list[tuple[datetime, str]]:
    happened = [(seen.observed_at, _seen_words(seen)) for seen in evidence.observations]
    report = evidence.host
    if report is not None:
        happened.append((report.taken_at, f"{report.host} is asked for its own word"))
        if report.boot is not None:
            happened.append((report.boot.started_at, f"{report.host} boots"))
        happened += [*_changes(report.changes)][-CHANGES_MAX:]
    if holder is not None:
        happened += [(at, what) for at, what in _of_holder(holder) if at is not None]
    former = evidence.held_before
    if former is not None:
        words = f"{former.process.name} (pid {former.process.pid}), which held the port last, starts"
        happened.append((former.process.started_at, words))
    return sorted(happened, key=lambda one: one[0])


def _changes(changes: Sequence[Change]) -> Iterator[tuple[datetime, str]]:
    """In order of time; what one run of a package manager did is one of them."""
    in_order = sorted(changes, key=lambda change: change.at)
    for (kind, by), group in groupby(in_order, key=lambda change: (change.kind, _run_of(change))):
        several = [*group]
        first = several[0]
        if len(several) == 1:
            yield first.at, f"{kind} {first.subject} changes {first.detail}".rstrip()
        elif kind is ChangeKind.PACKAGE and by:
            names = ", ".join(one.subject for one in several[:NAMES_MAX])
            more = f" and {len(several) - NAMES_MAX} more" if len(several) > NAMES_MAX else ""
            yield first.at, f"{len(several)} packages change by {_without_options(by)}: {names}{more}"
        else:
            yield from ((one.at, f"{kind} {one.subject} changes {one.detail}".rstrip()) for one in several)


def _run_of(change: Change) -> str:
    """The command line that a package's change ends with."""
    _, _, rest = change.detail.partition(" (")
    return rest.removesuffix(")") if change.kind is ChangeKind.PACKAGE else ""


def _without_options(command: str) -> str:
    """What a package manager was told to do; scripts tell it a lot besides. ``-o`` and ``-c`` have a word."""
    words = command.split()
    told = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in ("-o", "-c")
    ]
    return printable(" ".join(told), COMMAND_CHARS_MAX)


def _seen_words(seen: Observation) -> str:
    cause = f" ({seen.cause})" if seen.cause else ""
    return f"{seen.vantage}: {seen.layer} {seen.outcome}{cause}: {seen.detail}".rstrip(": ")


def _of_holder(holder: Holder) -> Iterator[tuple[datetime | None, str]]:
    processes = dict.fromkeys([*holder.holding(), *([holder.process] if holder.process else [])])
    for process in processes:
        yield process.started_at, _process_words(process)
    if holder.unit is not None:
        yield from _of_unit(holder.unit)
    if holder.container is not None:
        yield from _of_container(holder.container)
    since = min((process.started_at for process in processes), default=holder.report.taken_at - LATELY)
    for kill in [kill for kill in holder.report.memory_kills if kill.at >= since][-KILLS_MAX:]:
        yield kill.at, f"the kernel kills {kill.process} (pid {kill.pid}) for memory"


def _process_words(process: Process) -> str:
    return (
        f"{process.name} (pid {process.pid}, user {process.user}) starts; it's {process.state.name.lower()}"
    )


def _of_unit(unit: Unit) -> Iterator[tuple[datetime | None, str]]:
    yield unit.started_at, f"{unit.name}: its main process starts"
    yield unit.active_since, f"{unit.name} is active"
    ended = f"by {unit.exit_signal}" if unit.exit_signal else f"with status {unit.exit_status}"
    yield unit.exited_at, f"{unit.name}: its main process ends {ended}"
    yield unit.inactive_since, f"{unit.name} is active no more ({unit.result or unit.active_state})"


def _of_container(container: Container) -> Iterator[tuple[datetime | None, str]]:
    yield container.started_at, f"container {container.name} starts"
    if container.state != "running":
        yield container.finished_at, f"container {container.name} ends with status {container.exit_code}"


# ---- the log, and what is missing -------------------------------------------------------------------------


def _log(evidence: Evidence, holder: Holder | None) -> LogExcerpt | None:
    if evidence.host is None or holder is None:
        return None
    names = [holder.unit.name if holder.unit else None, holder.container.name if holder.container else None]
    return next((log for name in names if name and (log := evidence.host.log(name)) is not None), None)


def _log_document(log: LogExcerpt) -> dict[str, Any]:
    lines = [
        {"at": timestamp(line.at) if line.at else None, "text": line.text}
        for line in log.lines[-LOG_LINES_MAX:]
    ]
    return {"of": log.of, "lines": lines}


def _missing(evidence: Evidence, holder: Holder | None) -> Iterator[str]:
    """What could not be seen, and would have helped."""
    for seen in evidence.of(Outcome.UNKNOWN):
        yield f"{seen.vantage}: {seen.layer} could not be looked at: {seen.detail}"
    if not evidence.of(Outcome.FAIL, Outcome.SLOW):
        return
    if evidence.host is None:
        yield "no word of the machine itself: it's another one, or it wasn't asked"
        return
    for gap in evidence.host.unreadable:
        yield f"{evidence.host.host}: {gap.what} could not be read ({gap.reason}): {gap.why}"
    if holder is not None and holder.unit is None and holder.container is None and holder.process is None:
        yield "who should hold the place: name a unit, a process or a container in the configuration"
