"""Verdicts over time, told shortly: each letter is a look."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from trueup.domain.causes import Cause
from trueup.domain.states import Layer, State
from trueup.domain.tier import Confirm, Tier
from trueup.domain.verdict import Verdict
from trueup.monitor.memory import Memory
from trueup.monitor.policy import Change, Step, step

BEGAN_AT = datetime(2026, 11, 30, 9, tzinfo=UTC)
POLICY = Tier(every_s=60.0, confirm=Confirm(2, 30.0), recover=2)

_VERDICTS = {
    "u": (State.UP, None, None),
    "d": (State.DEGRADED, Layer.SERVICE, Cause.SLOW),
    "x": (State.DOWN, Layer.PORT, Cause.REFUSED),
    "s": (State.DOWN, Layer.SERVICE, Cause.SILENT),
    "h": (State.DOWN, Layer.HOST, Cause.CRASHED),
    "o": (State.DOWN, Layer.HOST, Cause.OUT_OF_MEMORY),
    "?": (State.UNKNOWN, Layer.PORT, Cause.MONITOR_STARVED),
}
LETTERS = "".join(_VERDICTS)


def verdict(letter: str, target: str = "shop-db", blame: str | None = None) -> Verdict:
    """u up, d degraded, x and s down, h and o down by the host's word, ? unknown."""
    state, layer, cause = _VERDICTS[letter]
    ill = state in (State.DOWN, State.DEGRADED)
    words = f"{target} is {state}" + (f": {cause}" if cause else "")
    return Verdict(target, state, words, layer, cause, (blame or target) if ill else None)


def steps(
    looks: str, *, policy: Tier = POLICY, apart_s: float = 60.0, memory: Memory | None = None
) -> Iterator[Step]:
    """What each look of a story did; they come ``apart_s`` apart."""
    known = memory or Memory()
    for number, letter in enumerate(looks):
        taken = step(known, verdict(letter), policy, BEGAN_AT + timedelta(seconds=number * apart_s))
        known = taken.memory
        yield taken


def changes(looks: str, *, policy: Tier = POLICY, apart_s: float = 60.0) -> list[Change | None]:
    return [taken.change for taken in steps(looks, policy=policy, apart_s=apart_s)]


def hard(looks: str, *, policy: Tier = POLICY, apart_s: float = 60.0) -> str:
    """The hard state after each look: u, d, x or ? as above."""
    letters = {State.UP: "u", State.DEGRADED: "d", State.DOWN: "x", State.UNKNOWN: "?"}
    return "".join(letters[taken.memory.hard] for taken in steps(looks, policy=policy, apart_s=apart_s))
