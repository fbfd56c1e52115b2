"""What a kind of channel does: it sends a parcel, and says what the receiver made of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trueup.domain.alert import Alert, EventKind, Notification
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock


class Taken(StrEnum):
    """What came of an attempt.

    ``later``: the channel is in trouble; whatever else waits for it waits too. ``refused``: the receiver
    won't have this parcel as it is; others may go, and this one is tried again too, for whoever runs the
    receiver may mend it.
    """

    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``said`` is what the receiver answered, or why there is no answer: for people, whole or not.

    ``again_after_s``: the receiver asks not to be bothered sooner. ``is_uncertain``: it may have taken
    the parcel, and nobody saw it say so.
    """

    taken: Taken
    said: str
    again_after_s: float | None = None
    is_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes to one channel at once.

    ``rows`` are notifications of one incident in their order, the last of which says how things are; or,
    where more happened than people can read one by one, of several incidents.
    """

    rows: tuple[Notification, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The newest word on each incident, in the order in which they are told."""
        newest: dict[object, Alert] = {}
        for row in self.rows:
            newest[conversation_of(row.alert)] = row.alert
        return tuple(newest.values())

    @property
    def is_repeat(self) -> bool:
        """Whether any of it may have arrived already."""
        return any(row.is_repeat for row in self.rows)

    def begins(self, alert: Alert) -> bool:
        """Whether the channel hears of the incident of ``alert`` for the first time."""
        return any(
            row.alert.event is EventKind.OPENED and conversation_of(row.alert) == conversation_of(alert)
            for row in self.rows
        )


def conversation_of(alert: Alert) -> object:
    """What keeps its order on a channel: all of an incident. A word about trueup stands alone."""
    own = alert.event in (EventKind.TEST, EventKind.UNDELIVERED)
    return alert.id if own else alert.incident


class Sender(Protocol):
    """One channel. It keeps connections, and nothing that matters after a restart."""

    async def send(self, parcel: Parcel) -> Outcome:
        """Try once. What the network or the receiver does wrong is an outcome, never an exception."""
        ...

    async def close(self) -> None:
        """Give up what it holds. It isn't used any more."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """What a channel's file declares.

    ``schemes`` are those of its URLs; of http(s), ``form`` is the body's. ``make`` gives the sender of one
    channel, or raises ``NotUnderstood`` where this kind can't read the URL. ``is_exact``: its receiver is a
    program that gets each event by itself; people get several as one message where they'd be flooded.
    ``at_once``: attempts under way at a time, each about another incident. ``apart_s``: the least time
    between two messages. ``again_every_s``: its receiver forgets what still fires, unless it's told so often.
    """

    name: str
    title: str
    schemes: tuple[str, ...]
    make: Callable[[Channel, Clock], Sender]
    form: str = "trueup"
    is_exact: bool = False
    at_once: int = 1
    apart_s: float = 0.0
    again_every_s: float | None = None
