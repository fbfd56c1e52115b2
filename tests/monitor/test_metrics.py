from datetime import UTC, datetime

from trueup.domain.metric import Family
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome, State
from trueup.monitor.metrics import Metrics, TargetNow

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def seen(layer: Layer, outcome: Outcome, latency_ms: float | None = None) -> Observation:
    return Observation(layer, outcome, NOW, latency_ms=latency_ms)


def families(metrics: Metrics, *targets: TargetNow) -> dict[str, Family]:
    return {one.name: one for one in metrics.families(targets, 2, {})}


def labelled(family: Family) -> dict[tuple[str, ...], float]:
    return {tuple(one.labels.values()): one.value for one in family.readings}


def test_a_look_counts_once_by_the_deepest_layer_it_reached() -> None:
    metrics = Metrics()
    metrics.looked("db", "service", [seen(Layer.PORT, Outcome.PASS, 1.0), seen(Layer.SERVICE, Outcome.FAIL)])
    metrics.looked("db", "service", [seen(Layer.PORT, Outcome.FAIL), seen(Layer.HOST, Outcome.FAIL)])
    metrics.looked("db", "service", [seen(Layer.SERVICE, Outcome.PASS), seen(Layer.SERVICE, Outcome.FAIL)])
    metrics.looked("db", "service", [])
    assert labelled(families(metrics)["trueup_checks_total"]) == {("port", "fail"): 1, ("service", "fail"): 2}


def test_waiting_for_a_job_is_no_look() -> None:
    metrics = Metrics()
    metrics.looked("nightly", "heartbeat", [seen(Layer.FUNCTION, Outcome.PASS, 900.0)])
    assert families(metrics)["trueup_checks_total"].readings == ()


def test_unknown_is_neither_up_nor_down() -> None:
    found = families(
        Metrics(),
        TargetNow("a", State.UP, None),
        TargetNow("b", State.DEGRADED, "slow"),
        TargetNow("c", State.DOWN, "refused"),
        TargetNow("d", State.UNKNOWN, "monitor-offline"),
    )
    assert labelled(found["trueup_up"]) == {("a",): 1, ("b",): 1, ("c",): 0}
    assert labelled(found["trueup_verdict"]).keys() == {
        ("b", "slow"),
        ("c", "refused"),
        ("d", "monitor-offline"),
    }
    assert found["trueup_incidents_open"].readings[0].value == 2


def test_latencies_are_the_newest_and_all_of_them() -> None:
    metrics = Metrics()
    for latency_ms in (3.0, 300.0):
        metrics.looked("db", "service", [seen(Layer.PORT, Outcome.PASS, latency_ms)])
    found = families(metrics)
    assert labelled(found["trueup_latency_seconds"]) == {("db", "port"): 0.3}
    histogram = found["trueup_latency_histogram_seconds"]
    buckets = {one.labels["le"]: one.value for one in histogram.readings if one.ending == "_bucket"}
    assert (buckets["0.0025"], buckets["0.005"], buckets["0.5"], buckets["+Inf"]) == (0, 1, 2, 2)
    assert {one.ending: one.value for one in histogram.readings}["_count"] == 2
    metrics.forget("db")
    assert families(metrics)["trueup_latency_seconds"].readings == ()
