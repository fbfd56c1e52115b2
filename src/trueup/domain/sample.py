"""What one look leaves in the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from trueup.domain.clock import timestamp
from trueup.domain.states import Layer, State


class Sample(NamedTuple):
    """The state that one look found, and how long each layer took in milliseconds (``latency_ms``)."""

    target: str
    at: datetime
    state: State
    latencies_ms: Mapping[Layer, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one layer took within a point: percentiles, in milliseconds, of ``n`` looks."""

    p50_ms: float
    p95_ms: float
    max_ms: float
    n: int


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a history. ``state`` is the worst in it; ``counts`` how many looks found which state."""

    at: datetime
    state: State
    layers: Mapping[Layer, Latency]
    counts: Mapping[State, int]

    def document(self) -> dict[str, Any]:
        """As the contract has it, with the counts beside."""
        return {
            "at": timestamp(self.at),
            "state": self.state.value,
            "layers": {
                layer.value: {
                    "p50_ms": took.p50_ms,
                    "p95_ms": took.p95_ms,
                    "max_ms": took.max_ms,
                    "n": took.n,
                }
                for layer, took in self.layers.items()
            },
            "counts": {state.value: n for state, n in self.counts.items()},
        }
