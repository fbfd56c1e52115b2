"""The book of incidents: opened, changed, closed, and what is said of each, when, or why not yet. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from trueup.domain.alert import Alert, EventKind
from trueup.domain.duration import words_of
from trueup.domain.incident import Happening, Incident
from trueup.domain.states import State
from trueup.domain.target import Target
from trueup.domain.tier import Tier
from trueup.domain.verdict import Verdict
from trueup.monitor.case import Case
from trueup.monitor.holding import Hold, Needs, Newest
from trueup.monitor.memory import Counting, Memory, Trouble
from trueup.monitor.muting import Muting
from trueup.monitor.policy import Change, Step

ILL: Final = (State.DOWN, State.DEGRADED)
OWN: Final = "trueup"
"""What the monitor calls itself where it has an incident of its own."""
SEQS_EACH: Final = 2
"""Who hears of an incident first by a later event is told of its opening before: two rows."""


@dataclass(frozen=True, slots=True)
class Saying:
    """Something to be said of an incident. ``told`` are the channels that heard of its opening. ``seq`` and
    the number after it are its place among all that is said of the incident.
    """

    alert: Alert
    told: frozenset[str]
    seq: int


@dataclass(slots=True)
class Entries:
    """What was written into the book since it was asked last; ``ask`` are targets to look at now."""

    incidents: dict[int, Incident] = field(default_factory=dict)
    happenings: list[tuple[int, Happening]] = field(default_factory=list)
    sayings: list[Saying] = field(default_factory=list)
    ask: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.incidents or self.happenings or self.sayings or self.ask)


class Watch(Protocol):
    """What the book must know of the world besides its incidents."""

    @property
    def needs(self) -> Needs: ...

    @property
    def newest(self) -> Mapping[str, Newest]:
        """By a target's name, how it was found last."""
        ...

    @property
    def muting(self) -> Muting: ...

    def target(self, name: str) -> Target | None: ...

    def policy(self, name: str) -> Tier: ...


class Book:
    """All open incidents, one at most of each target. ``new_id`` gives an alert a name of its own;
    ``url_of`` is where people read about an incident.
    """

    def __init__(
        self,
        watch: Watch,
        cases: Iterable[Case] = (),
        *,
        last_id: int = 0,
        new_id: Callable[[], str],
        url_of: Callable[[int], str | None] = lambda _: None,
    ) -> None:
        self._watch = watch
        self._cases = {case.incident.target: case for case in cases}
        self._by_id = {case.incident.id: case for case in self._cases.values()}
        self._last_id = max([last_id, *self._by_id])
        self._new_id = new_id
        self._url_of = url_of
        self._entries = Entries()

    def case(self, target: str) -> Case | None:
        """The open incident of a target."""
        return self._cases.get(target)

    def cases(self) -> list[Case]:
        """All that are open."""
        return list(self._cases.values())

    def find(self, incident: int) -> Case | None:
        """The open incident of this number."""
        return self._by_id.get(incident)

    def last_seen_down(self, names: Iterable[str]) -> dict[str, Verdict]:
        """Of targets that nobody sees now, those that were down when somebody did: they are until they're
        seen again, as after a restart.
        """
        known = [self._cases[name].incident for name in names if name in self._cases]
        return {
            one.target: Verdict(one.target, one.state, one.summary, one.layer, one.cause, one.blame, one.next)
            for one in known
            if one.state is State.DOWN
        }

    def restated(self, incident: int, now: datetime) -> Alert | None:
        """What is to be said of an open incident now, for receivers that forget what they were told."""
        case = self.find(incident)
        if case is None:
            return None
        return self._alert(case.incident, EventKind.REMINDER, case.incident.summary, now)

    @property
    def has_entries(self) -> bool:
        """Whether ``taken`` would bring something."""
        return bool(self._entries)

    def taken(self) -> Entries:
        """What was written since the last time."""
        entries, self._entries = self._entries, Entries()
        return entries

    # ---- what the policy says --------------------------------------------------------------------------

    def enter(self, before: Memory, taken: Step, verdict: Verdict, now: datetime) -> None:
        """Write down what one step of the policy changed, and say what is to be said."""
        case = self._cases.get(verdict.target)
        if taken.change is Change.CLOSED and case is not None:
            self._close(case, now, f"up again after {words_of(_lasted_s(case, now))}")
            return
        if taken.change is not None and taken.memory.trouble is not None:
            if case is None:
                case = self._open(verdict, before, taken.memory.trouble, now)
            elif taken.change in (Change.CHANGED, Change.SETTLED):
                self._change(case, verdict, now)
            self._flap(case, taken, now)
        elif case is not None and taken.memory.hard is State.UNKNOWN and before.hard is not State.UNKNOWN:
            self._note(case, now, f"nobody can see it any more: {verdict.summary}")
        if case is not None:
            self._settle(case, now)

    def _open(self, verdict: Verdict, before: Memory, trouble: Trouble, now: datetime) -> Case:
        self._last_id += 1
        row = before.row if before.row is not None and before.row.counting is Counting.FAILURES else None
        case = Case(
            Incident(
                id=self._last_id,
                target=verdict.target,
                tier=self._tier(verdict.target),
                state=trouble.state,
                summary=verdict.summary,
                opened_at=row.began_at if row is not None else now,
                confirmed_at=now,
                layer=trouble.layer,
                cause=trouble.cause,
                blame=trouble.blame,
                next=verdict.next,
            )
        )
        self._cases[verdict.target] = self._by_id[case.incident.id] = case
        self._keep(case)
        if row is not None:
            self._note(case, row.began_at, "failed for the first time")
        self._note(case, now, f"{trouble.state}, confirmed: {verdict.summary}")
        return case

    def _change(self, case: Case, verdict: Verdict, now: datetime) -> None:
        case.incident = replace(
            case.incident,
            state=verdict.state,
            layer=verdict.layer,
            cause=verdict.cause,
            blame=verdict.blame,
            summary=verdict.summary,
            next=verdict.next,
        )
        self._keep(case)
        self._note(case, now, f"{verdict.state} now: {verdict.summary}")

    def _flap(self, case: Case, taken: Step, now: datetime) -> None:
        if taken.memory.is_flapping == case.is_flapping:
            return
        case.is_flapping = taken.memory.is_flapping
        words = "it comes and goes: flapping" if case.is_flapping else "it no longer comes and goes"
        self._note(case, now, words)

    def _tier(self, name: str) -> int:
        target = self._watch.target(name)
        return target.tier if target is not None else 1

    # ---- the monitor itself ----------------------------------------------------------------------------

    def own_trouble(self, verdict: Verdict, now: datetime) -> None:
        """Open an incident of the monitor itself, at once, if there's none; ``verdict`` is of ``OWN``."""
        if verdict.target not in self._cases:
            self._settle(self._open(verdict, Memory(), Trouble.of(verdict), now), now)

    def own_recovery(self, why: str, now: datetime) -> None:
        """The monitor itself is well again."""
        self.drop(OWN, why, now)

    # ---- the end ---------------------------------------------------------------------------------------

    def drop(self, target: str, why: str, now: datetime) -> None:
        """Close a target's incident because nobody looks at it any more."""
        case = self._cases.get(target)
        if case is not None:
            self._close(case, now, why)

    def _close(self, case: Case, now: datetime, why: str) -> None:
        del self._cases[case.incident.target], self._by_id[case.incident.id]
        case.incident = replace(case.incident, closed_at=now, held_by=None)
        self._keep(case)
        self._note(case, now, f"closed: {why}")
        if case.said is not None:
            cause = f"; it was {case.incident.cause}" if case.incident.cause else ""
            self._say(case, EventKind.CLOSED, f"{case.incident.target} is {why}{cause}", now)
        else:
            self._note(case, now, "nobody was told of it")

    # ---- what people do --------------------------------------------------------------------------------

    def acknowledge(self, incident: int, by: str, note: str, now: datetime) -> bool:
        """Somebody sees to it: no more reminders. Whether there's such an open incident."""
        case = self.find(incident)
        if case is None:
            return False
        case.incident = replace(case.incident, acknowledged_by=by, acknowledged_at=now)
        self._keep(case)
        self._note(case, now, f"acknowledged by {by}" + (f": {note}" if note else ""))
        return True

    def add_note(self, incident: int, by: str, text: str, now: datetime) -> bool:
        """Write a line into the timeline. Whether there's such an open incident."""
        case = self.find(incident)
        if case is not None:
            self._note(case, now, f"{by}: {text}")
        return case is not None

    # ---- saying it -------------------------------------------------------------------------------------

    def tick(self, now: datetime) -> None:
        """Say what was held, and say again or louder what is still broken, where its time has come."""
        for case in list(self._cases.values()):
            self._settle(case, now)

    def told(self, incident: int, channels: Iterable[str]) -> None:
        """These channels hear of its opening, and so of its end."""
        case = self.find(incident)
        if case is not None:
            case.told |= frozenset(channels)

    def _settle(self, case: Case, now: datetime) -> None:
        event = case.unsaid or self._again(case, now)
        if event is None:
            self._hold(case, None, now)
            return
        held = next((why for gate in GATES if (why := gate(self._watch, case, now)) is not None), None)
        self._hold(case, held, now)
        if held is not None:
            self._entries.ask.update(held.ask)
            return
        if event is EventKind.ESCALATED:
            case.is_escalated = True
        if event in (EventKind.OPENED, EventKind.CHANGED):
            case.said, case.said_flapping = case.trouble, case.is_flapping
        case.said_at = now
        self._say(case, event, _words(case, event, now), now)

    def _again(self, case: Case, now: datetime) -> EventKind | None:
        """Whether it's time to say louder, or again, what was said already."""
        policy, since_at = self._watch.policy(case.incident.target), case.incident.confirmed_at
        if case.incident.acknowledged_by is not None or case.said_at is None or since_at is None:
            return None
        escalate = policy.escalate
        if escalate is not None and not case.is_escalated and now - since_at >= _span(escalate.after_s):
            return EventKind.ESCALATED
        remind_s = policy.remind_s
        return EventKind.REMINDER if remind_s is not None and now - case.said_at >= _span(remind_s) else None

    def _hold(self, case: Case, held: Hold | None, now: datetime) -> None:
        by = held.by if held is not None and held.by != case.incident.target else None
        if by != case.incident.held_by:
            case.incident = replace(case.incident, held_by=by)
            self._keep(case)
        why = held.why if held is not None else ""
        if why and why != case.held_why:
            self._note(case, now, f"nobody is told yet: {why}")
        case.held_why = why

    def _say(self, case: Case, event: EventKind, summary: str, now: datetime) -> None:
        case.seq += SEQS_EACH
        alert = self._alert(case.incident, event, summary, now)
        self._entries.sayings.append(Saying(alert, case.told, case.seq))

    def _alert(self, one: Incident, event: EventKind, summary: str, now: datetime) -> Alert:
        is_over = event is EventKind.CLOSED
        return Alert(
            id=self._new_id(),
            event=event,
            at=now,
            incident=one.id,
            target=one.target,
            tier=one.tier,
            state=State.UP if is_over else one.state,
            summary=summary,
            layer=one.layer,
            cause=one.cause,
            blame=one.blame,
            next=() if is_over else one.next,
            impact=self._watch.needs.impact(one.target),
            url=self._url_of(one.id),
            since=one.opened_at,
            host=target.machine if (target := self._watch.target(one.target)) is not None else None,
        )

    def _note(self, case: Case, at: datetime, what: str) -> None:
        self._entries.happenings.append((case.incident.id, Happening(at, what)))

    def _keep(self, case: Case) -> None:
        self._entries.incidents[case.incident.id] = case.incident


# ---- what stands in the way, in this order ----------------------------------------------------------------


def _not_seen_now(watch: Watch, case: Case, _now: datetime) -> Hold | None:
    """It was well at the last look, or nobody could look: perhaps it's over. What flaps is well at times."""
    newest = watch.newest.get(case.incident.target)
    if case.is_flapping or newest is None or newest.state in ILL:
        return None
    why = "it was well at the last look" if newest.state is State.UP else "nobody can see it now"
    return Hold(case.incident.target, why)


def _for_want_of_another(watch: Watch, case: Case, now: datetime) -> Hold | None:
    if case.incident.state is not State.DOWN:
        return None
    return watch.needs.hold(case.incident.target, watch.newest, case.incident.confirmed_at or now, now)


def _by_people(watch: Watch, case: Case, now: datetime) -> Hold | None:
    target = watch.target(case.incident.target)
    muted = watch.muting.of(target, now) if target is not None else None
    return Hold(case.incident.target, muted.why) if muted is not None else None


GATES: Final = (_not_seen_now, _for_want_of_another, _by_people)


def _words(case: Case, event: EventKind, now: datetime) -> str:
    one = case.incident
    said = f"{one.target} is flapping, it comes and goes: {one.summary}" if case.is_flapping else one.summary
    if event in (EventKind.REMINDER, EventKind.ESCALATED):
        return f"{said} (for {words_of(_lasted_s(case, now))} now)"
    return said


def _lasted_s(case: Case, now: datetime) -> float:
    return max(0.0, (now - case.incident.opened_at).total_seconds())


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
