"""An open incident, and how far people know of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.domain.alert import EventKind
from trueup.domain.incident import Incident, IncidentRecord
from trueup.monitor.memory import Trouble, trouble_from_json, trouble_to_json


@dataclass(slots=True)
class Case:
    """``said`` is the trouble that people were told of last, None where they weren't; ``said_at`` when.

    ``told`` are the channels that heard of its opening. ``seq`` counts what was said. ``held_why``: the last
    reason for saying nothing yet that stands in the timeline.
    """

    incident: Incident
    said: Trouble | None = None
    said_at: datetime | None = None
    seq: int = 0
    told: frozenset[str] = frozenset()
    is_escalated: bool = False
    is_flapping: bool = False
    said_flapping: bool = False
    held_why: str = ""

    @property
    def trouble(self) -> Trouble:
        one = self.incident
        return Trouble(one.state, one.layer, one.cause, one.blame)

    @property
    def unsaid(self) -> EventKind | None:
        """What people should be told, if nothing stands in the way."""
        if self.said is None:
            return EventKind.OPENED
        is_news = self.is_flapping != self.said_flapping or (
            self.said != self.trouble and not self.is_flapping
        )
        return EventKind.CHANGED if is_news else None

    def to_json(self) -> dict[str, Any]:
        """What of it the incident itself and its notifications don't tell."""
        return {
            "said": trouble_to_json(self.said),
            "said_at": self.said_at.isoformat() if self.said_at is not None else None,
            "seq": self.seq,
            "is_escalated": self.is_escalated,
            "is_flapping": self.is_flapping,
            "said_flapping": self.said_flapping,
            "held_why": self.held_why,
        }


def recalled(record: IncidentRecord, kept: Any) -> Case:
    """The case of an incident that was open when the monitor stopped; ``kept`` is from ``to_json``."""
    case = Case(record.incident, told=_told(record))
    if not isinstance(kept, dict):
        # Nobody knows what was said, but for what was sent.
        case.said = case.trouble if case.told else None
        case.said_at = record.incident.confirmed_at
        case.seq = len(record.notifications)
        return case
    case.said = trouble_from_json(kept.get("said"))
    said_at = kept.get("said_at")
    case.said_at = datetime.fromisoformat(said_at) if isinstance(said_at, str) else None
    case.seq = int(kept.get("seq", 0))
    case.is_escalated = bool(kept.get("is_escalated"))
    case.is_flapping = bool(kept.get("is_flapping"))
    case.said_flapping = bool(kept.get("said_flapping"))
    case.held_why = str(kept.get("held_why", ""))
    return case


def _told(record: IncidentRecord) -> frozenset[str]:
    return channels_told(tuple((one.channel, one.event, one.result) for one in record.notifications))


def channels_told(said: Sequence[tuple[str, EventKind, str]]) -> frozenset[str]:
    """The channels to which the opening was sent or is about to be: they're told of the end too."""
    return frozenset(channel for channel, event, _ in said if event is EventKind.OPENED)
