"""The evaluator: what was seen becomes verdicts, hard states and incidents. It does no input or output."""

import json
import logging
import secrets as randomness
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from trueup.app.asking_again import Known
from trueup.app.hidden import Hidden
from trueup.app.same_again import judged
from trueup.app.steady import Steady
from trueup.app.watched import Watched
from trueup.diagnosis.document import target_document
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.explain import explanation
from trueup.diagnosis.judge import blame, judge
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock, timestamp
from trueup.domain.duration import words_of
from trueup.domain.incident import IncidentRecord
from trueup.domain.sample import Sample
from trueup.domain.states import Layer, State
from trueup.domain.target import Target
from trueup.domain.tier import Tier
from trueup.domain.verdict import Verdict
from trueup.engine.transcript import Transcript
from trueup.monitor.book import ILL, OWN, Book, Entries
from trueup.monitor.brake import Brake
from trueup.monitor.case import recalled
from trueup.monitor.holding import Needs, Newest
from trueup.monitor.memory import Counting, Memory, from_json, read, to_json
from trueup.monitor.metrics import Metrics, TargetNow
from trueup.monitor.muting import Muting
from trueup.monitor.policy import gone_stale, step
from trueup.store.state import Kept, Remembered

_NEVER: Final = Memory()
_UNSEEN: Final = Newest()
_LOG = logging.getLogger("trueup")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came of one look: ``again_s`` is when to look again, in seconds, if not as planned."""

    verdict: Verdict
    again_s: float | None
    began_to_fail: bool
    recovered: bool


class Evaluator:
    """Of all targets that are watched. Everything is called on one loop, and nothing waits."""

    def __init__(self, watched: Watched, clock: Clock, *, url: str | None = None) -> None:
        """``url`` is where people read about incidents."""
        self._clock = clock
        self._url = url
        self.metrics = Metrics()
        self.muting = Muting(())
        self._memories: dict[str, Memory] = {}
        self._alone: dict[str, Verdict] = {}
        self._evidence: dict[str, Evidence] = {}
        self._since: dict[str, tuple[State, str]] = {}
        self._newest: dict[str, Newest] = {}
        self._steady = Steady(self._evidence, self._alone, self._memories)
        self._changed: set[str] = set()
        self._samples: list[Sample] = []
        self._started_at = clock.now()
        self.book = self._new_book((), 0)
        self._take_up(watched)

    def _take_up(self, watched: Watched) -> None:
        self.watched = watched
        self._by_name = {target.name: target for target in watched.targets}
        self.needs = Needs(watched.targets)
        self._brake = Brake(sum(watched.is_looked_at(target) for target in watched.targets))
        configuration = watched.configuration
        self._hidden = Hidden(watched, self.needs)
        self.muting.plan(configuration.maintenance if configuration is not None else ())
        for target in watched.targets:
            known = self._newest.get(target.name, _UNSEEN)
            self._newest[target.name] = replace(known, is_asked=watched.is_looked_at(target))

    def _new_book(self, records: Iterable[tuple[IncidentRecord, Any]], last_id: int) -> Book:
        return Book(
            self,
            [recalled(record, kept) for record, kept in records],
            last_id=last_id,
            new_id=lambda: randomness.token_hex(16),
            url_of=lambda incident: f"{self._url}/incidents/{incident}" if self._url else None,
        )

    # ---- what the book asks ----------------------------------------------------------------------------

    @property
    def newest(self) -> Mapping[str, Newest]:
        return self._newest

    def target(self, name: str) -> Target | None:
        return self._by_name.get(name)

    def policy(self, name: str) -> Tier:
        target = self._by_name.get(name)
        return self.watched.policy(target) if target is not None else Tier()

    # ---- beginning, and beginning anew -----------------------------------------------------------------

    def recall(self, remembered: Remembered) -> None:
        """Go on where the last run ended. The verdicts themselves are old, and aren't shown."""
        cases: dict[str, Any] = {}
        for name, kept in remembered.kept.items():
            memory = read(kept.memory)
            cases[name] = memory.get("case")
            if name in self._by_name:
                self._since[name] = (State(kept.state), kept.since)
                self._memories[name] = from_json(memory.get("policy"))
        self.muting.put(*remembered.silences)
        records = [(record, cases.get(record.incident.target)) for record in remembered.incidents]
        self.book = self._new_book(records, remembered.last_incident_id)
        for name in self._by_name:
            case = self.book.case(name)
            known = self._memory(name).with_incident(case.trouble if case is not None else None)
            if known is not _NEVER:
                self._memories[name] = known
            if case is not None:
                self._newest[name] = replace(self._newest[name], is_open=True)
        self._drop_unwatched()

    def replace(self, watched: Watched) -> list[str]:
        """Watch something else from now on; a target of the same name goes on with what is known of it.

        Where what is asked of it has changed, what wasn't confirmed is void. Returns these and the new ones.
        """
        before = self.watched
        known = {target.name: target for target in before.targets}
        self._take_up(watched)
        changed = [
            target.name
            for target in watched.targets
            if known.get(target.name) != target
            or before.checks.get(target.name) != watched.checks.get(target.name)
        ]
        for name in changed:
            if name in self._memories:
                self._remember(name, self._memories[name].without_row())
        for name in known.keys() - self._by_name.keys():
            self._forget(name)
        self._drop_unwatched()
        return changed

    def _forget(self, name: str) -> None:
        for kept in (self._memories, self._alone, self._evidence, self._since, self._newest):
            kept.pop(name, None)
        self._changed.discard(name)
        self._steady.forget(name)
        self.metrics.forget(name)

    def _drop_unwatched(self) -> None:
        now = self._clock.now()
        for case in self.book.cases():
            target = self._by_name.get(case.incident.target)
            if case.incident.target == OWN and target is None:
                continue
            if target is None:
                self.book.drop(case.incident.target, "no longer watched", now)
            elif not target.enabled:
                self.book.drop(target.name, "no longer looked at: it is configured with enabled: false", now)
                self._alone.pop(target.name, None)
                self._remember(target.name, Memory())
                self._newest[target.name] = Newest(is_asked=False)

    # ---- one look --------------------------------------------------------------------------------------

    def looked(self, name: str, evidence: Evidence, began_at: datetime) -> Evaluated:
        """Judge what a look that began at ``began_at`` brought, and write down what it changes."""
        now = self._clock.now()
        took_ms = self.metrics.looked(name, evidence.target.kind.value, evidence.observations)
        evaluated = self._evaluate(name, evidence, judged(self._alone.get(name), evidence), began_at, now)
        self._samples.append(Sample(name, now, evaluated.verdict.state, took_ms))
        return evaluated

    def is_steady(self, name: str) -> bool:
        """Whether it's well, and stays so if it answers the same again."""
        return self._steady.holds(name)

    def seen_again(
        self, name: str, known: Known, transcript: Transcript, took_ms: dict[Layer, float], began_at: datetime
    ) -> None:
        """A steady target answered as before: the same as ``looked``, for hardly anything."""
        now, target = self._clock.now(), self._by_name[name]
        deepest = self._steady.seen_again(name, known, transcript, now)
        self.metrics.passed(name, target.kind.value, took_ms, deepest)
        self._samples.append(Sample(name, now, State.UP, took_ms))
        if self.needs.impact(name):  # nobody else asks when a look at what is well began
            self._newest[name] = replace(self._newest[name], looked_at=began_at)

    def heard(self, name: str, evidence: Evidence) -> None:
        """A machine says more about what was seen before: that is no new look, but may explain the last."""
        verdict = judge(evidence)
        if verdict.is_sure:
            began_at = self._newest[name].looked_at or self._clock.now()
            self._evaluate(name, evidence, verdict, began_at, self._clock.now())
        else:
            self._evidence[name], self._alone[name] = evidence, verdict
            self._changed.add(name)

    def nobody_looked(self, name: str, for_s: float) -> None:
        """It's too long since the last look: what isn't looked at is unknown."""
        target, now = self._by_name[name], self._clock.now()
        words = f"Nobody knows about {name}: it hasn't been looked at for {words_of(for_s)}"
        self._alone[name] = Verdict(name, State.UNKNOWN, words, None, Cause.MONITOR_STARVED)
        self._evidence[name] = Evidence(target)
        self._newest[name] = replace(self._newest[name], state=State.UNKNOWN)
        self._remember(name, gone_stale(self._memory(name)))
        self._note_state(name, State.UNKNOWN, now)
        self._changed.add(name)

    def void_what_is_soft(self, why: str) -> None:
        """Time has passed without us: no failure from before and one from after are two in a row.

        Until it's looked at again, nobody knows how anything is.
        """
        now = self._clock.now()
        for name, memory in list(self._memories.items()):
            self._remember(name, memory.without_row())
        for name in self._alone:
            words = f"Nobody knows about {name}: {why}"
            self._alone[name] = Verdict(name, State.UNKNOWN, words, None, Cause.MONITOR_STARVED)
            self._newest[name] = replace(self._newest[name], state=State.UNKNOWN)
            self._note_state(name, State.UNKNOWN, now)

    def own_trouble(self, summary: str, cause: Cause, steps: tuple[str, ...]) -> None:
        """The monitor itself is in trouble: people are told as of any target, if none has its name."""
        if OWN not in self._by_name:
            verdict = Verdict(OWN, State.DEGRADED, summary, Layer.FUNCTION, cause, OWN, steps)
            self.book.own_trouble(verdict, self._clock.now())

    def own_recovery(self, why: str) -> None:
        """It's over."""
        if OWN not in self._by_name:
            self.book.own_recovery(why, self._clock.now())

    def is_confirming(self, name: str) -> bool:
        """Whether the next look is to confirm a failure: it varies what it can."""
        row = self._memory(name).row
        return row is not None and row.counting is Counting.FAILURES

    def _evaluate(
        self, name: str, evidence: Evidence, alone: Verdict, began_at: datetime, now: datetime
    ) -> Evaluated:
        shown = self._alone.get(name)
        self._evidence[name], self._alone[name] = evidence, alone
        verdict = self._blamed(name)
        if verdict.state in ILL:
            verdict = self._hidden.verdict(verdict)
        memory, last = self._memory(name), self._newest[name]
        now_s = self._clock.monotonic_s()
        if verdict.state is State.DOWN and memory.hard is State.UP and memory.row is None:
            self._brake.went_bad(name, now_s)
        taken = step(
            memory,
            verdict,
            self.policy(name),
            now,
            is_braked=verdict.state in ILL and self._brake.is_on(now_s),
        )
        recovered = last.is_down and verdict.state in (State.UP, State.DEGRADED)
        self._newest[name] = Newest(
            verdict.state,
            began_at,
            now if recovered else last.recovered_at,
            is_asked=True,
            is_open=taken.memory.is_open,
        )
        if self._newest[name].is_down != last.is_down:
            # What those say who need it depends on it.
            self._changed.update(one for one in self.needs.impact(name) if self.is_ill(one))
        self._note_state(name, verdict.state, now, verdict.summary)
        self._remember(name, taken.memory)
        if taken.change is not None or memory.is_open:
            self.book.enter(memory, taken, verdict, now)
            if taken.change is not None or shown is None or not alone.says_as(shown):
                self._changed.add(name)
        self._steady.judged(name)
        began = taken.memory.row is not None and memory.row is None and verdict.state in ILL
        return Evaluated(verdict, taken.again_s, began_to_fail=began, recovered=recovered)

    def _memory(self, name: str) -> Memory:
        return self._memories.get(name, _NEVER)

    def _remember(self, name: str, memory: Memory) -> None:
        if memory is not self._memories.get(name):
            self._memories[name] = memory
            self._changed.add(name)

    def _note_state(self, name: str, state: State, now: datetime, summary: str = "") -> None:
        before, _ = self._since.get(name, (None, ""))
        if state is not before:
            self._since[name] = (state, timestamp(now))
            self._changed.add(name)
            if summary:
                _LOG.info("%s is %s: %s", name, state, self._hidden.text(name, summary))

    def _blamed(self, name: str) -> Verdict:
        """Its newest verdict with the blame where it belongs."""
        verdict = self._alone.get(name)
        if verdict is None:
            return judge(Evidence(self._by_name[name]))
        wanted = self.needs.of(name) if verdict.state is State.DOWN else ()
        if not wanted:
            return verdict
        known = {one: self._alone[one] for one in (*wanted, name) if one in self._alone}
        known |= self.book.last_seen_down(one for one in wanted if self._newest[one].state is State.UNKNOWN)
        return blame([self._by_name[one] for one in (*wanted, name)], known)[name]

    # ---- what is shown ---------------------------------------------------------------------------------

    def documents(self) -> list[dict[str, Any]]:
        """Every target as the contract's element, in the order of the configuration."""
        return [self.document(target) for target in self.watched.targets]

    def document(self, target: Target) -> dict[str, Any]:
        """One target as the contract's element, with what a running monitor adds."""
        name = target.name
        self._steady.renew(name, self.watched.location.name)
        verdict = self._blamed(name)
        _, since = self._since.get(name, (State.UNKNOWN, timestamp(self._started_at)))
        shown = target_document(target, verdict)
        hidden = {key: self._hidden.value(name, shown[key]) for key in ("summary", "next", "observations")}
        case, memory = self.book.case(name), self._memory(name)
        is_hard = name in self._alone and not memory.is_new and memory.hard is verdict.state
        incident = case.incident.id if case is not None else None
        return {**shown, **hidden, "since": since, "hard": is_hard, "tier": target.tier, "incident": incident}

    def explained(self, target: Target) -> dict[str, Any]:
        """The same, and why: the evidence in order of time, the rules, the log, and what's missing."""
        self._steady.renew(target.name, self.watched.location.name)
        evidence = self._evidence.get(target.name, Evidence(target))
        why: dict[str, Any] = self._hidden.value(target.name, explanation(evidence))
        return self.document(target) | why

    def hard_state(self, name: str) -> State:
        """The last confirmed state; unknown for what was never seen, or is no target."""
        return self._memory(name).hard if name in self._by_name else State.UNKNOWN

    def state(self, name: str) -> State:
        """The newest state."""
        return self._newest.get(name, _UNSEEN).state

    def is_ill(self, name: str) -> bool:
        """Whether its last look found it down or degraded."""
        return self.state(name) in ILL

    def was_looked_at(self, name: str) -> bool:
        return name in self._alone

    def targets_now(self) -> list[TargetNow]:
        """For the metrics."""
        names = [target.name for target in self.watched.targets]
        return [TargetNow.of(name, self._memory(name), self._alone.get(name)) for name in names]

    # ---- what is to be kept ----------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether ``taken`` would bring something."""
        return bool(self._changed) or self.book.has_entries

    def taken(self) -> tuple[set[str], Entries]:
        """The names of those that changed, and what was written into the book, since the last time."""
        changed, self._changed = self._changed, set()
        entries = self.book.taken()
        changed.update(one.target for one in entries.incidents.values() if one.target in self._by_name)
        changed.update(one.alert.target for one in entries.sayings if one.alert.target in self._by_name)
        return changed, entries

    def keep_all(self) -> None:
        """Everything is to be stored again: the store has lost what it had."""
        self._changed.update(name for name in self._by_name if name in self._memories)

    def samples(self) -> list[Sample]:
        """The looks since the last time."""
        samples, self._samples = self._samples, []
        return samples

    def kept(self, name: str) -> Kept:
        """What must outlive the process of one target."""
        state, since = self._since.get(name, (State.UNKNOWN, timestamp(self._started_at)))
        case = self.book.case(name)
        memory = {
            "policy": to_json(self._memory(name)),
            "case": case.to_json() if case is not None else None,
        }
        shown = json.dumps(self.document(self._by_name[name]))
        return Kept(name, state.value, since, timestamp(self._clock.now()), shown, json.dumps(memory))
