import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from trueup.domain.monitor_settings import Retention, Store
from trueup.domain.sample import Point, Sample
from trueup.domain.states import Layer, State
from trueup.store.failure import StoreFailed
from trueup.store.history import HistoryStore
from trueup.store.opening import Stores, open_stores
from trueup.store.tables import HOURLY, PACKED_HOUR, RESULT

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PLENTY = 10**12


def sample(minute: int, state: State = State.UP, target: str = "db", port_ms: float = 1.0) -> Sample:
    return Sample(target, START + minute * MINUTE, state, {Layer.PORT: port_ms, Layer.SERVICE: 10 * port_ms})


@pytest.fixture
def history(stores: Stores) -> HistoryStore:
    return stores.history


def rows(history: HistoryStore) -> dict[str, int]:
    with history._database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (RESULT, PACKED_HOUR, HOURLY)
        }


def pack_all(history: HistoryStore, now: datetime) -> None:
    while history.pack(now, 7):
        pass


def points(history: HistoryStore, step_s: int, hours: int = 3) -> list[Point]:
    return history.points("db", START, START + hours * HOUR, step_s)


def test_looks_are_read_in_steps_with_the_worst_state_and_latencies(history: HistoryStore) -> None:
    history.add(
        [sample(0), sample(1, State.DOWN, port_ms=4.0), sample(2), sample(7), sample(0, target="web")]
    )
    first, second = points(history, 300)
    assert (first.at, first.state, first.counts) == (START, State.DOWN, {State.UP: 2, State.DOWN: 1})
    assert first.layers[Layer.PORT].n == 3
    assert first.layers[Layer.PORT].max_ms == pytest.approx(4, rel=0.03)
    assert first.layers[Layer.SERVICE].p50_ms == pytest.approx(10, rel=0.03)
    assert (second.at, second.state) == (START + 5 * MINUTE, State.UP)
    assert history.points("nobody", START, START + HOUR, 60) == []


def test_a_look_is_stored_once_however_often_it_comes(history: HistoryStore) -> None:
    history.add([sample(0), sample(1)])
    history.add([sample(0), sample(2)])
    history.add([])
    assert sum(point.counts[State.UP] for point in points(history, 3600)) == 3


def test_packing_changes_nothing_that_is_read(history: HistoryStore) -> None:
    history.add(sample(n, State.DOWN if n % 50 == 0 else State.UP, port_ms=1 + n % 9) for n in range(170))
    before = {step_s: points(history, step_s) for step_s in (60, 300, 3600, 7200)}
    now = START + 3 * HOUR
    assert history.pack(now) == 2
    assert history.pack(now) == 0
    assert rows(history) == {"result": 50, "packed_hour": 2, "hourly": 2}
    assert {step_s: points(history, step_s) for step_s in (60, 300, 3600, 7200)} == before
    cut = history.points("db", START + 30 * MINUTE, START + 90 * MINUTE, 60)
    assert [point.at for point in cut] == [START + n * MINUTE for n in range(30, 90)]


def test_an_hour_is_packed_when_it_is_over_and_late_looks_are_added_to_it(history: HistoryStore) -> None:
    history.add(sample(n) for n in range(0, 60, 2))
    assert history.pack(START + HOUR) == 0
    assert history.pack(START + HOUR + 3 * MINUTE) == 1
    history.add(sample(n, State.DEGRADED) for n in range(1, 60, 2))
    (seen,) = points(history, 3600)
    assert seen.counts == {State.UP: 30, State.DEGRADED: 30}
    assert history.pack(START + HOUR + 3 * MINUTE) == 1
    assert points(history, 3600) == [seen]
    assert rows(history) == {"result": 0, "packed_hour": 1, "hourly": 1}


def test_what_is_too_old_goes_and_its_summary_stays_for_longer(history: HistoryStore) -> None:
    history.add(sample(n) for n in range(180))
    pack_all(history, START + 4 * HOUR)
    retention = Retention(raw_s=DAY.total_seconds(), hourly_s=2 * DAY.total_seconds())
    assert history.expire(START + 5 * HOUR, retention, PLENTY) == 0
    assert history.expire(START + DAY + 2 * HOUR, retention, PLENTY) == 2
    assert rows(history) == {"result": 0, "packed_hour": 1, "hourly": 3}
    seen = points(history, 60)
    assert [point.at for point in seen[:3]] == [START, START + HOUR, START + 2 * HOUR]
    assert [sum(point.counts.values()) for point in seen[:3]] == [60, 60, 1]
    history.expire(START + 3 * DAY, retention, PLENTY)
    assert rows(history) == {"result": 0, "packed_hour": 0, "hourly": 0}


def test_uptime_is_the_share_of_looks(history: HistoryStore) -> None:
    history.add(sample(n, State.DOWN if n < 15 else State.UP) for n in range(60))
    until = START + HOUR
    assert history.uptime("db", START, until) == {State.DOWN: 0.25, State.UP: 0.75}
    assert history.uptime("db", START + 30 * MINUTE, until) == {State.UP: 1.0}
    assert history.uptime("db", START - 30 * DAY, until) == {State.DOWN: 0.25, State.UP: 0.75}
    assert history.uptime("db", until, until + HOUR) == {}


def test_beyond_the_budget_the_oldest_goes_first_and_the_file_shrinks(tmp_path: Path) -> None:
    stores = open_stores(tmp_path, Store())
    history = stores.history
    for minute in range(12 * 60):
        port_ms = 1 + minute * 7919 % 501
        history.add(sample(minute, target=f"target-{n}", port_ms=port_ms) for n in range(15))
    pack_all(history, START + 14 * HOUR)
    history.expire(START + 14 * HOUR, Retention(), PLENTY)
    size = history.size_bytes()
    budget = size - 30_000
    assert history.expire(START + 14 * HOUR, Retention(), budget) > 0
    assert history.size_bytes() <= budget
    kept = history.points("target-0", START, START + 12 * HOUR, 60)
    assert kept[-1].at == START + 719 * MINUTE
    assert kept[0].at == START
    assert sum(kept[0].counts.values()) == 60, "of the first hour only the summary is left"
    stores.close()


def test_the_history_is_the_same_after_a_restart(store: Store, tmp_path: Path) -> None:
    first = open_stores(tmp_path, store)
    first.history.add(sample(n) for n in range(10))
    first.close()
    again = open_stores(tmp_path, store)
    again.history.add([sample(10), sample(11, target="web")])
    assert sum(point.counts[State.UP] for point in points(again.history, 3600)) == 11
    assert len(again.history.points("web", START, START + HOUR, 60)) == 1
    again.close()


@contextmanager
def without_a_file_left() -> Iterator[None]:
    """This process may open none besides those that it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_file_left_its_size_cant_be_told(tmp_path: Path) -> None:
    stores = open_stores(tmp_path, Store())
    with without_a_file_left(), pytest.raises(StoreFailed, match="Too many open files"):
        stores.history.expire(START, Retention(), PLENTY)
    stores.history.expire(START, Retention(), PLENTY)
    stores.close()


def test_what_has_gone_by_the_time_it_is_measured_takes_nothing(tmp_path: Path) -> None:
    stores = open_stores(tmp_path, Store())
    before = stores.history.size_bytes()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert stores.history.size_bytes() == before
    stores.close()
