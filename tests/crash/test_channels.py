"""A channel that is taken out while an alert waits for it, and put back: it hears of both ends or of none."""

from pathlib import Path

import pytest

from tests.beds.webhook import Webhook, webhook
from tests.crash.victim import TARGET, Victim, victim
from trueup.alerts.outbox import GONE

HOWS = pytest.mark.parametrize("how", ["reload", "restart"])


def with_channels(monitor: Victim, how: str, channels: dict[str, str]) -> None:
    """It goes on with these; a target that comes with them tells that it does."""
    monitor.channels = channels
    mark = f"mark-{len(monitor.others)}"
    monitor.others[mark] = f"tcp://127.0.0.1:{monitor.port}"
    if how == "restart":
        monitor.kill()
    monitor.configure()
    if how == "restart":
        monitor.start()
    monitor.until(lambda: monitor.are_up(mark), "going on with other channels")


def results(monitor: Victim) -> list[str]:
    """What became of what was said to the channel, of the newest incident."""
    found = monitor.incidents()
    return [one["result"] for one in found[-1]["notifications"] if one["channel"] == "other"] if found else []


def wait_for_one_that_is_out(monitor: Victim, other: Webhook, how: str) -> None:
    """An outage that the channel is to be told of, and refuses, until it's taken out."""
    other.statuses += [500] * 1000
    monitor.channels = {"other": other.url}
    monitor.configure()
    monitor.start()
    monitor.until(monitor.is_up, "up")
    monitor.service.stop()
    monitor.until(lambda: results(monitor) == ["500 Internal Server Error"], "refused")
    with_channels(monitor, how, {})
    monitor.until(lambda: results(monitor) == [GONE], "given up")
    other.statuses.clear()
    other.events.clear()


@HOWS
def test_a_channel_that_is_back_is_told_that_an_incident_opened_before_its_end(
    tmp_path: Path, how: str
) -> None:
    with victim(tmp_path) as monitor, webhook() as other:
        wait_for_one_that_is_out(monitor, other, how)
        with_channels(monitor, how, {"other": other.url})
        other.wait_for(lambda told: (TARGET, "opened") in told)
        monitor.service.listen()
        other.wait_for(lambda told: (TARGET, "closed") in told)
        told = [event for _, event in other.told() if event != "changed"]
        assert told == ["opened", "closed"]


@HOWS
def test_a_channel_that_is_back_hears_nothing_of_what_is_over(tmp_path: Path, how: str) -> None:
    with victim(tmp_path) as monitor, webhook() as other:
        wait_for_one_that_is_out(monitor, other, how)
        monitor.service.listen()
        monitor.until(lambda: "closed" in monitor.told_of(TARGET), "told that it's up")
        over = monitor.incidents()[-1]["id"]
        with_channels(monitor, how, {"other": other.url})
        monitor.service.stop()
        other.wait_for(lambda _: any(one["incident"] != over for one in other.events))
        assert over not in {one["incident"] for one in other.events}
