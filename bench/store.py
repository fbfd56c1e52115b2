"""What the history costs: bytes a look once its hour is packed, looks a second, and a plot of thirty days.

Beside it stands the least that could be done with the same looks: bare rows in bare SQLite.
"""

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trueup.domain.monitor_settings import Retention, Store
from trueup.domain.sample import Sample
from trueup.domain.states import Layer, State
from trueup.store.history import HistoryStore
from trueup.store.opening import open_stores

TARGETS = 5
DAYS = 30
BATCH = 500
BYTES_MOST = 8.0
PLOT_MOST = 2.0
"""Times the fetching of the same looks as bare rows, and nothing done with them."""
START = datetime(2026, 10, 1, tzinfo=UTC)
_LAYERS = ((Layer.PORT, 0.3), (Layer.TLS, 2.5), (Layer.SERVICE, 4.0))


@dataclass(frozen=True, slots=True)
class Measured:
    bytes_each: float
    added_per_s: float
    bare_per_s: float
    packed_per_s: float
    plot_ms: float
    bare_ms: float


def run(scale: float) -> int:
    """How many bounds were missed."""
    days = max(DAYS // 2, round(DAYS * scale))  # of less, the pages of an empty file are a part
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), days)
    print(f"{TARGETS * days * 1440:,} looks at {TARGETS} targets, three layers each; CPU time")
    print(f"bytes a look, its hour packed and summed up: {found.bytes_each:.1f} (bound {BYTES_MOST})")
    print(f"looks a second written: {found.added_per_s:,.0f}, as bare rows {found.bare_per_s:,.0f}")
    print(f"looks a second packed: {found.packed_per_s:,.0f}")
    ratio = found.plot_ms / found.bare_ms
    print(f"a plot of {days} days of one target, by the hour: {found.plot_ms:.0f} ms")
    print(f"its bare rows fetched alone: {found.bare_ms:.0f} ms, so {ratio:.2f}x (bound {PLOT_MOST}x)")
    return (found.bytes_each > BYTES_MOST) + (ratio > PLOT_MOST)


def measure(folder: Path, days: int) -> Measured:
    end = START + timedelta(days=days)
    stores = open_stores(folder, Store())
    looks = _looks(days)
    add_s = _seconds(lambda: _add(stores.history, looks))
    pack_s = _seconds(lambda: _pack(stores.history, end))
    stores.history.expire(end, Retention(raw_s=2 * DAYS * 86400.0), 10**12)
    plot_ms = _median_ms(lambda: stores.history.points("target-0", START, end, 3600))
    stores.close()
    size = (folder / "history.db").stat().st_size
    bare_s, bare_ms = _bare(folder / "bare.db", looks)
    count = len(looks)
    return Measured(size / count, count / add_s, count / bare_s, count / pack_s, plot_ms, bare_ms)


def _looks(days: int) -> list[Sample]:
    """Once a minute, some milliseconds late; latencies wander by some tenths, and are ten times as long now
    and then.
    """
    chance = random.Random(7)
    found = []
    for minute in range(days * 1440):
        for number in range(TARGETS):
            late_ms = abs(chance.gauss(0, 5))
            at = START + timedelta(minutes=minute, milliseconds=200 * number + late_ms)
            outlier = 10 if chance.random() < 0.005 else 1
            took = {layer: usual * chance.lognormvariate(0, 0.25) * outlier for layer, usual in _LAYERS}
            state = State.DOWN if chance.random() < 0.001 else State.UP
            found.append(Sample(f"target-{number}", at, state, took))
    return found


def _add(history: HistoryStore, looks: list[Sample]) -> None:
    for first in range(0, len(looks), BATCH):
        history.add(looks[first : first + BATCH])


def _pack(history: HistoryStore, end: datetime) -> None:
    while history.pack(end + timedelta(hours=1)):
        pass


def _bare(path: Path, looks: list[Sample]) -> tuple[float, float]:
    """Seconds to write them all, and milliseconds to fetch those of one target."""
    rows = [
        (
            int(one.target[-1]),
            round(one.at.timestamp() * 1000),
            0,
            *(round(ms * 1000) for ms in one.latencies_ms.values()),
        )
        for one in looks
    ]
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute("create table bare (a, b, c, d, e, f, primary key (a, b)) without rowid")

    def write() -> None:
        for first in range(0, len(rows), BATCH):
            db.execute("begin immediate")
            db.executemany("insert into bare values (?, ?, ?, ?, ?, ?)", rows[first : first + BATCH])
            db.execute("commit")

    write_s = _seconds(write)
    fetch_ms = _median_ms(lambda: db.execute("select * from bare where a = 0 order by b").fetchall())
    db.close()
    return write_s, fetch_ms


def _seconds(do: Callable[[], object]) -> float:
    began_s = time.process_time()
    do()
    return time.process_time() - began_s


def _median_ms(do: Callable[[], object]) -> float:
    return statistics.median(_seconds(do) * 1000 for _ in range(9))
