"""Many targets at a glance, kept up to date."""

import asyncio
from typing import Any

import pytest

from tests.web.scripted import ScriptedMonitor, named
from trueup.domain.target import Target
from trueup.web.board import FEW, Board


class Counting(ScriptedMonitor):
    made = 0

    def document(self, target: Target) -> dict[str, Any]:
        self.made += 1
        return super().document(target)


def many(count: int = FEW + 1) -> Counting:
    return Counting(*named([f"t{number}" for number in range(count)]))


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_they_are_made_once_and_changes_follow() -> None:
    async def play() -> None:
        monitor = many()
        board = Board(monitor)
        assert {one["state"] for one in await board.glances()} == {"up"}
        made = monitor.made
        monitor.tell("t7", "down", summary="gone")
        await settled()
        glances = await board.glances()
        assert (glances[7]["name"], glances[7]["state"], glances[7]["summary"]) == ("t7", "down", "gone")
        assert "observations" not in glances[7]
        assert monitor.made == made

    asyncio.run(play())


def test_what_was_missed_is_read_anew() -> None:
    async def play() -> None:
        monitor = many()
        board = Board(monitor)
        await board.glances()
        monitor._shown["t3"] = monitor._shown["t3"] | {"state": "down"}
        monitor.say({"type": "missed", "n": 3})
        await settled()
        assert (await board.glances())[3]["state"] == "down"

    asyncio.run(play())


def test_a_reload_is_followed() -> None:
    async def play() -> None:
        monitor = many()
        board = Board(monitor)
        await board.glances()
        other = many(FEW + 5)
        monitor.targets, monitor._shown = other.targets[3:], other._shown
        assert [one["name"] for one in await board.glances()] == [one.name for one in monitor.targets]

    asyncio.run(play())


def test_it_works_on_another_loop_too() -> None:
    monitor = many()
    board = Board(monitor)
    for state in ("up", "down"):
        monitor.tell("t0", state)
        assert asyncio.run(board.glances())[0]["state"] == state


def test_few_are_never_old() -> None:
    monitor = many(3)
    board = Board(monitor)
    monitor._shown["t0"] = monitor._shown["t0"] | {"state": "down"}
    assert asyncio.run(board.glances())[0]["state"] == "down"


def test_after_a_while_it_is_read_anew_behind_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        monitor = many()
        board = Board(monitor)
        await board.glances()
        monitor._shown["t3"] = monitor._shown["t3"] | {"state": "down"}
        monkeypatch.setattr("trueup.web.board.ANEW_S", -1.0)
        assert (await board.glances())[3]["state"] == "up"
        await settled()
        assert (await board.glances())[3]["state"] == "down"

    asyncio.run(play())
