"""What the evidence says: state, first broken layer, cause, blame, and what to do next."""

from dataclasses import dataclass, field
from typing import Final

from trueup.domain.causes import Cause
from trueup.domain.observation import Facts, Observation
from trueup.domain.states import Layer, State

MAY_BE_STARTING: Final = "may_be_starting"
"""A fact: what should answer started just now, and may not be done with that."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target, judged. ``layer``, ``cause`` and ``blame`` are None and ``next`` empty when up."""

    target: str
    state: State
    summary: str
    layer: Layer | None = None
    cause: Cause | None = None
    blame: str | None = None
    next: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    facts: Facts = field(default_factory=dict)

    @property
    def is_sure(self) -> bool:
        """Whether one look is enough: the machine itself says why it's down, and waiting changes nothing."""
        by_host = self.state is State.DOWN and self.layer is Layer.HOST
        return by_host and not self.facts.get(MAY_BE_STARTING)

    def says_as(self, other: "Verdict") -> bool:
        """Whether people read the same in both, but for when and how long."""
        return (self.state, self.summary, self.next) == (other.state, other.summary, other.next)
