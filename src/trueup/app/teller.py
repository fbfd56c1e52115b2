"""What the book says becomes rows of the outbox, and what becomes of them is written down."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from trueup.alerts.outbox import GONE, Outbox
from trueup.alerts.routing import notifications, route
from trueup.app.evaluator import Evaluator
from trueup.app.keeper import Keeper
from trueup.domain.alert import Delivery, Notification
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.incident import Happening, Incident, IncidentRecord, Told
from trueup.monitor.book import Entries, Saying
from trueup.store.state import Remembered

CLOSED_KEPT: Final = 100
"""So many closed incidents stay in memory: notifications of them may still be under way."""
LINES_MAX: Final = 500
STORED_WITHIN_S: Final = 2.0
"""A disk that hangs doesn't hold an alert for longer."""


class Board(Protocol):
    """Who is shown what changes of an incident."""

    def incident_changed(self, record: IncidentRecord) -> None: ...


class Teller:
    """Keeps the records of open incidents and of those just closed, and hands rows to keeper and outbox."""

    def __init__(self, evaluator: Evaluator, keeper: Keeper, clock: Clock, board: Board) -> None:
        self._evaluator = evaluator
        self._keeper = keeper
        self._clock = clock
        self._board = board
        self._records: dict[int, IncidentRecord] = {}
        self._rows: dict[int, dict[tuple[str, str], Notification]] = {}
        self._told_before: dict[int, tuple[Told, ...]] = {}
        self._new: list[Notification] = []
        self.outbox = Outbox(
            evaluator.watched.channels, clock, self._row_changed, before_send=self._before_send
        )

    def recall(self, remembered: Remembered) -> None:
        """Go on with what the last run left."""
        for record in remembered.incidents:
            self._records[record.incident.id] = record
            over = tuple(told for told in record.notifications if told.sent_at is not None)
            self._told_before[record.incident.id] = over
        for row in (*remembered.undelivered, *remembered.given_up):
            self._rows.setdefault(row.alert.incident, {})[row.alert.id, row.channel] = row
        self.outbox.put(remembered.undelivered)
        self._put_again()
        self.outbox.still_firing(self._told_and_open())

    def reload(self) -> None:
        """Go on with the channels that are watched now."""
        self.outbox.reload(self.channels)
        self._put_again()

    def _put_again(self) -> None:
        """What was given up for want of its channel waits for it again, where the channel is back and the
        incident isn't over: its end is told to who was told that it opened.
        """
        again = [
            replace(row, delivery=Delivery.WAITING, result="")
            for number, record in self._records.items()
            if record.incident.is_open
            for row in self._rows.get(number, {}).values()
            if row.delivery is Delivery.DEAD and row.result == GONE and row.channel in self.channels
        ]
        for row in again:
            self._row_changed(row)
        self.outbox.put(again)

    def _told_and_open(self) -> Iterator[Notification]:
        """The newest word on each open incident, for each channel that has heard of it."""
        now = self._clock.now()
        for number, told in self._told_before.items():
            if (alert := self._evaluator.book.restated(number, now)) is not None:
                for channel in {one.channel for one in told}:
                    yield Notification(alert, channel, 0, now, Delivery.SENT)

    def record(self, incident: int) -> IncidentRecord | None:
        """An incident that is open, or was not long ago."""
        return self._records.get(incident)

    def records(self) -> dict[int, IncidentRecord]:
        """All that are in memory."""
        return dict(self._records)

    def keep_all(self) -> None:
        """Everything that's in memory is to be stored again."""
        self._keeper.put(
            incidents=[record.incident for record in self._records.values()],
            happenings=[(number, line) for number, one in self._records.items() for line in one.timeline],
            notifications=[row for rows in self._rows.values() for row in rows.values()],
        )

    def add_line(self, record: IncidentRecord, what: str) -> None:
        """Write a line into the timeline of an incident, also of one that's over."""
        self._records.setdefault(record.incident.id, record)
        self._told_before.setdefault(record.incident.id, record.notifications)
        line = (record.incident.id, Happening(self._clock.now(), what))
        self._note((), [line], ())
        self._keeper.put(happenings=[line])

    @property
    def channels(self) -> Mapping[str, Channel]:
        return self._evaluator.watched.channels

    # ---- what the book says ----------------------------------------------------------------------------

    def write(self, entries: Entries) -> None:
        """Keep what was written into the book, and send what is said, once it's stored or can't be."""
        lines = list(entries.happenings)
        rows: list[Notification] = []
        for saying in entries.sayings:
            said, why = self._rows_of(saying)
            rows += said
            lines.append((saying.alert.incident, Happening(saying.alert.at, why)))
        self._note(entries.incidents.values(), lines, rows)
        self._keeper.put(incidents=entries.incidents.values(), happenings=lines, notifications=rows)
        self._new += rows

    async def send(self) -> None:
        """Hand over what was said since, as soon as it's stored; where it can't be stored, all the same."""
        if not self._new:
            return
        rows, self._new = self._new, []
        await self._keeper.flushed(STORED_WITHIN_S)
        self.outbox.put(rows)

    def _rows_of(self, saying: Saying) -> tuple[tuple[Notification, ...], str]:
        """The notifications of an event, and the line that says who hears of it."""
        alert = saying.alert
        case = self._evaluator.book.find(alert.incident)
        routed = route(
            self._evaluator.policy(alert.target),
            self.channels,
            alert.event,
            saying.told,
            now=alert.at,
            hours=self._evaluator.watched.business_hours,
            is_escalated=case is not None and case.is_escalated,
        )
        if case is not None:
            case.told |= frozenset(routed.channels)
        rows = notifications(alert, routed, saying.seq)
        if routed.held:
            return rows, f"{alert.event}: {routed.held}"
        if not routed.channels:
            return rows, f"{alert.event}: told nobody: no channel is to hear of it"
        return rows, f"{alert.event}: to be told by {', '.join(routed.channels)}"  # whether it was, they know

    def _note(
        self,
        incidents: Iterable[Incident],
        lines: Iterable[tuple[int, Happening]],
        rows: Iterable[Notification],
    ) -> None:
        touched: set[int] = set()
        for incident in incidents:
            known = self._records.pop(incident.id, IncidentRecord(incident))
            self._records[incident.id] = replace(known, incident=incident)  # the newest last
            touched.add(incident.id)
        for number, line in lines:
            if (noted := self._records.get(number)) is not None:
                self._records[number] = replace(noted, timeline=(*noted.timeline, line)[-LINES_MAX:])
                touched.add(number)
        for row in rows:
            self._rows.setdefault(row.alert.incident, {})[row.alert.id, row.channel] = row
            touched.add(row.alert.incident)
        for number in touched:
            self._show(number)
        self._forget_old()

    def _show(self, number: int) -> None:
        record = self._records.get(number)
        if record is None:
            return
        told = (*self._told_before.get(number, ()), *map(_told, self._rows.get(number, {}).values()))
        self._records[number] = replace(record, notifications=told)
        self._board.incident_changed(self._records[number])

    def _forget_old(self) -> None:
        closed = [number for number, one in self._records.items() if not one.incident.is_open]
        for number in closed[: max(0, len(closed) - CLOSED_KEPT)]:
            del self._records[number]
            self._rows.pop(number, None)
            self._told_before.pop(number, None)

    # ---- what becomes of it ----------------------------------------------------------------------------

    def _row_changed(self, row: Notification) -> None:
        """The outbox has news of a row."""
        self._keeper.put(notifications=[row])
        result = _RESULTS.get(row.delivery)
        if result is not None:
            self._evaluator.metrics.notified(row.channel, result)
        elif row.attempts:
            self._evaluator.metrics.notified(row.channel, "failed")
        known = self._rows.get(row.alert.incident)
        if known is not None:
            known[row.alert.id, row.channel] = row
            self._show(row.alert.incident)

    async def _before_send(self, row: Notification) -> None:
        """Raises:
        OSError: it isn't stored that this is being sent.
        """
        self._keeper.put(notifications=[row])
        if not await self._keeper.flushed():
            raise OSError(self._keeper.state_fails)


_RESULTS: Final = {Delivery.SENT: "sent", Delivery.DEAD: "dead", Delivery.MERGED: "merged"}


def _told(row: Notification) -> Told:
    return Told(row.channel, row.alert.event, row.sent_at, row.result or row.delivery.value)
