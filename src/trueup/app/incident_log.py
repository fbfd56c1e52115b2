"""Incidents as they're asked for: those in memory and those in the store; and what people say of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from trueup.app.evaluator import Evaluator
from trueup.app.keeper import Keeper
from trueup.app.teller import Teller
from trueup.domain.clock import Clock
from trueup.domain.incident import IncidentRecord
from trueup.store.failure import StoreFailed

FRESH_WITHIN_S: Final = 2.0
Document = dict[str, Any]


class IncidentLog:
    """``changed`` is called with the number of an incident that somebody has said something of."""

    def __init__(
        self,
        evaluator: Evaluator,
        keeper: Keeper,
        teller: Teller,
        clock: Clock,
        changed: Callable[[int], None],
    ) -> None:
        self._evaluator, self._keeper, self._teller = evaluator, keeper, teller
        self._clock = clock
        self._changed = changed

    async def incidents(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        target: str | None = None,
        is_open: bool | None = None,
        since: datetime | None = None,
    ) -> list[Document]:
        """The newest first, each whole. Where the store can't be read, those that are in memory."""
        await self._keeper.flushed(FRESH_WITHIN_S)
        records = self._teller.records()
        try:
            stored = await self._keeper.in_time(
                self._keeper.in_state(
                    lambda store: store.incidents(
                        limit=limit, before_id=before_id, target=target, is_open=is_open, since=since
                    )
                )
            )
        except StoreFailed:
            stored = []
        else:
            stored = [records.pop(one.incident.id, one) for one in stored]
            if not self._keeper.state_fails:
                return [one.document() for one in stored]
        fitting = [one for one in records.values() if _fits(one, before_id, target, is_open, since)]
        found = sorted([*stored, *fitting], key=lambda one: one.incident.id, reverse=True)
        return [one.document() for one in found[:limit]]

    async def incident(self, incident_id: int) -> Document | None:
        """One of them; None where there's none."""
        record = self._teller.record(incident_id)
        if record is None:
            record = await self._stored(incident_id)
        return record.document() if record is not None else None

    async def _stored(self, incident_id: int) -> IncidentRecord | None:
        return await self._keeper.in_time(self._keeper.in_state(lambda store: store.incident(incident_id)))

    async def acknowledge(self, incident_id: int, by: str, note: str) -> Document | None:
        """The incident as it is now; None where there's none. One that's over stays as it was.

        It's stored when this returns, or can't be for now.
        """
        self._evaluator.book.acknowledge(incident_id, by, note, self._clock.now())
        self._changed(incident_id)
        await self._keeper.flushed(FRESH_WITHIN_S)
        return await self.incident(incident_id)

    async def add_note(self, incident_id: int, by: str, text: str) -> Document | None:
        """The incident as it is now; None where there's none. Stored as an acknowledgement is."""
        if not self._evaluator.book.add_note(incident_id, by, text, self._clock.now()):
            record = await self._stored(incident_id)
            if record is None:
                return None
            self._teller.add_line(record, f"{by}: {text}")
        self._changed(incident_id)
        await self._keeper.flushed(FRESH_WITHIN_S)
        return await self.incident(incident_id)


def _fits(
    record: IncidentRecord,
    before_id: int | None,
    target: str | None,
    is_open: bool | None,
    since: datetime | None,
) -> bool:
    one = record.incident
    return (
        (before_id is None or one.id < before_id)
        and (target is None or one.target == target)
        and (is_open is None or one.is_open == is_open)
        and (since is None or one.closed_at is None or one.closed_at >= since)
    )
