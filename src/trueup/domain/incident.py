"""A confirmed trouble of one target, from its first failure to its end, and what was said of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trueup.domain.alert import EventKind
from trueup.domain.causes import Cause
from trueup.domain.clock import timestamp
from trueup.domain.states import Layer, State


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an incident's timeline: a change, a note, an alert that was held, and why."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel was told. ``sent_at`` is None while it waits; ``result`` is what the receiver said."""

    channel: str
    event: EventKind
    sent_at: datetime | None
    result: str


@dataclass(frozen=True, slots=True)
class Incident:
    """``opened_at`` is the first failure, ``confirmed_at`` when it became hard.

    ``state``, ``layer``, ``cause``, ``blame``, ``summary`` and ``next`` are the newest confirmed ones; they
    stay as they were when it closes. ``held_by`` names the needed target that its alerts wait for.
    """

    id: int
    target: str
    tier: int
    state: State
    summary: str
    opened_at: datetime
    confirmed_at: datetime | None = None
    closed_at: datetime | None = None
    layer: Layer | None = None
    cause: Cause | None = None
    blame: str | None = None
    next: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    held_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident with its timeline, oldest first, and what was sent of it."""

    incident: Incident
    timeline: tuple[Happening, ...] = ()
    notifications: tuple[Told, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """As the API shows it."""
        one = self.incident
        return {
            "id": one.id,
            "target": one.target,
            "tier": one.tier,
            "state": one.state.value,
            "layer": one.layer.value if one.layer else None,
            "cause": one.cause.value if one.cause else None,
            "blame": one.blame,
            "summary": one.summary,
            "next": list(one.next),
            "opened_at": timestamp(one.opened_at),
            "confirmed_at": _at(one.confirmed_at),
            "closed_at": _at(one.closed_at),
            "acknowledged_by": one.acknowledged_by,
            "acknowledged_at": _at(one.acknowledged_at),
            "held_by": one.held_by,
            "timeline": [{"at": timestamp(line.at), "what": line.what} for line in self.timeline],
            "notifications": [
                {
                    "channel": told.channel,
                    "event": told.event.value,
                    "sent_at": _at(told.sent_at),
                    "result": told.result,
                }
                for told in self.notifications
            ],
        }


def _at(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment is not None else None
