"""What a review is made of: documents of the API, as they were answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from trueup.domain.business_hours import BusinessHours

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """``targets``, ``incidents`` and ``machines`` are elements of the documents of those names, ``histories``
    whole ones by target. ``channels`` are names. ``silent`` are targets that alert nobody, None where the
    configuration isn't known. ``since_at`` and ``until_at`` (aware) bound what is reviewed.
    """

    since_at: datetime
    until_at: datetime
    targets: Sequence[Document] = ()
    incidents: Sequence[Document] = ()
    histories: Mapping[str, Document] = field(default_factory=dict)
    machines: Sequence[Document] = ()
    channels: Sequence[str] = ()
    silent: frozenset[str] | None = None
    hours: BusinessHours = field(default_factory=BusinessHours)

    @property
    def lasts(self) -> timedelta:
        return self.until_at - self.since_at


def moment(text: Any) -> datetime | None:
    """A time as documents write it; None where none is written."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def span(incident: Document, material: Material) -> tuple[datetime, datetime]:
    """From when to when it lasted, as far as it's within what is reviewed."""
    opened, closed = moment(incident["opened_at"]), moment(incident.get("closed_at"))
    starts = max(opened or material.since_at, material.since_at)
    return starts, max(starts, min(closed or material.until_at, material.until_at))
