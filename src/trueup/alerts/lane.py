"""The queue of one channel: what goes next, when, and what becomes of it. Pure: a day of it is a loop."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trueup.alerts.sender import Outcome, Parcel, Taken, conversation_of
from trueup.alerts.waiting import Key, Row, Waiting
from trueup.domain.alert import Delivery, Notification
from trueup.domain.clock import Clock

AGAIN_AFTER_S: Final = (5.0, 15.0, 60.0, 300.0, 900.0)
"""How long it waits after the first failure in a row, the second, and so on; then always the last of them."""
SPREAD: Final = 0.2
ASKED_S_MAX: Final = 3600.0
"""A receiver that asks for a longer pause than this is asked again sooner."""
GIVEN_UP_AFTER_S: Final = 86400.0
LEFT_S_MIN: Final = 6 * 3600.0
"""However old it is, what a new process takes over is tried for so long."""
ONE_BY_ONE_MAX: Final = 5
"""More incidents than this at once are told to people in one message."""
PER_MINUTE_MAX: Final = 20
DIGEST_MAX: Final = 100
NEVER: Final = float("-inf")


class Lane:
    """One channel's notifications, in order for each incident.

    ``is_exact``: each goes by itself; else what one incident did before anybody heard of it becomes one
    message, and so do incidents of one cause on one machine, and many at once. ``apart_s``: the least time
    between two messages. ``chance`` gives numbers from 0 to 1, which spread the pauses.

    Pauses and ages are counted on the monotonic clock: a wall clock that jumps a day neither holds an
    alert for a day nor gives it up.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        is_exact: bool,
        apart_s: float = 0.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._is_exact = is_exact
        self._apart_s = apart_s
        self._chance = chance
        self._waiting = Waiting(clock)
        self._begun_s: dict[Key, float] = {}
        self._quiet_s = self._asked_s = self._tried_s = self._failed_s = NEVER
        self._failures = 0
        self._has_carried = False
        self._allowed = float(PER_MINUTE_MAX)
        self._allowed_at_s = clock.monotonic_s()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, notifications: Iterable[Notification]) -> None:
        """Take notifications of this channel. One that it has already (by its alert's id) changes nothing.

        News end a channel's pause early, but no sooner than 5 s after the last attempt, and not where the
        receiver asked for it.
        """
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        for one in notifications:
            row = _taken_over(one, now, now_s)
            if self._waiting.put(row):
                self._has_carried |= row.is_carried
                self._quiet_s = min(self._quiet_s, max(now_s, self._tried_s + AGAIN_AFTER_S[0]))

    def take(self) -> Parcel | None:
        """What may be sent now, from then on under way until it's settled; None where nothing may."""
        now_s = self._clock.monotonic_s()
        if now_s < self._pause_ends_s(now_s):
            return None
        ready = self._waiting.take(1 if self._is_exact else DIGEST_MAX)
        if not ready:
            return None
        rows = ready[0][:1] if self._is_exact else self._for_people(ready)
        self._begun_s |= dict.fromkeys((conversation_of(row.alert) for row in rows), now_s)
        self._tried_s = now_s
        return Parcel(tuple(rows))

    def wakes_s(self) -> float | None:
        """When ``take`` is next worth a try, on the monotonic clock; None where nothing waits."""
        first_s = self._waiting.wakes_s()
        return None if first_s is None else max(first_s, self._pause_ends_s(self._clock.monotonic_s()))

    def settle(self, parcel: Parcel, outcome: Outcome) -> list[Notification]:
        """What became of a parcel, and of what it keeps waiting: the rows that have changed."""
        keys = {conversation_of(row.alert) for row in parcel.rows}
        begun_s = min(self._begun_s.pop(key) for key in keys)
        if outcome.taken is Taken.SENT:
            return self._sent(parcel, outcome)
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        pause_s = self._pause_s(parcel, outcome, begun_s)
        again_at = now + timedelta(seconds=pause_s)
        changed = {}
        for _, row in self._those_of(parcel):
            row.notification = _failed(row.notification, outcome, again_at)
            row.ready_s = now_s + pause_s if outcome.taken is Taken.REFUSED else now_s
            row.is_carried = False
            changed[row.notification.alert.id] = row.notification
        for key in keys:
            self._waiting.back(key)
        return list((changed | self._given_up(outcome)).values())

    def mended(self) -> None:
        """The channel was changed: everything may be tried anew, at once."""
        now_s = self._clock.monotonic_s()
        self._quiet_s = self._asked_s = NEVER
        self._failures = 0
        for key, row in self._waiting:
            if not row.is_untried:
                row.ready_s = now_s
                self._waiting.changed(key)

    def rest(self) -> list[Notification]:
        """Everything that isn't told yet, in order. What is under way may arrive all the same."""
        rest = [
            replace(row.notification, is_repeat=row.notification.is_repeat or key in self._begun_s)
            for key, row in self._waiting
        ]
        self._waiting = Waiting(self._clock)
        return rest

    # -- what goes next ------------------------------------------------------------------------

    def _for_people(self, ready: list[list[Notification]]) -> list[Notification]:
        """What has one reason, or all as one message where there's too much to read one by one."""
        if len(ready) <= min(self._allowed, ONE_BY_ONE_MAX):
            first, *others = ready
            together = [rows for rows in others if _have_one_reason(first, rows)]
            self._waiting.put_back([rows for rows in others if rows not in together])
            ready = [first, *together]
        self._allowed -= 1
        return [row for rows in ready for row in rows]

    def _pause_ends_s(self, now_s: float) -> float:
        return max(self._quiet_s, self._asked_s, self._tried_s + self._apart_s, self._allowed_from_s(now_s))

    def _allowed_from_s(self, now_s: float) -> float:
        """When the next message to people may go: no more than twenty a minute."""
        if self._is_exact:
            return NEVER
        a_second = PER_MINUTE_MAX / 60.0
        self._allowed = min(PER_MINUTE_MAX, self._allowed + (now_s - self._allowed_at_s) * a_second)
        self._allowed_at_s = now_s
        return now_s + max(0.0, 1.0 - self._allowed) / a_second

    # -- what became of it ---------------------------------------------------------------------

    def _sent(self, parcel: Parcel, outcome: Outcome) -> list[Notification]:
        self._failures = 0
        self._quiet_s = self._asked_s = NEVER
        now = self._clock.now()
        last = {conversation_of(row.alert): row.alert.id for row in parcel.rows}
        told = []
        for key, row in self._those_of(parcel):
            is_last = row.notification.alert.id == last[key]
            told.append(
                replace(
                    row.notification,
                    delivery=Delivery.SENT if is_last else Delivery.MERGED,
                    attempts=row.notification.attempts + 1,
                    sent_at=now,
                    result=_result(outcome.said, len(last) - 1) if is_last else "told with what came next",
                )
            )
            self._waiting.drop(key, row)
        for key in last:
            self._waiting.back(key)
        self._end_carried_pauses()
        return told

    def _end_carried_pauses(self) -> None:
        """The channel takes something: what an earlier run left waiting for it needs to wait no longer."""
        if not self._has_carried:
            return
        self._has_carried = False
        now_s = self._clock.monotonic_s()
        for key, row in self._waiting:
            if row.is_carried:
                row.ready_s, row.is_carried = min(row.ready_s, now_s), False
                self._waiting.changed(key)

    def _pause_s(self, parcel: Parcel, outcome: Outcome, begun_s: float) -> float:
        """How long until the next attempt: of the channel, or of this parcel where it alone was refused."""
        now_s = self._clock.monotonic_s()
        failures = parcel.rows[0].attempts
        if outcome.taken is Taken.LATER:
            if begun_s >= self._failed_s:  # attempts that were under way together fail together
                self._failures += 1
            self._failed_s = now_s
            failures = self._failures - 1
        spread = 1 - SPREAD + 2 * SPREAD * self._chance()
        pause_s = AGAIN_AFTER_S[min(failures, len(AGAIN_AFTER_S) - 1)] * spread
        asked_s = min(outcome.again_after_s or 0.0, ASKED_S_MAX)
        if outcome.taken is Taken.LATER:
            self._asked_s = max(self._asked_s, now_s + asked_s)
            self._quiet_s = now_s + max(pause_s, asked_s)
        return max(pause_s, asked_s)

    def _given_up(self, outcome: Outcome) -> dict[str, Notification]:
        """Rows whose day is over, by the id of their alert; of a parcel that alone was refused, no others."""
        now_s = self._clock.monotonic_s()
        dead = {}
        for key, row in self._waiting:
            tried = outcome.taken is Taken.LATER or not row.is_untried
            if row.dies_s <= now_s and tried and not self._waiting.is_under_way(key):
                one = row.notification
                dead[one.alert.id] = replace(one, delivery=Delivery.DEAD, result=one.result or outcome.said)
                self._waiting.drop(key, row)
                self._waiting.changed(key)
        return dead

    def _those_of(self, parcel: Parcel) -> Iterator[tuple[Key, Row]]:
        ids = {row.alert.id for row in parcel.rows}
        for key in dict.fromkeys(conversation_of(row.alert) for row in parcel.rows):
            yield from ((key, row) for row in self._waiting.rows_of(key, ids))


def _have_one_reason(these: list[Notification], those: list[Notification]) -> bool:
    """Whether two incidents do the same, for the same cause, on one machine."""
    one, other = these[-1].alert, those[-1].alert
    return one.host is not None and (one.host, one.state, one.cause) == (other.host, other.state, other.cause)


def _taken_over(one: Notification, now: datetime, now_s: float) -> Row:
    """A row, new or from before a restart. Its pause and its age go on, as far as clocks can be trusted."""
    wait_s = max(0.0, (one.due_at - max(now, one.alert.at)).total_seconds())
    age_s = 0.0
    if one.attempts:
        wait_s = min(wait_s, ASKED_S_MAX)
        age_s = min(max(0.0, (now - one.alert.at).total_seconds()), GIVEN_UP_AFTER_S - LEFT_S_MIN)
    waiting = replace(one, delivery=Delivery.WAITING)
    dies_s = now_s + wait_s + GIVEN_UP_AFTER_S - age_s
    return Row(waiting, now_s + wait_s, dies_s, is_carried=bool(one.attempts))


def _failed(one: Notification, outcome: Outcome, again_at: datetime) -> Notification:
    return replace(
        one,
        attempts=one.attempts + 1,
        due_at=again_at,
        is_repeat=one.is_repeat or outcome.is_uncertain,
        result=outcome.said,
    )


def _result(said: str, others: int) -> str:
    return f"{said}, with {others} other{'s' if others > 1 else ''} in one message" if others else said
