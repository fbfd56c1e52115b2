"""Sends what waits, channel by channel, until it's there: at least once, each channel in its own time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from trueup.alerts.attempt import ATTEMPT_S_MAX, attempt
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.door import WAKE_S_MAX, ChannelHealth, Door
from trueup.alerts.lane import Lane
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Sender, Taken
from trueup.alerts.undelivered import failing, undelivered
from trueup.domain.alert import Alert, Delivery, Notification
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.store.failpoint import failpoint

RECORDED_WITHIN_S: Final = 2.0
"""A store that can't take a row in this time doesn't keep an alert from going out."""
STUCK_AFTER_S: Final = 2 * (ATTEMPT_S_MAX + WAKE_S_MAX)
GONE: Final = "there is no such channel any more"
_LOG = logging.getLogger("trueup.alerts")

OnChange = Callable[[Notification], None]
BeforeSend = Callable[[Notification], Awaitable[None]]
SenderFor = Callable[[Channel, Clock], tuple[ChannelKind, Sender]]


class Outbox:
    """The worker. ``on_change`` hears of every row that changes, and puts it into the store's next batch.

    ``before_send`` records a row as ``sending``: what's found so after a crash may have arrived, and is sent
    again as a repeat. Where it fails or takes its time, the alert goes out all the same. Everything is
    called on the loop.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        clock: Clock,
        on_change: OnChange,
        before_send: BeforeSend | None = None,
        *,
        sender_for: SenderFor = sender_for,
    ) -> None:
        """``sender_for`` gives another sender than the channel's own: a test's."""
        self._clock = clock
        self._on_change = on_change
        self._before_send = before_send
        self._sender_for = sender_for
        self._doors: dict[str, Door] = {name: self._door(channel) for name, channel in channels.items()}
        self._endings: set[asyncio.Task[None]] = set()
        self._is_running = False

    async def run(self) -> None:
        """Send what is put, until cancelled. Rows under way are then as ``before_send`` recorded them."""
        self._is_running = True
        try:
            for name, door in self._doors.items():
                self._open(name, door)
            await asyncio.get_running_loop().create_future()
        finally:
            self._is_running = False
            for door in self._doors.values():
                self._close(door)
            await asyncio.gather(*self._endings)

    def put(self, rows: Iterable[Notification]) -> None:
        """Take rows over, new ones or those that an earlier run left.

        Rows of a channel that isn't there are given up, and another channel says so.
        """
        lost = []
        for row in rows:
            if door := self._doors.get(row.channel):
                door.lane.put([row])
                door.news.set()
            else:
                lost.append(replace(row, delivery=Delivery.DEAD, result=GONE))
        self._give_up(lost)

    def still_firing(self, rows: Iterable[Notification]) -> None:
        """After a restart, the newest word on each open incident that a channel was told.

        It matters to receivers that forget, and to no others.
        """
        for row in rows:
            if (door := self._doors.get(row.channel)) and row.alert.incident not in door.firing:
                door.firing[row.alert.incident] = row
                door.news.set()

    def reload(self, channels: Mapping[str, Channel]) -> None:
        """Go on with other channels. What waits for one that has changed is tried at once, in the new way;
        what waits for one that is gone is given up, and another channel says so.
        """
        before, self._doors = self._doors, {}
        for name, channel in channels.items():
            old = before.get(name)
            if old is not None and old.channel == channel:
                self._doors[name] = before.pop(name)
                continue
            door = self._doors[name] = self._door(channel)
            if old is not None:
                door.lane.put(before.pop(name).lane.rest())
                door.lane.mended()
                door.firing = old.firing
                self._close(old)
            if self._is_running:
                self._open(name, door)
        for door in before.values():
            self._close(door)
            self._give_up([replace(row, delivery=Delivery.DEAD, result=GONE) for row in door.lane.rest()])

    def look_at_clock(self) -> None:
        """The clocks have jumped, or the machine slept: see anew what is due."""
        for door in self._doors.values():
            door.news.set()

    def waiting(self) -> int:
        """How many rows are neither told nor given up."""
        return sum(len(door.lane) for door in self._doors.values())

    def health(self) -> dict[str, ChannelHealth]:
        """Each channel's, by its name."""
        return {name: replace(door.health, waiting=len(door.lane)) for name, door in self._doors.items()}

    def is_turning(self) -> bool:
        """Whether every channel's loop goes round, whatever the receivers do: for the watchdog."""
        now_s = self._clock.monotonic_s()
        return self._is_running and all(
            now_s - door.turned_s < STUCK_AFTER_S and not any(hand.done() for hand in door.hands)
            for door in self._doors.values()
        )

    # -- one channel ---------------------------------------------------------------------------

    def _door(self, channel: Channel) -> Door:
        kind, sender = self._sender_for(channel, self._clock)
        lane = Lane(self._clock, is_exact=kind.is_exact, apart_s=kind.apart_s)
        return Door(channel, kind, sender, lane, turned_s=self._clock.monotonic_s())

    def _open(self, name: str, door: Door) -> None:
        door.turned_s = self._clock.monotonic_s()
        for number in range(door.kind.at_once):
            work = self._work(name, door)
            door.hands.append(asyncio.create_task(work, name=f"channel {name} {number}"))

    def _close(self, door: Door) -> None:
        for hand in door.hands:
            hand.cancel()
        if self._is_running or door.hands:
            ending = asyncio.ensure_future(_end(door))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def _work(self, name: str, door: Door) -> None:
        while True:
            door.turned_s = now_s = self._clock.monotonic_s()
            parcel = door.lane.take()
            if parcel is not None:
                await self._deliver(name, door, parcel)
            elif door.must_say_again(now_s):
                door.said_again_s = now_s
                firing = Parcel(tuple(door.firing.values()))
                self._note(name, door, await attempt(door.sender, door.channel, firing))
            else:
                await door.wait(now_s)

    async def _deliver(self, name: str, door: Door, parcel: Parcel) -> None:
        await self._record(parcel)
        failpoint("after-claim")
        outcome = await attempt(door.sender, door.channel, parcel)
        failpoint("after-answer")
        changed = door.lane.settle(parcel, outcome)
        self._note(name, door, outcome)
        if outcome.taken is Taken.SENT:
            door.remember(parcel, self._clock.monotonic_s())
        if door.must_report(self._clock.monotonic_s()) and door.health.failing_since is not None:
            door.is_reported = True
            self._report(name, failing(changed, door.health.failing_since, self._clock.now()))
        self._give_up([row for row in changed if row.delivery is Delivery.DEAD])
        for row in changed:
            if row.delivery is not Delivery.DEAD:
                self._on_change(row)
        door.news.set()

    async def _record(self, parcel: Parcel) -> None:
        """That these are being sent. A store that doesn't take it must not keep an alert back."""
        if self._before_send is None:
            return
        rows = [replace(row, delivery=Delivery.SENDING) for row in parcel.rows]
        writing = [asyncio.ensure_future(self._before_send(row)) for row in rows]
        done, late = await asyncio.wait(writing, timeout=RECORDED_WITHIN_S)
        for task in late:
            self._endings.add(ending := asyncio.ensure_future(_whatever(task)))
            ending.add_done_callback(self._endings.discard)
        failed = [task.exception() for task in done if not task.cancelled()]
        if late or any(failed):
            _LOG.warning("the store doesn't take that an alert is being sent; it's sent all the same")

    def _note(self, name: str, door: Door, outcome: Outcome) -> None:
        if outcome.taken is not Taken.SENT:
            _LOG.warning("channel %s doesn't take an alert: %s", name, outcome.said)
        elif door.health.is_failing:
            _LOG.info("channel %s takes alerts again: %s", name, outcome.said)
        door.note(outcome, self._clock.now(), self._clock.monotonic_s())

    # -- what can't be told --------------------------------------------------------------------

    def _give_up(self, dead: Sequence[Notification]) -> None:
        """Rows are dead: record them, and tell people over another channel."""
        for row in dead:
            why = f"{row.result}: {row.alert.summary}"
            _LOG.error("an alert for channel %s is given up: %s", row.channel, why)
            self._on_change(row)
        for name, rows in _by_channel(dead).items():
            if door := self._doors.get(name):
                door.health.dead += len(rows)
            self._report(name, undelivered(rows, self._clock.now()))

    def _report(self, about: str, alert: Alert | None) -> None:
        """Over the other channel that's likeliest to reach people."""
        others = [name for name in self._doors if name != about]
        reporter = min(others, key=lambda name: self._doors[name].doubts, default=None)
        if alert is not None and reporter is not None:
            report = Notification(alert, reporter, 0, alert.at)
            self._on_change(report)
            self.put([report])


async def _end(door: Door) -> None:
    await asyncio.gather(*door.hands, return_exceptions=True)
    with suppress(Exception):
        await door.sender.close()


async def _whatever(task: asyncio.Future[None]) -> None:
    with suppress(Exception):
        await task


def _by_channel(rows: Iterable[Notification]) -> dict[str, list[Notification]]:
    found: dict[str, list[Notification]] = {}
    for row in rows:
        found.setdefault(row.channel, []).append(row)
    return found
