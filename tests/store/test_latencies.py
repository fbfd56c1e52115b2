import pytest

from trueup.store.latencies import bucket_of, middle_ms, summary_of


@pytest.mark.parametrize("latency_us", [1.0, 7, 33, 100, 1234, 99_999, 60_000_000])
def test_a_bucket_is_within_two_percent_of_what_fell_into_it(latency_us: float) -> None:
    assert middle_ms(bucket_of(latency_us)) * 1000 == pytest.approx(latency_us, rel=0.025)


def test_what_took_no_time_is_in_the_first_bucket() -> None:
    assert bucket_of(0) == bucket_of(0.3) == 0
    assert middle_ms(0) == 0.001


def test_percentiles_are_of_what_was_measured() -> None:
    buckets: dict[int, int] = {}
    for latency_ms in range(1, 101):
        bucket = bucket_of(latency_ms * 1000)
        buckets[bucket] = buckets.get(bucket, 0) + 1
    found = summary_of(buckets)
    assert found.n == 100
    assert found.p50_ms == pytest.approx(50, rel=0.04)
    assert found.p95_ms == pytest.approx(95, rel=0.04)
    assert found.max_ms == pytest.approx(100, rel=0.025)


def test_one_latency_is_every_percentile() -> None:
    found = summary_of({bucket_of(5000): 1})
    assert found.p50_ms == found.p95_ms == found.max_ms == pytest.approx(5, rel=0.025)
