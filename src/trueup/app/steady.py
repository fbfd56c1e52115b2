"""Targets that are well and stay so: all that a look changes then is when that was, and how long it took.

What people see of them is made when somebody asks for it, and not for each look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.app.asking_again import Known
from trueup.checks.observe import observe
from trueup.diagnosis.evidence import Evidence
from trueup.domain.states import LAYERS_OUTSIDE_IN, Layer, State
from trueup.domain.verdict import Verdict
from trueup.engine.transcript import Transcript
from trueup.monitor.memory import Memory
from trueup.monitor.policy import is_steady


@dataclass(slots=True)
class _Well:
    """``verdict`` and ``memory`` are what it was when it was judged; with others it's no longer this."""

    verdict: Verdict
    memory: Memory
    deepest: Layer
    newest: tuple[Known, Transcript, datetime] | None = None
    """A look since then, not yet made into observations."""


class Steady:
    """By a target's name: how it's well. The evaluator's own evidence, verdicts and memories are shared."""

    def __init__(
        self, evidence: dict[str, Evidence], verdicts: dict[str, Verdict], memories: Mapping[str, Memory]
    ) -> None:
        self._evidence, self._verdicts, self._memories = evidence, verdicts, memories
        self._well: dict[str, _Well] = {}

    def judged(self, name: str) -> None:
        """A look was judged in full."""
        verdict, memory = self._verdicts[name], self._memories[name]
        layers = [one.layer for one in verdict.observations if one.layer in LAYERS_OUTSIDE_IN]
        if verdict.state is State.UP and layers and is_steady(memory):
            self._well[name] = _Well(verdict, memory, max(layers, key=LAYERS_OUTSIDE_IN.index))
        else:
            self._well.pop(name, None)

    def holds(self, name: str) -> bool:
        """Whether it's well, and stays so if it answers the same again."""
        well = self._well.get(name)
        return (
            well is not None
            and well.verdict is self._verdicts.get(name)
            and well.memory is self._memories.get(name)
        )

    def seen_again(self, name: str, known: Known, transcript: Transcript, now: datetime) -> Layer:
        """A steady one answered the same again; the deepest layer that its looks reach."""
        transcript.forget_said()  # thousands are kept
        well = self._well[name]
        well.newest = known, transcript, now
        return well.deepest

    def renew(self, name: str, vantage: str) -> None:
        """Evidence and verdict are to show what the last look saw."""
        well = self._well.get(name)
        if well is None or well.newest is None or not self.holds(name):
            return
        (known, transcript, at), well.newest = well.newest, None
        seen = tuple(observe(known.check, transcript, at, vantage))
        self._evidence[name] = replace(self._evidence[name], observations=seen)
        self._verdicts[name] = well.verdict = replace(well.verdict, observations=seen)

    def forget(self, name: str) -> None:
        """It isn't watched any more."""
        self._well.pop(name, None)
