"""What the evidence says: state, first broken layer, cause, blame, and what to do next."""

from dataclasses import dataclass, field

from trueup.domain.causes import Cause
from trueup.domain.observation import Facts, Observation
from trueup.domain.states import Layer, State


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

    def says_as(self, other: "Verdict") -> bool:
        """Whether people read the same in both, but for when and how long."""
        return (self.state, self.summary, self.next) == (other.state, other.summary, other.next)
