"""What is counted of looks and alerts, and measured of targets."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Self

from trueup.domain.metric import Family, Reading
from trueup.domain.observation import Observation
from trueup.domain.states import LAYERS_OUTSIDE_IN, Layer, Outcome, State
from trueup.domain.target import Kind
from trueup.domain.verdict import Verdict
from trueup.monitor.memory import Memory

BUCKETS_S: Final = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)
LATE_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
_DEPTH: Final = {layer: place for place, layer in enumerate(LAYERS_OUTSIDE_IN)}
_WORST_FIRST: Final = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.SLOW, Outcome.PASS)


@dataclass(frozen=True, slots=True)
class TargetNow:
    """A target's part of the metrics: its last hard state, and the cause where it isn't up."""

    name: str
    state: State
    cause: str | None

    @classmethod
    def of(cls, name: str, memory: Memory, verdict: Verdict | None) -> Self:
        """By what is confirmed of it, and by its newest verdict where nothing is known."""
        if memory.hard is not State.UNKNOWN:
            cause = memory.trouble.cause if memory.trouble is not None else None
        else:
            cause = verdict.cause if verdict is not None and verdict.state is State.UNKNOWN else None
        return cls(name, memory.hard, cause.value if cause is not None else None)


class Metrics:
    """Counts since the start."""

    def __init__(self) -> None:
        self._checks: Counter[tuple[Layer, Outcome]] = Counter()
        self._newest_ms: dict[str, Mapping[Layer, float]] = {}
        self._took: dict[tuple[str, Layer], _Histogram] = {}
        self._late = _Histogram(LATE_BUCKETS_S)
        self._notified: Counter[tuple[str, str]] = Counter()

    def looked(self, target: str, kind: str, seen: Iterable[Observation]) -> dict[Layer, float]:
        """Count one look; its latencies in milliseconds, the longest of each layer.

        That a heartbeat is waited for is no look: nobody is asked.
        """
        deepest, outcome = None, None
        took_ms: dict[Layer, float] = {}
        for one in seen:
            depth = _DEPTH.get(one.layer)
            if depth is None:
                continue
            if deepest is None or depth > _DEPTH[deepest]:
                deepest, outcome = one.layer, one.outcome
            elif one.layer is deepest and outcome is not one.outcome:
                outcome = next(worse for worse in _WORST_FIRST if worse in (outcome, one.outcome))
            if one.latency_ms is not None and one.latency_ms >= took_ms.get(one.layer, 0.0):
                took_ms[one.layer] = one.latency_ms
        if deepest is not None and outcome is not None and kind != Kind.HEARTBEAT:
            self._checks[deepest, outcome] += 1
        self._time(target, kind, took_ms)
        return took_ms

    def passed(self, target: str, kind: str, took_ms: Mapping[Layer, float], deepest: Layer) -> None:
        """Count one look at which everything down to ``deepest`` passed."""
        self._checks[deepest, Outcome.PASS] += 1
        self._time(target, kind, took_ms)

    def _time(self, target: str, kind: str, took_ms: Mapping[Layer, float]) -> None:
        if took_ms:
            self._newest_ms[target] = took_ms
            for layer, ms in took_ms.items():
                key = (kind, layer)
                histogram = self._took.get(key)
                if histogram is None:
                    histogram = self._took[key] = _Histogram(BUCKETS_S)
                histogram.add(ms / 1000)

    def forget(self, target: str) -> None:
        """It isn't watched any more."""
        self._newest_ms.pop(target, None)

    def late(self, seconds: Iterable[float]) -> None:
        """How late looks began."""
        for one in seconds:
            self._late.add(max(0.0, one))

    def notified(self, channel: str, result: str) -> None:
        """One notification ended, or one attempt failed."""
        self._notified[channel, result] += 1

    def families(
        self, targets: Iterable[TargetNow], incidents_open: int, own: Mapping[str, tuple[str, float]]
    ) -> Iterator[Family]:
        """All of it. ``own`` are numbers of the monitor itself: by name, what they say and the value."""
        targets = tuple(targets)
        yield Family(
            "trueup_checks_total",
            "counter",
            "Looks, by the deepest layer that they reached and its outcome",
            tuple(
                Reading(n, {"layer": layer.value, "outcome": outcome.value})
                for (layer, outcome), n in sorted(self._checks.items())
            ),
        )
        yield Family(
            "trueup_up",
            "gauge",
            "1 where the last hard state is up or degraded, 0 where it is down; absent where it is unknown",
            tuple(
                Reading(float(one.state is not State.DOWN), {"target": one.name})
                for one in targets
                if one.state is not State.UNKNOWN
            ),
        )
        yield Family(
            "trueup_verdict",
            "gauge",
            "1 for the present cause of a target that is not up",
            tuple(Reading(1.0, {"target": one.name, "cause": one.cause}) for one in targets if one.cause),
        )
        yield Family(
            "trueup_latency_seconds",
            "gauge",
            "The newest latency of each layer",
            tuple(
                Reading(ms / 1000, {"target": name, "layer": layer.value})
                for name, layers in self._newest_ms.items()
                for layer, ms in layers.items()
            ),
        )
        yield Family(
            "trueup_latency_histogram_seconds",
            "histogram",
            "Latencies of all targets of a kind",
            tuple(
                reading
                for (kind, layer), histogram in sorted(self._took.items())
                for reading in histogram.readings({"kind": kind, "layer": layer.value})
            ),
        )
        yield Family(
            "trueup_schedule_lag_histogram_seconds",
            "histogram",
            "How late looks began",
            tuple(self._late.readings({})),
        )
        yield Family(
            "trueup_incidents_open", "gauge", "Incidents that are open", (Reading(float(incidents_open)),)
        )
        yield Family(
            "trueup_notifications_total",
            "counter",
            "Notifications by channel and how they ended; failed attempts are counted too",
            tuple(
                Reading(n, {"channel": channel, "result": result})
                for (channel, result), n in sorted(self._notified.items())
            ),
        )
        for name, (says, value) in own.items():
            yield Family(name, "gauge", says, (Reading(value),))


class _Histogram:
    def __init__(self, buckets_s: tuple[float, ...]) -> None:
        self._buckets_s = buckets_s
        self._counts = [0] * (len(buckets_s) + 1)
        self._sum_s = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._buckets_s, seconds)] += 1
        self._sum_s += seconds

    def readings(self, labels: Mapping[str, str]) -> Iterator[Reading]:
        edges = [f"{edge:g}" for edge in self._buckets_s] + ["+Inf"]
        total = 0
        for edge, total in zip(edges, accumulate(self._counts), strict=True):
            yield Reading(total, {**labels, "le": edge}, "_bucket")
        yield Reading(self._sum_s, labels, "_sum")
        yield Reading(total, labels, "_count")
