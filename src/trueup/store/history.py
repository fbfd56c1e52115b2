"""The history: each look for some days, hours for a year. It may be lost without changing any alert.

Looks come in as rows, 25 bytes each. A finished hour of a target is packed into one row of some 5 bytes a
look, and its summary is kept beside it, for plots of months and for when the looks themselves are gone.
"""

import stat
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import BigInteger, Connection, Table, bindparam, delete, func, select

from trueup.domain.monitor_settings import Retention
from trueup.domain.sample import Point, Sample
from trueup.domain.states import State, worst
from trueup.store import packing
from trueup.store.database import Database
from trueup.store.failpoint import failpoint
from trueup.store.failure import Reason, StoreFailed, failing
from trueup.store.latencies import bucket_of, summary_of
from trueup.store.packing import HOUR_MS, LAYERS, STATES, Looks, Tally
from trueup.store.tables import HOURLY, PACKED_HOUR, RESULT, SERIES

LATE_MS: Final = 120_000
"""An hour is finished when this much of the next has passed: a look may end late."""
_INSERT: Final = "insert into result values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
# Asked for each hour of each target: built once.
_SERIES: Final = bindparam("series", type_=BigInteger)
_FIRST: Final = bindparam("first", type_=BigInteger)
_LAST: Final = bindparam("last", type_=BigInteger)
_ROWS: Final = (RESULT.c.series == _SERIES) & (RESULT.c.at_ms >= _FIRST) & (RESULT.c.at_ms < _LAST)
_RAW: Final = select(RESULT).where(_ROWS).order_by(RESULT.c.at_ms)
_DELETE_RAW: Final = delete(RESULT).where(_ROWS)
_KEPT: Final = {
    table: select(table.c.hour, kept)
    .where(table.c.series == _SERIES, table.c.hour >= _FIRST, table.c.hour < _LAST)
    .order_by(table.c.hour)
    for table, kept in ((PACKED_HOUR, PACKED_HOUR.c.results), (HOURLY, HOURLY.c.summary))
}
_STATE_NUMBERS: Final = {state: number for number, state in enumerate(STATES)}
_CHUNK: Final = 2000
_FINE_UPTIME_HOURS: Final = 48


class HistoryStore:
    """Used from one thread at a time; whoever opened the database closes it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._series: dict[str, int] = {}
        self._put_packed = database.upsert(PACKED_HOUR)
        self._put_summary = database.upsert(HOURLY)

    def add(self, samples: Iterable[Sample]) -> None:
        """Store looks, in one transaction; one of the same target and time isn't stored twice.

        Raises:
            StoreFailed: none of them was stored.
        """
        listed = list(samples)
        if not listed:
            return
        try:
            with self._database.writing() as connection:
                self._number(connection, {sample.target for sample in listed})
                rows = [_row(self._series[sample.target], sample) for sample in listed]
                # The driver itself: the hottest statement of all, and building it costs more than running it.
                connection.exec_driver_sql(_INSERT.replace("?", self._database.placeholder), rows)
        except StoreFailed:
            self.forget_numbers()
            raise

    def forget_numbers(self) -> None:
        """Ask the database again which number is whose: it may be another than before."""
        self._series.clear()

    def points(self, target: str, since: datetime, until: datetime, step_s: int) -> list[Point]:
        """The history of a target, a point for each step in which there was a look, the oldest first.

        Steps begin at multiples of ``step_s`` since 1970. Where only hours are left of it, a point is an
        hour, however short the step.

        Raises:
            StoreFailed: it can't be read.
        """
        step_ms = step_s * 1000
        tallies = self._tallies(target, _ms(since), _ms(until), step_ms)
        return [_point(at_ms, tallies[at_ms]) for at_ms in sorted(tallies)]

    def uptime(self, target: str, since: datetime, until: datetime) -> dict[State, float]:
        """Which share of the looks found it in which state; empty where there was none.

        Raises:
            StoreFailed: it can't be read.
        """
        hours = (_ms(until) - _ms(since)) / HOUR_MS
        step_ms = HOUR_MS if hours > _FINE_UPTIME_HOURS else 60_000
        total = Tally()
        for tally in self._tallies(target, _ms(since), _ms(until), step_ms).values():
            total.merge(tally)
        looks = sum(total.states)
        return {state: n / looks for state, n in zip(STATES, total.states, strict=True) if n}

    def pack(self, now: datetime, hours_max: int = 200) -> int:
        """Pack finished hours, at most ``hours_max`` (one hour of one target is one), and return how many
        they were: 0 when nothing is left to do. Some hundred take a tenth of a second.

        Raises:
            StoreFailed: nothing was packed.
        """
        finished_ms = (_ms(now) - LATE_MS) // HOUR_MS * HOUR_MS
        hour = (RESULT.c.at_ms - RESULT.c.at_ms % HOUR_MS).label("hour")
        wanted = select(RESULT.c.series, hour).distinct().where(RESULT.c.at_ms < finished_ms)
        with _unpacking(), self._database.writing() as connection:
            hours = connection.execute(wanted.limit(hours_max)).all()
            for series, start_ms in hours:
                self._pack_hour(connection, series, start_ms // HOUR_MS)
        return len(hours)

    def expire(self, now: datetime, retention: Retention, disk_bytes: int) -> int:
        """Delete what is too old, and with SQLite the oldest beyond ``disk_bytes``, in small transactions.

        ``disk_bytes`` is for the whole folder of the data. Returns how many rows went. PostgreSQL's space is
        its administrator's: there, age alone counts.

        Raises:
            StoreFailed: what was deleted before is gone.
        """
        raw_ms = _ms(now) - round(retention.raw_s * 1000)
        hourly_ms = _ms(now) - round(retention.hourly_s * 1000)
        gone = self._delete_before(PACKED_HOUR, raw_ms // HOUR_MS)
        gone += self._delete_before(HOURLY, hourly_ms // HOUR_MS)
        if self._database.is_sqlite:
            gone += self._shrink(disk_bytes)
            self._give_back()
        return gone

    def size_bytes(self) -> int:
        """What the data takes: the whole folder with SQLite, the tables of the history with PostgreSQL.

        Pages that SQLite will fill again don't count, nor does its journal.

        Raises:
            StoreFailed: it can't be told.
        """
        path = self._database.path
        with self._database.reading() as connection:
            if path is None:
                tables = (SERIES, RESULT, PACKED_HOUR, HOURLY)
                asked = " + ".join(f"pg_total_relation_size('{table.name}')" for table in tables)
                return int(connection.exec_driver_sql(f"select {asked}").scalar_one())
            pages, free, size = (
                int(connection.exec_driver_sql(f"pragma {name}").scalar_one())
                for name in ("page_count", "freelist_count", "page_size")
            )
        with failing():
            files = [file for file in path.parent.rglob("*") if not file.name.startswith(path.name)]
            return (pages - free) * size + sum(map(_bytes_of, files))

    # -- adding up -----------------------------------------------------------------------------

    def _tallies(self, target: str, since_ms: int, until_ms: int, step_ms: int) -> dict[int, Tally]:
        """By the moment at which each step begins."""
        tallies: dict[int, Tally] = {}
        first, last = since_ms // HOUR_MS, -(-until_ms // HOUR_MS)
        with _unpacking(), self._database.reading() as connection:
            series = connection.execute(select(SERIES.c.id).where(SERIES.c.target == target)).scalar()
            if series is None:
                return {}
            unpacked: set[int] = set()
            if step_ms % HOUR_MS:
                for hour, packed in _hours(connection, PACKED_HOUR, series, first, last):
                    unpacked.add(hour)
                    _count(tallies, packing.unpack(packed, hour), since_ms, until_ms, step_ms)
            for hour, packed in _hours(connection, HOURLY, series, first, last):
                if hour not in unpacked and since_ms - since_ms % step_ms <= hour * HOUR_MS:
                    at_ms = hour * HOUR_MS // step_ms * step_ms
                    tally = packing.unpack_tally(packed)
                    if at_ms in tallies:
                        tallies[at_ms].merge(tally)
                    else:
                        tallies[at_ms] = tally
            _count(tallies, _raw(connection, series, since_ms, until_ms), since_ms, until_ms, step_ms)
        return tallies

    # -- keeping -------------------------------------------------------------------------------

    def _number(self, connection: Connection, targets: set[str]) -> None:
        """Give each target its number, once."""
        new = [target for target in targets if target not in self._series]
        for first in range(0, len(new), 500):
            some = new[first : first + 500]
            connection.execute(self._database.insert_new(SERIES), [{"target": one} for one in some])
            found = connection.execute(select(SERIES).where(SERIES.c.target.in_(some)))
            self._series.update({row.target: row.id for row in found})

    def _pack_hour(self, connection: Connection, series: int, hour: int) -> None:
        start_ms, end_ms = hour * HOUR_MS, (hour + 1) * HOUR_MS
        looks = _raw(connection, series, start_ms, end_ms)
        for _, packed in _hours(connection, PACKED_HOUR, series, hour, hour + 1):
            looks = packing.together(packing.unpack(packed, hour), looks)  # some came late
        tally = Tally()
        tally.count(looks)
        key = {"series": series, "hour": hour}
        connection.execute(self._put_packed, {**key, "results": packing.pack(looks, hour)})
        failpoint("in-packing")
        connection.execute(self._put_summary, {**key, "summary": packing.pack_tally(tally)})
        connection.execute(_DELETE_RAW, {"series": series, "first": start_ms, "last": end_ms})

    def _delete_before(self, table: Table, hour: int) -> int:
        """Delete the rows of hours before ``hour``, some at a time."""
        gone = 0
        while True:
            with self._database.writing() as connection:
                keys = select(table.c.series, table.c.hour).where(table.c.hour < hour)
                some = connection.execute(keys.order_by(table.c.hour).limit(_CHUNK)).all()
                for series, old in some:
                    connection.execute(delete(table).where(table.c.series == series, table.c.hour == old))
            gone += len(some)
            if len(some) < _CHUNK:
                return gone

    def checkpoint(self) -> None:
        """Begin the journal of SQLite's file anew.

        Raises:
            StoreFailed: it can't be done now.
        """
        self._database.checkpoint()

    def _shrink(self, disk_bytes: int) -> int:
        """Delete the oldest looks until it fits, and when there are none the oldest summaries."""
        gone = 0
        for table in (PACKED_HOUR, HOURLY):
            while self.size_bytes() > disk_bytes:
                with self._database.reading() as connection:
                    oldest = connection.execute(select(func.min(table.c.hour))).scalar()
                if oldest is None:
                    break
                gone += self._delete_before(table, oldest + 1)
        return gone

    def _give_back(self) -> None:
        """Return free pages to the file system, some at a time."""
        while True:
            before = self._free_pages()
            if before:
                self._database.give_back(_CHUNK)
            if not 0 < self._free_pages() < before:
                return

    def _free_pages(self) -> int:
        with self._database.reading() as connection:
            return int(connection.exec_driver_sql("pragma freelist_count").scalar_one())


def _bytes_of(file: Path) -> int:
    """Nothing for a folder, and for a copy under way that has got its name meanwhile."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


@contextmanager
def _unpacking() -> Iterator[None]:
    """Raises:
    StoreFailed: for what can't be unpacked.
    """
    try:
        yield
    except packing.Unpackable as error:
        raise StoreFailed(Reason.DAMAGED, str(error)) from error


def _row(series: int, sample: Sample) -> tuple[int | None, ...]:
    latencies_ms = sample.latencies_ms
    times_us = [round(latencies_ms[one] * 1000) if one in latencies_ms else None for one in LAYERS]
    return (series, _ms(sample.at), _STATE_NUMBERS[sample.state], *times_us)


def _raw(connection: Connection, series: int, since_ms: int, until_ms: int) -> Looks:
    """The looks that aren't packed yet."""
    asked = {"series": series, "first": since_ms, "last": until_ms}
    found = [tuple(row) for row in connection.execute(_RAW, asked)]
    _, times_ms, states, *columns = zip(*found, strict=True) if found else [()] * len(RESULT.columns)
    layers = [[bucket_of(one) if one is not None else None for one in column] for column in columns]
    return Looks(times_ms, states, layers)


def _hours(
    connection: Connection, table: Table, series: int, first: int, last: int
) -> Sequence[tuple[int, bytes]]:
    """What is kept of the hours from ``first`` to before ``last``."""
    asked = {"series": series, "first": first, "last": last}
    return [(hour, bytes(packed)) for hour, packed in connection.execute(_KEPT[table], asked)]


def _count(tallies: dict[int, Tally], looks: Looks, since_ms: int, until_ms: int, step_ms: int) -> None:
    times_ms = looks.times_ms
    first, end = bisect_left(times_ms, since_ms), bisect_left(times_ms, until_ms)
    while first < end:
        at_ms = times_ms[first] // step_ms * step_ms
        last = bisect_left(times_ms, at_ms + step_ms, first, end)
        tallies.setdefault(at_ms, Tally()).count(looks.between(first, last))
        first = last


def _point(at_ms: int, tally: Tally) -> Point:
    counts = {state: n for state, n in zip(STATES, tally.states, strict=True) if n}
    layers = {LAYERS[number]: summary_of(buckets) for number, buckets in sorted(tally.layers.items())}
    return Point(datetime.fromtimestamp(at_ms / 1000, UTC), worst(counts), layers, counts)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
