"""What the evidence says: state, first broken layer, cause, blame, and what to do next."""

from dataclasses import dataclass, field
from typing import Final

from trueup.domain.causes import Cause
from trueup.domain.observation import Facts, Observation
from trueup.domain.states import Layer, State

MAY_COME_BACK: Final = "may_come_back"
"""A fact: what should answer started or ended just now. It may still be starting, or be restarted."""


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
        return self.state is State.DOWN and self.layer is Layer.HOST and not self.may_come_back

    @property
    def may_come_back(self) -> bool:
        """Whether the machine says that it's just starting or being restarted, as far as can be told."""
        return bool(self.facts.get(MAY_COME_BACK))

    def says_as(self, other: "Verdict") -> bool:
        """Whether people read the same in both, but for when and how long."""
        return (self.state, self.summary, self.next) == (other.state, other.summary, other.next)
