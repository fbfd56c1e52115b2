"""From what each look finds to what is confirmed: every transition, in one table. Pure.

A look finds a target well, ill, ill for sure (the machine itself says why), or finds nothing out. What is
held to be true is hard; what isn't confirmed yet is soft, and is counted in a row.

================  =============  =============  ==============  ================
held to be        well           ill            ill for sure    nothing found
================  =============  =============  ==============  ================
new               believe        count          believe         stay
well              stay           count          believe         count as unknown
ill               count passes   if it changed  believe         count as unknown
lost              believe        count          believe         stay
lost, while ill   count passes   believe        believe         stay
================  =============  =============  ==============  ================

An incident stays open while its target is lost: what isn't seen is not mended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from trueup.domain.causes import Cause
from trueup.domain.states import Layer, State
from trueup.domain.tier import Tier
from trueup.domain.verdict import Verdict
from trueup.monitor.flapping import is_flapping, with_result
from trueup.monitor.memory import Counting, Memory, Row, Trouble

SPARED: Final = 0.9
"""A look that comes this near to its time is in time."""
UNSURE_AGAIN_S: Final = 1.0
"""What couldn't be looked at is tried again no sooner than this."""
COMES_BACK_S: Final = 2.0
"""What may come back by itself is looked at again after this: then the machine may be sure."""
DOUBLINGS_MAX: Final = 30
_NOBODY_ANSWERS: Final = frozenset({Cause.REFUSED, Cause.NO_ANSWER, Cause.UNREACHABLE})
_LETTER: Final = {State.UP: "u", State.DEGRADED: "d", State.DOWN: "x"}
_STEADY: Final = Memory(hard=State.UP, is_new=False, results=_LETTER[State.UP])


class Change(Enum):
    """What a step did to what is confirmed."""

    OPENED = auto()
    """A trouble is confirmed where none was."""
    CHANGED = auto()
    """The trouble has another state, layer, cause or blame."""
    CLOSED = auto()
    """The trouble is over."""
    FLAPPING = auto()
    """The trouble comes and goes; from now on it's open until it stays away."""
    SETTLED = auto()
    """It no longer comes and goes, and is still there."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is remembered now, what changed, and when to look again (seconds from now) if not as planned."""

    memory: Memory
    change: Change | None = None
    again_s: float | None = None


class _Held(Enum):
    NEW = auto()
    WELL = auto()
    ILL = auto()
    LOST = auto()
    LOST_ILL = auto()


class _Found(Enum):
    WELL = auto()
    ILL = auto()
    SURE = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class _Look:
    memory: Memory
    verdict: Verdict
    policy: Tier
    now: datetime
    is_braked: bool

    @property
    def trouble(self) -> Trouble:
        return Trouble.of(self.verdict)

    @property
    def failures(self) -> int:
        return self.policy.confirm.failures + self.is_braked

    @property
    def passes_apart_s(self) -> float:
        return min(self.policy.confirm.apart_s, self.policy.every_s)


def step(memory: Memory, verdict: Verdict, policy: Tier, now: datetime, *, is_braked: bool = False) -> Step:
    """What one look, and nothing else, makes of the memory.

    ``verdict`` has its blame already. ``is_braked``: so much fails at once that one look more is wanted.
    """
    if verdict.state is State.UP and is_steady(memory):
        return Step(memory)  # as nearly always
    if verdict.state is not State.UNKNOWN:
        results = with_result(memory.results, _LETTER[verdict.state])
        if results != memory.results or memory.unknowns:
            memory = replace(memory, results=results, unknowns=0)
    look = _Look(memory, verdict, policy, now, is_braked)
    flaps = is_flapping(memory.results, was=memory.is_flapping)
    if flaps and not memory.is_flapping and _found(verdict) in (_Found.ILL, _Found.SURE):
        return _begin_to_flap(look)
    if memory.is_flapping and not flaps:
        return _settle(look)
    return TRANSITIONS[_held(memory), _found(verdict)](look)


def is_steady(memory: Memory) -> bool:
    """Whether a look that finds it well changes nothing."""
    return memory == _STEADY


def gone_stale(memory: Memory) -> Memory:
    """Nobody has looked for too long: what is held to be true is unknown, and what was soft is void."""
    return replace(memory, hard=State.UNKNOWN, row=None)


def _held(memory: Memory) -> _Held:
    if memory.hard is State.UNKNOWN:
        if memory.is_open:
            return _Held.LOST_ILL
        return _Held.NEW if memory.is_new else _Held.LOST
    return _Held.ILL if memory.is_open else _Held.WELL


def _found(verdict: Verdict) -> _Found:
    if verdict.state is State.UNKNOWN:
        return _Found.NOTHING
    if verdict.state is State.UP:
        return _Found.WELL
    return _Found.SURE if verdict.is_sure else _Found.ILL


# ---- what can be done with a look -----------------------------------------------------------------------


def _stay(look: _Look) -> Step:
    return Step(look.memory.without_row())


def _stay_unsure(look: _Look) -> Step:
    """Nothing found out: a row begun before goes on later."""
    memory, again_s = look.memory, _unsure_again_s(look)
    return Step(memory if again_s is None else replace(memory, unknowns=memory.unknowns + 1), again_s=again_s)


def _believe_well(look: _Look) -> Step:
    return Step(replace(look.memory, hard=State.UP, is_new=False, row=None))


def _believe_ill(look: _Look) -> Step:
    memory, trouble = look.memory, look.trouble
    known = replace(memory, hard=trouble.state, is_new=False, row=None, trouble=trouble)
    if not memory.is_open:
        return Step(known, Change.OPENED)
    if memory.is_flapping:
        return Step(replace(known, trouble=memory.trouble))
    return Step(known, Change.CHANGED)


def _believe_change(look: _Look) -> Step:
    """The machine's word explains at once what was seen from outside; its own words are counted."""
    known = look.memory.trouble
    return _found_again(look) if known and known.layer is Layer.HOST else _believe_ill(look)


def _count_failures(look: _Look) -> Step:
    row = _counted(look, Counting.FAILURES, look.policy.confirm.apart_s)
    is_down = row.n_state >= look.failures and look.verdict.state is State.DOWN
    is_degraded = row.n >= look.failures and look.verdict.state is State.DEGRADED
    if is_down or is_degraded:
        return _believe_ill(look)
    return _wait_for(look, row, look.policy.confirm.apart_s)


def _found_again(look: _Look) -> Step:
    """It's there again, or still: that was known, and is no news."""
    assert look.memory.trouble is not None
    return _perhaps_changed(replace(look, memory=replace(look.memory, hard=look.memory.trouble.state)))


def _perhaps_changed(look: _Look) -> Step:
    memory, trouble = look.memory, look.trouble
    if memory.is_flapping:
        return Step(replace(memory, hard=trouble.state, row=None))
    if trouble == memory.trouble or _is_explained(trouble, memory.trouble):
        return _stay(look)
    row = _counted(look, Counting.CHANGES, look.policy.confirm.apart_s)
    other_state = trouble.state is not memory.hard
    if row.n_trouble >= look.failures or (other_state and row.n_state >= look.failures):
        return _believe_ill(look)
    return _wait_for(look, row, look.policy.confirm.apart_s)


def _is_explained(trouble: Trouble, known: Trouble | None) -> bool:
    """Nobody answers, and the machine said why before: that it can't say so again is no news."""
    was_host = known is not None and known.layer is Layer.HOST and known.state is trouble.state
    return was_host and trouble.cause in _NOBODY_ANSWERS


def _count_passes(look: _Look) -> Step:
    row = _counted(look, Counting.PASSES, look.passes_apart_s)
    if row.n >= look.policy.recover and not look.memory.is_flapping:
        return Step(replace(look.memory, hard=State.UP, is_new=False, row=None, trouble=None), Change.CLOSED)
    return _wait_for(look, row, look.passes_apart_s)


def _count_unknown(look: _Look) -> Step:
    memory = replace(look.memory, unknowns=look.memory.unknowns + 1)
    if memory.unknowns >= look.policy.confirm.failures:
        memory = replace(memory, hard=State.UNKNOWN, row=None)
    return Step(memory, again_s=_unsure_again_s(look))


def _unsure_again_s(look: _Look) -> float | None:
    """A moment of our own trouble mustn't hide for an hour what is looked at once an hour.

    After twice as long each time, so that a trouble that lasts isn't made worse; None once that is no sooner
    than planned.
    """
    doublings = min(look.memory.unknowns, DOUBLINGS_MAX)
    again_s = max(UNSURE_AGAIN_S, look.policy.confirm.apart_s) * 2.0**doublings
    return again_s if again_s < look.policy.every_s else None


def _begin_to_flap(look: _Look) -> Step:
    """It begins with a failure, which needs no other to be believed."""
    trouble = look.memory.trouble or look.trouble
    state = look.trouble.state
    memory = replace(look.memory, hard=state, is_new=False, trouble=trouble, row=None, is_flapping=True)
    return Step(memory, Change.FLAPPING)


def _settle(look: _Look) -> Step:
    settled = replace(look, memory=replace(look.memory, is_flapping=False))
    if look.verdict.state not in (State.DOWN, State.DEGRADED):
        return TRANSITIONS[_held(settled.memory), _found(look.verdict)](settled)
    trouble = look.trouble
    return Step(replace(settled.memory, hard=trouble.state, trouble=trouble, row=None), Change.SETTLED)


# ---- rows -------------------------------------------------------------------------------------------------


def _counted(look: _Look, counting: Counting, apart_s: float) -> Row:
    """The row with this look; one that comes too soon after the last is seen, but doesn't count."""
    row, trouble = look.memory.row, look.trouble
    if row is None or row.counting is not counting:
        return Row(counting, look.now, look.now, trouble=trouble)
    since_s = (look.now - row.counted_at).total_seconds()
    counts = not 0 <= since_s < apart_s * SPARED
    same_state = row.trouble is not None and row.trouble.state is trouble.state
    return replace(
        row,
        counted_at=look.now if counts else row.counted_at,
        n=row.n + counts,
        n_state=row.n_state + counts if same_state else 1,
        n_trouble=row.n_trouble + counts if row.trouble == trouble else 1,
        trouble=trouble,
    )


def _wait_for(look: _Look, row: Row, apart_s: float) -> Step:
    due = row.counted_at + timedelta(seconds=apart_s)
    again_s = max(0.0, (due - look.now).total_seconds())
    soon_s = COMES_BACK_S if look.verdict.may_come_back else apart_s
    return Step(replace(look.memory, row=row), again_s=min(again_s, apart_s, soon_s))


TRANSITIONS: Final[Mapping[tuple[_Held, _Found], Callable[[_Look], Step]]] = {
    (_Held.NEW, _Found.WELL): _believe_well,
    (_Held.NEW, _Found.ILL): _count_failures,
    (_Held.NEW, _Found.SURE): _believe_ill,
    (_Held.NEW, _Found.NOTHING): _stay_unsure,
    (_Held.WELL, _Found.WELL): _stay,
    (_Held.WELL, _Found.ILL): _count_failures,
    (_Held.WELL, _Found.SURE): _believe_ill,
    (_Held.WELL, _Found.NOTHING): _count_unknown,
    (_Held.ILL, _Found.WELL): _count_passes,
    (_Held.ILL, _Found.ILL): _perhaps_changed,
    (_Held.ILL, _Found.SURE): _believe_change,
    (_Held.ILL, _Found.NOTHING): _count_unknown,
    (_Held.LOST, _Found.WELL): _believe_well,
    (_Held.LOST, _Found.ILL): _count_failures,
    (_Held.LOST, _Found.SURE): _believe_ill,
    (_Held.LOST, _Found.NOTHING): _stay_unsure,
    (_Held.LOST_ILL, _Found.WELL): _count_passes,
    (_Held.LOST_ILL, _Found.ILL): _found_again,
    (_Held.LOST_ILL, _Found.SURE): _believe_change,
    (_Held.LOST_ILL, _Found.NOTHING): _stay_unsure,
}
