"""What is counted and measured of the monitor itself and of its targets, for whoever collects it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reading:
    """One number. ``ending`` is that of its name within a histogram: ``_bucket``, ``_sum`` or ``_count``."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Readings of one name; ``says`` is the line that explains it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    says: str
    readings: tuple[Reading, ...] = ()
