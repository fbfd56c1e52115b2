"""What is said of an incident, and each saying of it to one channel."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from trueup.domain.causes import Cause
from trueup.domain.clock import timestamp
from trueup.domain.states import Layer, State


class EventKind(StrEnum):
    """Why something is said.

    ``test`` is of no incident. ``undelivered`` says on one channel that another takes nothing.
    """

    OPENED = "opened"
    CHANGED = "changed"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    CLOSED = "closed"
    UNDELIVERED = "undelivered"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Alert:
    """One event of one incident, the same for each channel that hears it.

    ``id`` is the receiver's to tell a repeat by. ``impact`` names everything that needs the target.
    ``since`` is when its incident opened, ``host`` the machine that its target is on, where that's one: for
    people's messages; the document goes without them.
    """

    id: str
    event: EventKind
    at: datetime
    incident: int
    target: str
    tier: int
    state: State
    summary: str
    layer: Layer | None = None
    cause: Cause | None = None
    blame: str | None = None
    next: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()
    url: str | None = None
    since: datetime | None = None
    host: str | None = None

    def document(self) -> dict[str, Any]:
        """As an http(s) channel receives it."""
        return {
            "id": self.id,
            "event": self.event.value,
            "at": timestamp(self.at),
            "incident": self.incident,
            "target": self.target,
            "tier": self.tier,
            "state": self.state.value,
            "layer": self.layer.value if self.layer else None,
            "cause": self.cause.value if self.cause else None,
            "blame": self.blame,
            "summary": self.summary,
            "next": list(self.next),
            "impact": list(self.impact),
            "url": self.url,
        }


class Delivery(StrEnum):
    """How far a notification is. ``sending`` without an end means that nobody knows whether it arrived."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Notification:
    """One alert for one channel: a row of the outbox. (``alert.id``, ``channel``) is its key.

    ``seq`` orders those of one incident and channel. ``due_at``: not tried sooner. ``is_repeat``: it may
    have arrived already, in an attempt that nobody saw end. ``result``: what the receiver said last.
    """

    alert: Alert
    channel: str
    seq: int
    due_at: datetime
    delivery: Delivery = Delivery.WAITING
    attempts: int = 0
    is_repeat: bool = False
    sent_at: datetime | None = None
    result: str = ""
