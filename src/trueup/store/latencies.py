"""Latencies as a histogram that can be added to another: buckets that grow by 4 %, so ±2 % wherever it is."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from typing import Final

from trueup.domain.sample import Latency

RATIO: Final = 1.04
_LOG: Final = math.log(RATIO)
_DIGITS: Final = 3

Buckets = dict[int, int]
"""How many latencies fell into each bucket, by its number."""


def bucket_of(latency_us: float) -> int:
    """The number of the bucket; what took a microsecond or less is in the first, 0."""
    return round(math.log(latency_us) / _LOG) if latency_us > 1 else 0


@cache
def middle_ms(bucket: int) -> float:
    """What a bucket stands for, rounded to what it can tell."""
    value = RATIO**bucket / 1000
    return round(value, _DIGITS - 1 - math.floor(math.log10(value)))


def add(buckets: Buckets, others: Mapping[int, int]) -> None:
    """Add ``others`` into ``buckets``."""
    for bucket, n in others.items():
        buckets[bucket] = buckets.get(bucket, 0) + n


def summary_of(buckets: Mapping[int, int]) -> Latency:
    """The percentiles: the smallest latency that isn't less than so many of all. There's at least one."""
    ordered = sorted(buckets)
    up_to = list(accumulate([buckets[bucket] for bucket in ordered]))
    n = up_to[-1]
    return Latency(
        p50_ms=middle_ms(ordered[bisect_left(up_to, 0.5 * n)]),
        p95_ms=middle_ms(ordered[bisect_left(up_to, 0.95 * n)]),
        max_ms=middle_ms(ordered[-1]),
        n=n,
    )
