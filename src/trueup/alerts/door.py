"""One channel at work: its queue, its sender, and how it does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from trueup.alerts.lane import Lane
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Sender, Taken
from trueup.domain.alert import EventKind, Notification
from trueup.domain.channel import Channel

WAKE_S_MAX: Final = 20.0
WAIT_S_MIN: Final = 0.005
REPORTED_AFTER_S: Final = 900.0


@dataclass(slots=True)
class ChannelHealth:
    """How a channel does since the start.

    ``failing_since`` is the first failure after the last success. ``said``: the newest word of its receiver.
    ``waiting`` counts rows, and ``dead`` those that were given up.
    """

    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    failing_since: datetime | None = None
    said: str = ""
    waiting: int = 0
    dead: int = 0

    @property
    def is_failing(self) -> bool:
        return self.failing_since is not None


@dataclass(slots=True)
class Door:
    """``news`` is set when there may be something to send. ``firing``: by incident, what was told and holds.

    ``hands`` are the tasks that send; ``turned_s`` is when one of them last came round. ``is_reported``:
    people have been told, over another channel, that this one fails.
    """

    channel: Channel
    kind: ChannelKind
    sender: Sender
    lane: Lane
    health: ChannelHealth = field(default_factory=ChannelHealth)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    firing: dict[int, Notification] = field(default_factory=dict)
    hands: list[asyncio.Task[None]] = field(default_factory=list)
    said_again_s: float = float("-inf")
    turned_s: float = 0.0
    failing_from_s: float | None = None
    is_reported: bool = False

    @property
    def doubts(self) -> tuple[bool, bool, bool, bool]:
        """The fewer, the likelier that a message reaches people now."""
        health, kind = self.health, self.kind
        never = health.last_success_at is None
        return health.is_failing, kind.again_every_s is not None, kind.is_exact, never

    def note(self, outcome: Outcome, now: datetime, now_s: float) -> None:
        """How an attempt ended."""
        if outcome.taken is Taken.SENT:
            self.health.last_success_at = now
            self.health.failing_since = self.failing_from_s = None
            self.is_reported = False
        else:
            self.health.last_failure_at = now
            self.health.failing_since = self.health.failing_since or now
            self.failing_from_s = now_s if self.failing_from_s is None else self.failing_from_s
        self.health.said = outcome.said

    def must_report(self, now_s: float) -> bool:
        """Whether people must hear, once, that this channel has been failing for long."""
        lasts = self.failing_from_s is not None and now_s - self.failing_from_s >= REPORTED_AFTER_S
        return lasts and not self.is_reported

    def must_say_again(self, now_s: float) -> bool:
        """Whether the receiver must hear once more what still fires."""
        every_s = self.kind.again_every_s
        return every_s is not None and bool(self.firing) and now_s >= self.said_again_s + every_s

    def remember(self, told: Parcel, now_s: float) -> None:
        """What was told fires until its end is told."""
        if not self.firing:
            self.said_again_s = now_s
        for row in told.rows:
            match row.alert.event:
                case EventKind.CLOSED:
                    self.firing.pop(row.alert.incident, None)
                case EventKind.TEST | EventKind.UNDELIVERED:
                    pass
                case _:
                    self.firing[row.alert.incident] = row

    async def wait(self, now_s: float) -> None:
        """Until there are news, or something is due."""
        wakes_s = self.lane.wakes_s()
        wait_s = WAKE_S_MAX if wakes_s is None else min(WAKE_S_MAX, max(WAIT_S_MIN, wakes_s - now_s))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self.news.wait()
        self.news.clear()
