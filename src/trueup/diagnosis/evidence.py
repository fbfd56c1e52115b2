"""What is known of one target when it's judged."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.domain.observation import Observation
from trueup.domain.states import LAYERS_OUTSIDE_IN, Layer, Outcome
from trueup.domain.target import Target

if TYPE_CHECKING:  # most looks are well, and need no machine's word
    from datetime import datetime

    from trueup.host.facts import Process
    from trueup.host.report import HostReport


@dataclass(frozen=True, slots=True)
class Former:
    """The process that held the target's port when it was last held, and whether it has ended since.

    ``well_at``: when the target last answered, where others of the configured name may run beside it.
    """

    process: "Process"
    has_ended: bool
    well_at: "datetime | None" = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Fresh observations of one target, from every vantage; the rules read it and nothing else."""

    target: Target
    observations: tuple[Observation, ...] = field(default=())
    host: "HostReport | None" = None
    """What the target's machine says of itself, where that is known."""
    held_before: Former | None = None
    """Who held a port that nobody holds now, and that nothing else tells of."""

    def of(self, *outcomes: Outcome) -> list[Observation]:
        """The observations with one of these outcomes."""
        return [seen for seen in self.observations if seen.outcome in outcomes]

    def first_broken(self, outcome: Outcome) -> Observation | None:
        """Of several with this outcome: the first layer's, then the highest cause's, then the first seen."""
        found = [seen for seen in self.of(outcome) if seen.layer is not Layer.HOST]
        return min(found, key=_place, default=None)


def _place(seen: Observation) -> tuple[int, int]:
    return LAYERS_OUTSIDE_IN.index(seen.layer), seen.cause.rank if seen.cause else 1000
