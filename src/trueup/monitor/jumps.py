"""Whether time passed without us: the machine slept, the process was stopped, or somebody set the clock."""

from dataclasses import dataclass
from typing import Final

SUSPENDED_S: Final = 5.0
STEPPED_S: Final = 2.0
STOPPED_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Moments:
    """One moment on three clocks, in seconds: since the boot with sleep, without it, and on the wall."""

    boottime_s: float
    monotonic_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Gap:
    """What happened between two ticks, in words, and how long nobody looked (``lasted_s``, may be 0)."""

    what: str
    lasted_s: float


def gap_between(before: Moments, now: Moments, tick_s: float) -> Gap | None:
    """What happened between two ticks that should be ``tick_s`` apart; None where all is as it should be."""
    passed_s = now.monotonic_s - before.monotonic_s
    slept_s = (now.boottime_s - before.boottime_s) - passed_s
    stepped_s = (now.wall_s - before.wall_s) - (now.boottime_s - before.boottime_s)
    if slept_s > SUSPENDED_S:
        return Gap(f"the machine was suspended for {slept_s:.0f} s", slept_s + passed_s)
    if passed_s > tick_s + STOPPED_S:
        return Gap(f"the monitor was stopped for {passed_s:.0f} s", passed_s)
    if abs(stepped_s) > STEPPED_S:
        return Gap(
            f"the clock was set {'forward' if stepped_s > 0 else 'back'} by {abs(stepped_s):.0f} s", 0.0
        )
    return None
