"""What a rule found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trueup.diagnosis.evidence import Evidence
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, State


@dataclass(frozen=True, slots=True)
class Finding:
    """State, layer and cause, the sentence, the commands, and what speaks for it."""

    state: State
    summary: str
    layer: Layer | None = None
    cause: Cause | None = None
    next: tuple[str, ...] = ()
    supports: tuple[Observation, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    by_host: bool = False

    def on(self, layer: Layer) -> "Finding":
        """The same on another layer."""
        return replace(self, layer=layer)


def host_finding(
    evidence: Evidence, cause: Cause, summary: str, steps: tuple[str, ...], facts: Mapping[str, object]
) -> Finding:
    """A cause that the machine itself names: the target is down by it."""
    known = {name: value for name, value in facts.items() if value is not None}
    runbook = (f"Runbook: {evidence.target.runbook}",) if evidence.target.runbook else ()
    return Finding(State.DOWN, summary, Layer.HOST, cause, (*steps, *runbook), facts=known, by_host=True)


Rule = Callable[[Evidence], Finding | None]
"""Looks at the evidence and finds something, or doesn't. Its docstring is what ``explain`` says of it."""
