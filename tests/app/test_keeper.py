import asyncio
import errno
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.app.fake_stores import FakeHistory, FakeState
from trueup.app import keeper as keeping
from trueup.app.keeper import Keeper
from trueup.domain.incident import Happening, Incident
from trueup.domain.sample import Sample
from trueup.domain.states import State
from trueup.store.failure import Reason, StoreFailed
from trueup.store.history import HistoryStore
from trueup.store.stand_in import Home
from trueup.store.state import Kept, StateStore

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
INCIDENT = Incident(1, "db", 1, State.DOWN, "db is down", NOW)
KEPT = Kept("db", "down", "", "", "{}")
Story = Callable[[Keeper, FakeState, FakeHistory], Awaitable[None]]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATHER_S", "AGAIN_S", "SAID_AFTER_S", "SAMPLES_EVERY_S"):
        monkeypatch.setattr(keeping, name, 0.02)


def run(story: Story, collect: Callable[[], list[Kept]] = list) -> tuple[FakeState, FakeHistory]:
    state, history = FakeState(), FakeHistory()

    async def whole() -> None:
        keeper = Keeper(cast("StateStore", state), cast("HistoryStore", history), collect)
        running = asyncio.create_task(keeper.run())
        async with asyncio.timeout(20):
            await story(keeper, state, history)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        keeper.close()

    asyncio.run(whole())
    return state, history


async def until(wanted: Callable[[], Any]) -> None:
    while not wanted():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.005)


def test_what_a_file_brings_is_a_failure_of_the_store() -> None:
    def full(_store: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files", "/data")

    async def story(keeper: Keeper, _state: FakeState, _history: FakeHistory) -> None:
        for ask in (keeper.in_state, keeper.in_history):
            with pytest.raises(StoreFailed, match="Too many open files"):
                await ask(full)

    run(story)


def test_what_belongs_together_is_stored_together() -> None:
    async def story(keeper: Keeper, _state: FakeState, _history: FakeHistory) -> None:
        keeper.put(incidents=[INCIDENT], happenings=[(1, Happening(NOW, "down"))])
        assert await keeper.flushed()

    state, _ = run(story, lambda: [KEPT])
    (first, *_) = state.batches
    assert (first.kept, first.incidents, len(first.happenings)) == ((KEPT,), (INCIDENT,), 1)


def test_while_the_store_fails_nothing_is_lost_and_it_is_said_once() -> None:
    told: list[str] = []

    async def story(keeper: Keeper, state: FakeState, _history: FakeHistory) -> None:
        keeper.on_failure = lambda error: told.append(error.reason.value)
        keeper.on_mended = lambda: told.append("mended")
        state.fails = Reason.FULL
        keeper.put(incidents=[INCIDENT])
        assert not await keeper.flushed()
        assert "space" in keeper.state_fails
        keeper.put(happenings=[(1, Happening(NOW, "later"))])
        attempts = state.attempts
        await until(lambda: state.attempts > attempts + 3)
        state.fails = None
        await until(lambda: not keeper.state_fails)

    state, _ = run(story)
    (batch, *_) = state.batches
    assert batch.incidents == (INCIDENT,)
    assert [line.what for _, line in batch.happenings] == ["later"]
    assert told == ["full", "mended"]


def test_the_newest_of_a_thing_is_what_is_stored() -> None:
    async def story(keeper: Keeper, state: FakeState, _history: FakeHistory) -> None:
        state.fails = Reason.LOCKED
        keeper.put(incidents=[INCIDENT])
        await keeper.flushed()
        keeper.put(incidents=[Incident(1, "db", 1, State.DEGRADED, "better", NOW)])
        state.fails = None
        await until(lambda: state.batches)

    state, _ = run(story)
    assert [one.summary for one in state.batches[0].incidents] == ["better"]


def test_a_damaged_store_is_begun_anew_and_given_everything() -> None:
    begun: list[str] = []

    async def story(keeper: Keeper, state: FakeState, _history: FakeHistory) -> None:
        def mend() -> bool:
            state.fails = None
            return True

        keeper.mend = mend
        keeper.on_begun_anew = lambda: begun.append("anew")
        state.fails = Reason.DAMAGED
        keeper.put(incidents=[INCIDENT])
        await until(lambda: state.batches)

    state, _ = run(story)
    assert begun == ["anew"]
    assert state.batches[0].incidents == (INCIDENT,)


def test_what_is_left_at_the_end_is_stored() -> None:
    async def story(keeper: Keeper, _state: FakeState, _history: FakeHistory) -> None:
        await asyncio.sleep(0)
        keeper.put(incidents=[INCIDENT])
        keeper.add([Sample("db", NOW, State.UP)])

    state, history = run(story)
    assert state.batches[-1].incidents == (INCIDENT,)
    assert len(history.samples) == 1


def test_a_history_that_fails_keeps_looks_in_memory() -> None:
    async def story(keeper: Keeper, _state: FakeState, history: FakeHistory) -> None:
        history.fails = Reason.FULL
        keeper.add([Sample("db", NOW, State.UP)])
        await until(lambda: keeper.history_fails)
        history.fails = None
        await until(lambda: history.samples)
        assert not keeper.state_fails

    _, history = run(story)
    assert len(history.samples) == 1


class FakeHome(Home):
    """It's left already, and can be gone back to at the ninth attempt."""

    def __init__(self, history: FakeHistory) -> None:
        self._history = history
        self._attempts = 0

    @property
    def is_left(self) -> bool:
        return self._attempts < 9

    def go_back(self) -> None:
        self._attempts += 1
        if self.is_left:
            raise StoreFailed(Reason.READ_ONLY, "as the test wants it")
        self._history.samples.clear()


def test_while_it_is_away_it_says_so_and_at_home_the_looks_of_meanwhile_are_stored_again() -> None:
    said: list[str] = []

    async def story(keeper: Keeper, state: FakeState, history: FakeHistory) -> None:
        keeper.on_failure = lambda error: said.append(str(error))
        keeper.on_mended = lambda: said.append("mended")
        keeper.home = FakeHome(history)
        keeper.add([Sample("db", NOW, State.UP)])
        await until(lambda: said)
        keeper.put(incidents=[INCIDENT])
        assert await keeper.flushed()
        assert keeper.state_fails, "it's stored, and only in memory"
        assert state.batches[-1].incidents == (INCIDENT,)
        await until(lambda: len(said) == 2)
        assert not keeper.is_away
        assert not keeper.state_fails
        await until(lambda: history.samples)

    _, history = run(story)
    assert said == [said[0], "mended"]
    assert "as the test wants it" in said[0]
    assert len(history.samples) == 1


def test_who_waits_for_a_store_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "READ_WITHIN_S", 0.01)

    async def story() -> None:
        with pytest.raises(StoreFailed, match="no answer within"):
            await Keeper.in_time(asyncio.get_running_loop().create_future())
        done = asyncio.get_running_loop().create_future()
        done.set_result(7)
        assert await Keeper.in_time(done) == 7

    asyncio.run(story())
