"""Whether a job reported in time, by its promise and its last report. Pure.

===========================  ================================  ===========================
last report                  until it's missed                 from then on
===========================  ================================  ===========================
none, ever                   unknown                           fail, ``missed-heartbeat``
success, or exit status 0    pass                              fail, ``missed-heartbeat``
failure, or another status   fail, ``error-answer``            fail, ``missed-heartbeat``
a start, and no end yet      as the report before it           fail, ``missed-heartbeat``
===========================  ================================  ===========================

A report is missed when it's later than its time by more than the grace; one that began, when it hasn't ended
within the grace. A monitor that was away, or whose machine slept, may have lost a report: for one grace from
its return it's unknown instead. A job that says that it failed did answer, in time: that is ``error-answer``.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from trueup.domain.causes import Cause
from trueup.domain.clock import timestamp
from trueup.domain.duration import show_duration
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.states import Outcome

AWAITED: Final = "awaited"
"""The kind of what stands for a report where there was none yet: from when on it's waited for."""
START: Final = "start"
SUCCESS: Final = "success"
_WELL: Final = frozenset({SUCCESS, "0"})


@dataclass(frozen=True, slots=True)
class Reported:
    """The last report that ended a run, or from when on the first is awaited.

    ``started_at`` is when a run began that hasn't ended; ``took_s`` how long the last one took,
    where it said when it began.
    ``said`` is the first line that the job wrote, printable.
    """

    at: datetime
    kind: str
    started_at: datetime | None = None
    took_s: float | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What an observation of the job says, and when that may change by itself (None: never)."""

    outcome: Outcome
    cause: Cause | None
    detail: str
    changes_at: datetime | None
    facts: dict[str, Any] = field(default_factory=dict)


def judged(heartbeat: Heartbeat, last: Reported, now: datetime, excused_until: datetime) -> Judged:
    """What is to be said at ``now``; nothing is missed before ``excused_until``."""
    due_at, why = _missed_at(heartbeat, last)
    facts = {
        "heartbeat": last.kind,
        "reported_at": timestamp(last.at) if last.kind != AWAITED else None,
        "due_at": timestamp(due_at) if due_at else None,
        "took_s": last.took_s,
    }
    if due_at is None or now < due_at:
        outcome, cause, detail = _in_time(last, due_at)
        return Judged(outcome, cause, detail, due_at, facts)
    if now < excused_until:
        words = f"{why}; the monitor was away, and waits until {timestamp(excused_until)}"
        return Judged(Outcome.UNKNOWN, None, words, excused_until, facts)
    return Judged(Outcome.FAIL, Cause.MISSED_HEARTBEAT, why, None, facts)


def _in_time(last: Reported, due_at: datetime | None) -> tuple[Outcome, Cause | None, str]:
    if last.kind == AWAITED:
        due = f"; the first is due by {timestamp(due_at)}" if due_at else ""
        return Outcome.UNKNOWN, None, f"the job hasn't reported yet{due}"
    when = timestamp(last.at)
    if last.kind in _WELL:
        took = f", after {last.took_s:.1f} s" if last.took_s is not None else ""
        return Outcome.PASS, None, f"the job reported success at {when}{took}"
    words = "failure" if last.kind == "fail" else f"exit status {last.kind}"
    said = f": {last.said}" if last.said else ""
    return Outcome.FAIL, Cause.ERROR_ANSWER, f"the job reported {words} at {when}{said}"


def _missed_at(heartbeat: Heartbeat, last: Reported) -> tuple[datetime | None, str]:
    """When the next report is missed, and in which words."""
    grace = show_duration(heartbeat.lateness_s)
    missed_at = heartbeat.missed_at(last.at)
    promise = show_duration(heartbeat.every_s) if heartbeat.every_s is not None else f'"{heartbeat.cron}"'
    since = "yet" if last.kind == AWAITED else f"since {timestamp(last.at)}"
    why = f"the job hasn't reported {since}: it should every {promise}, with {grace} of grace"
    if heartbeat.cron is not None:
        why = why.replace("it should every", "it should at")
    if last.started_at is not None:
        ends_at = last.started_at + timedelta(seconds=heartbeat.lateness_s)
        if missed_at is None or ends_at < missed_at:
            return ends_at, f"the job started at {timestamp(last.started_at)} and hasn't ended within {grace}"
    return missed_at, why
