"""The rows of one channel: in order for each incident, and by when they may go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Final

from trueup.alerts.sender import conversation_of
from trueup.domain.alert import Notification
from trueup.domain.clock import Clock

LOOK_AT_CLOCK_EVERY_S: Final = 60.0
Key = object
"""An incident, or a word about trueup itself: see ``conversation_of``."""


@dataclass(slots=True)
class Row:
    """``ready_s``: not tried sooner. ``dies_s``: when it's given up. Both on the monotonic clock.

    ``is_carried``: its pause was set by an earlier run, perhaps for the whole channel.
    """

    notification: Notification
    ready_s: float
    dies_s: float
    is_carried: bool = False

    @property
    def is_untried(self) -> bool:
        return not self.notification.attempts

    def is_due(self, now: datetime, now_s: float) -> bool:
        """A row that waits for an hour of the day is due by either clock: machines sleep, and clocks jump."""
        return self.ready_s <= now_s or (self.is_untried and self.notification.due_at <= now)


class Waiting:
    """Taking and settling cost the same however many wait.

    Three heaps say where to look next; an entry that's no longer true is dropped when it comes up. Each
    incident that isn't under way has one that is true.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[Key, list[Row]] = {}
        self._under_way: set[Key] = set()
        self._count = 0
        self._entries = count()
        self._ready: list[tuple[tuple[int, datetime, int], int, Key]] = []
        self._later: list[tuple[float, int, Key]] = []
        self._by_clock: list[tuple[datetime, int, Key]] = []

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Key, Row]]:
        """All rows, each with its incident. It bears that rows are dropped meanwhile."""
        return iter([(key, row) for key, rows in self._rows.items() for row in rows])

    def is_under_way(self, key: Key) -> bool:
        return key in self._under_way

    def put(self, row: Row) -> bool:
        """Whether it's new."""
        key = conversation_of(row.notification.alert)
        rows = self._rows.setdefault(key, [])
        if any(known.notification.alert.id == row.notification.alert.id for known in rows):
            return False
        rows.append(row)
        rows.sort(key=lambda one: one.notification.seq)
        self._count += 1
        self._place(key)
        return True

    def take(self, most: int) -> list[list[Notification]]:
        """Of up to ``most`` incidents that may be told now, the most urgent first: the rows that are due.

        They are under way from then on.
        """
        self._come_round()
        taken: list[list[Notification]] = []
        while self._ready and len(taken) < most:
            key = heappop(self._ready)[2]
            if due := self._due(key):
                self._under_way.add(key)
                taken.append(due)
        return taken

    def put_back(self, taken: list[list[Notification]]) -> None:
        """These aren't under way after all."""
        for rows in taken:
            self.back(conversation_of(rows[0].alert))

    def back(self, key: Key) -> None:
        """An incident isn't under way any more."""
        self._under_way.discard(key)
        self._place(key)

    def changed(self, key: Key) -> None:
        """Rows of an incident were changed or dropped."""
        self._place(key)

    def rows_of(self, key: Key, ids: set[str]) -> list[Row]:
        """The rows of an incident whose alerts have one of the ids."""
        return [row for row in self._rows.get(key, ()) if row.notification.alert.id in ids]

    def drop(self, key: Key, row: Row) -> None:
        """It's told, or given up."""
        self._rows[key].remove(row)
        self._count -= 1
        if not self._rows[key]:
            del self._rows[key]

    def wakes_s(self) -> float | None:
        """When the next incident may be told, on the monotonic clock, or a little sooner."""
        now_s = self._clock.monotonic_s()
        self._come_round()
        while self._ready and not self._due(self._ready[0][2]):
            heappop(self._ready)
        if self._ready:
            return now_s
        times = [self._later[0][0]] if self._later else []
        times += [now_s + LOOK_AT_CLOCK_EVERY_S] if self._by_clock else []
        return min(times, default=None)

    # -- what may go ---------------------------------------------------------------------------

    def _due(self, key: Key) -> list[Notification]:
        """The rows of an incident that may go: up to the last one that's due, if the first may be tried.

        What waits for the same hour as one that's due goes with it, also where a clock was set meanwhile.
        """
        rows = self._rows.get(key, [])
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        if not rows or key in self._under_way or (rows[0].ready_s > now_s and not rows[0].is_untried):
            return []
        hours = {row.notification.due_at for row in rows if row.is_due(now, now_s)}
        due = [place for place, row in enumerate(rows, 1) if row.notification.due_at in hours]
        return [row.notification for row in rows[: due[-1]]] if due else []

    def _place(self, key: Key) -> None:
        """Where an incident is to be looked for next."""
        rows = self._rows.get(key, [])
        if not rows or key in self._under_way:
            return
        entry = next(self._entries)
        if due := self._due(key):
            heappush(self._ready, ((due[0].alert.tier, due[0].alert.at, due[0].seq), entry, key))
            return
        first_s = min(row.ready_s for row in rows)
        heappush(self._later, (first_s if rows[0].is_untried else max(first_s, rows[0].ready_s), entry, key))
        if held := [row.notification.due_at for row in rows if row.is_untried]:
            heappush(self._by_clock, (min(held), entry, key))

    def _come_round(self) -> None:
        """What has become due since is ready."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        come = []
        while self._later and self._later[0][0] <= now_s:
            come.append(heappop(self._later)[2])
        while self._by_clock and self._by_clock[0][0] <= now:
            come.append(heappop(self._by_clock)[2])
        for key in come:
            self._place(key)
