"""The meter of our own lateness."""

import asyncio
import time

import pytest

from tests.engine.conversations import block
from trueup.engine import lag
from trueup.engine.lag import LagMeter


def test_a_blocked_loop_is_seen_while_it_lasts_and_afterwards() -> None:
    async def measure() -> tuple[float, float, float]:
        meter = LagMeter(asyncio.get_running_loop(), lambda: True)
        began_s = time.monotonic()
        meter.start()
        await asyncio.sleep(lag.TICK_S / 2)
        block(0.4)
        overdue_ms = meter.worst_ms_since(began_s)
        await asyncio.sleep(lag.TICK_S * 3)
        remembered_ms = meter.worst_ms_since(began_s)
        later_ms = meter.worst_ms_since(time.monotonic())
        meter.stop()
        return overdue_ms, remembered_ms, later_ms

    overdue_ms, remembered_ms, later_ms = asyncio.run(measure())
    assert overdue_ms > 300
    assert remembered_ms > 300
    assert later_ms < remembered_ms, "what was before isn't held against what began later"


def test_without_a_tick_due_there_is_no_lag() -> None:
    async def measure() -> float:
        meter = LagMeter(asyncio.get_running_loop(), lambda: True)
        return meter.worst_ms_since(time.monotonic())

    assert asyncio.run(measure()) == 0.0


@pytest.mark.parametrize("needed", [True, False])
def test_it_ticks_as_long_as_it_is_needed(needed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long conversation begun alone must not see it fall asleep."""
    monkeypatch.setattr(lag, "IDLE_TICKS_MAX", 2)
    monkeypatch.setattr(lag, "TICK_S", 0.01)

    async def measure() -> float:
        meter = LagMeter(asyncio.get_running_loop(), lambda: needed)
        began_s = time.monotonic()
        meter.start()
        await asyncio.sleep(0.2)
        block(0.3)
        worst_ms = meter.worst_ms_since(began_s)
        meter.stop()
        return worst_ms

    worst_ms = asyncio.run(measure())
    assert worst_ms > 200 if needed else worst_ms < 200


def test_it_wakes_again_and_starting_twice_is_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "IDLE_TICKS_MAX", 1)
    monkeypatch.setattr(lag, "TICK_S", 0.01)

    async def measure() -> float:
        meter = LagMeter(asyncio.get_running_loop(), lambda: False)
        meter.start()
        await asyncio.sleep(0.1)
        began_s = time.monotonic()
        meter.start()
        meter.start()
        block(0.3)
        worst_ms = meter.worst_ms_since(began_s)
        meter.stop()
        return worst_ms

    assert asyncio.run(measure()) > 200
