import pytest

from trueup.monitor.jumps import Moments, gap_between

BEFORE = Moments(1000.0, 900.0, 1_700_000_000.0)


@pytest.mark.parametrize(
    ("boottime_s", "monotonic_s", "wall_s", "words"),
    [
        (0.5, 0.5, 0.5, None),
        (4.0, 4.0, 4.0, None),  # a busy machine
        (3600.5, 0.5, 3600.5, "suspended for 3600 s"),
        (120.0, 120.0, 120.0, "stopped for 120 s"),
        (0.5, 0.5, 86400.5, "set forward by 86400 s"),
        (0.5, 0.5, -3599.5, "set back by 3600 s"),
        (0.5, 0.5, 1.5, None),  # an NTP slew
    ],
)
def test_what_happened_between_two_ticks(
    boottime_s: float, monotonic_s: float, wall_s: float, words: str | None
) -> None:
    now = Moments(BEFORE.boottime_s + boottime_s, BEFORE.monotonic_s + monotonic_s, BEFORE.wall_s + wall_s)
    gap = gap_between(BEFORE, now, 0.5)
    assert (gap is None) == (words is None)
    assert gap is None or (words or "") in gap.what
