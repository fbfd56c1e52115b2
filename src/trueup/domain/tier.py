"""How much a target matters: how often it's looked at, what confirms a failure, who hears of it when."""

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from trueup.domain.limits import AtLeast

TIER_DEFAULT: Final = 2
"""The tier of a target that names none."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """``failures`` in a row, ``apart`` from each other, make a soft state hard."""

    failures: Annotated[int, AtLeast(1)] = 2
    apart_s: Annotated[float, AtLeast(0)] = 30.0


@dataclass(frozen=True, slots=True)
class Escalate:
    """What is still broken ``after`` this long is said again, at any hour; ``alert`` as in the tier."""

    after_s: float
    alert: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """``every``: the interval between looks. ``recover``: passes in a row that end an incident.

    ``when``: at which hours it alerts. ``remind``: how often it says again that it's still broken, null
    for never. ``alert``: names of channels; left out it is all of them, ``[]`` is none.
    """

    every_s: Annotated[float, AtLeast(0.1)] = 300.0
    confirm: Confirm = field(default_factory=Confirm)
    recover: Annotated[int, AtLeast(1)] = 2
    when: Literal["always", "business"] = "always"
    remind_s: Annotated[float, AtLeast(1)] | None = None
    escalate: Escalate | None = None
    alert: tuple[str, ...] | None = None
