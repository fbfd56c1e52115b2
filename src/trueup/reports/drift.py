"""Latencies that grow: the last part of the time held against the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from trueup.domain.states import Layer
from trueup.reports.material import Material

_PART: Final = 4
"""The first and the last quarter are compared."""
_POINTS_MIN: Final = 8
_GROWTH_MIN: Final = 1.3
_GROWTH_MS_MIN: Final = 2.0
"""Less is the network's weather."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A layer of a target, how long it took at the median in the first part and in the last; ``series`` are
    the medians in order, ``worst_ms`` is the highest 95th percentile of the last part.
    """

    target: str
    layer: str
    before_ms: float
    after_ms: float
    worst_ms: float
    series: tuple[float, ...]

    @property
    def growth(self) -> float:
        return self.after_ms / self.before_ms if self.before_ms else 0.0


def drifts_of(material: Material) -> list[Drift]:
    """Those that grew, the most grown first."""
    found = (drift for name in material.histories for drift in _of(material, name))
    return sorted(found, key=lambda drift: (-drift.growth, drift.target, drift.layer))


def _of(material: Material, name: str) -> Iterator[Drift]:
    points = material.histories[name]["points"]
    for layer in Layer:
        took = [point["layers"][layer.value] for point in points if layer.value in point["layers"]]
        if len(took) < _POINTS_MIN:
            continue
        part = max(2, len(took) // _PART)
        before, after = (median(one["p50_ms"] for one in some) for some in (took[:part], took[-part:]))
        if before > 0 and after >= before * _GROWTH_MIN and after - before >= _GROWTH_MS_MIN:
            worst = max(one["p95_ms"] for one in took[-part:])
            yield Drift(name, layer.value, before, after, worst, tuple(one["p50_ms"] for one in took))
