"""The state: what is known of each target, incidents, and the outbox, changed together or not at all."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, select

from trueup.domain.alert import Delivery, Notification
from trueup.domain.incident import Happening, Incident, IncidentRecord
from trueup.domain.silence import Silence
from trueup.store import rows
from trueup.store.database import Database
from trueup.store.failpoint import failpoint
from trueup.store.tables import BEAT, HAPPENING, INCIDENT, NOTIFICATION, SETTING, SILENCE, VERDICT

HEARTBEATS: Final = "heartbeats"
"""The secret that the tokens of heartbeats are made of."""
_UNDELIVERED: Final = (Delivery.WAITING.value, Delivery.SENDING.value)


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest verdict of a target: times are RFC 3339, ``document`` is the target's JSON.

    ``memory`` is what the policy remembers of it, as JSON, which the store doesn't look into.
    """

    target: str
    state: str
    since: str
    observed_at: str
    document: str
    memory: str = "{}"


@dataclass(frozen=True, slots=True)
class Beat:
    """The newest report of a job that ended a run: ``kind`` is ``success``, ``fail``, an exit status, or
    ``awaited`` where there's been none since ``reported_at``.

    ``started_at`` is when the run that's under way began, or None; ``took_s`` how long the last one took
    that said when it began. ``detail`` is what the job wrote.
    """

    target: str
    reported_at: datetime
    kind: str
    detail: str = ""
    started_at: datetime | None = None
    took_s: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is stored in one transaction. Each takes the place of what has its key; a happening is added once.

    ``happenings`` come with the id of their incident.
    """

    kept: tuple[Kept, ...] = ()
    incidents: tuple[Incident, ...] = ()
    happenings: tuple[tuple[int, Happening], ...] = ()
    notifications: tuple[Notification, ...] = ()
    silences: tuple[Silence, ...] = ()
    beats: tuple[Beat, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a monitor goes on with when it starts.

    ``incidents`` are the open ones, ``undelivered`` those that wait, the oldest first: one whose sending
    nobody saw end waits again, and is a repeat. ``given_up`` are those of the open incidents that
    nobody is to be told any more. ``last_incident_id`` and ``last_seq`` are the highest ever given, or 0.
    ``silences`` are all that are kept, also ended ones: who loads them knows the time.
    """

    kept: dict[str, Kept] = field(default_factory=dict)
    incidents: tuple[IncidentRecord, ...] = ()
    last_incident_id: int = 0
    last_seq: int = 0
    undelivered: tuple[Notification, ...] = ()
    given_up: tuple[Notification, ...] = ()
    silences: tuple[Silence, ...] = ()
    beats: dict[str, Beat] = field(default_factory=dict)


class StateStore:
    """On ``state.db`` or its like in PostgreSQL; whoever opened the database closes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, batch: Batch) -> None:
        """Store all of ``batch`` in one transaction; storing it again changes nothing.

        Raises:
            StoreFailed: nothing of it was stored.
        """
        failpoint("before-transaction")
        with self._database.writing() as connection:
            self._put(connection, VERDICT, [_kept_row(one) for one in batch.kept])
            self._put(connection, INCIDENT, map(rows.incident_row, batch.incidents))
            lines = [{"incident": id_, "at": line.at, "what": line.what} for id_, line in batch.happenings]
            if lines:
                connection.execute(self._database.insert_new(HAPPENING), lines)
            self._put(connection, NOTIFICATION, map(rows.notification_row, batch.notifications))
            self._put(connection, SILENCE, map(rows.silence_row, batch.silences))
            self._put(connection, BEAT, [_beat_row(one) for one in batch.beats])
            failpoint("in-transaction")
        failpoint("after-commit")

    def load(self) -> Remembered:
        """Everything that a monitor goes on with.

        Raises:
            StoreFailed: it can't be read.
        """
        with self._database.reading() as connection:
            kept = [Kept(*row) for row in connection.execute(select(VERDICT))]
            is_open = select(INCIDENT).where(INCIDENT.c.closed_at.is_(None)).order_by(INCIDENT.c.id)
            waiting = select(NOTIFICATION).where(NOTIFICATION.c.delivery.in_(_UNDELIVERED))
            open_ids = select(INCIDENT.c.id).where(INCIDENT.c.closed_at.is_(None))
            dead = select(NOTIFICATION).where(
                NOTIFICATION.c.delivery == Delivery.DEAD.value, NOTIFICATION.c.incident.in_(open_ids)
            )
            silences = connection.execute(select(SILENCE).order_by(SILENCE.c.id)).mappings()
            beats = [Beat(*row) for row in connection.execute(select(BEAT))]
            return Remembered(
                kept={one.target: one for one in kept},
                incidents=tuple(_records(connection, is_open)),
                last_incident_id=connection.execute(select(func.max(INCIDENT.c.id))).scalar() or 0,
                last_seq=connection.execute(select(func.max(NOTIFICATION.c.seq))).scalar() or 0,
                undelivered=tuple(map(_again, _notifications(connection, waiting))),
                given_up=tuple(_notifications(connection, dead)),
                silences=tuple(map(rows.silence_of, silences)),
                beats={one.target: one for one in beats},
            )

    def secret(self, name: str) -> str:
        """A random word that's made when it's first asked for, and is the same ever after.

        Raises:
            StoreFailed: it can't be read, or not be stored.
        """
        wanted = select(SETTING.c.value).where(SETTING.c.name == f"secret {name}")
        with self._database.writing() as connection:
            made = {"name": f"secret {name}", "value": secrets.token_urlsafe(32)}
            connection.execute(self._database.insert_new(SETTING), made)
            return str(connection.execute(wanted).scalar_one())

    def incidents(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        target: str | None = None,
        is_open: bool | None = None,
        since: datetime | None = None,
    ) -> list[IncidentRecord]:
        """At most ``limit``, the newest first: those with an id below ``before_id``, of ``target``, open or
        closed, and not over before ``since``.

        Raises:
            StoreFailed: they can't be read.
        """
        wanted = select(INCIDENT).order_by(INCIDENT.c.id.desc()).limit(limit)
        if before_id is not None:
            wanted = wanted.where(INCIDENT.c.id < before_id)
        if target is not None:
            wanted = wanted.where(INCIDENT.c.target == target)
        if is_open is not None:
            ended = INCIDENT.c.closed_at
            wanted = wanted.where(ended.is_(None) if is_open else ended.is_not(None))
        if since is not None:
            wanted = wanted.where(INCIDENT.c.closed_at.is_(None) | (INCIDENT.c.closed_at >= since))
        with self._database.reading() as connection:
            return _records(connection, wanted)

    def incident(self, incident_id: int) -> IncidentRecord | None:
        """One incident; None where there's none with that id.

        Raises:
            StoreFailed: it can't be read.
        """
        with self._database.reading() as connection:
            found = _records(connection, select(INCIDENT).where(INCIDENT.c.id == incident_id))
        return found[0] if found else None

    def notifications(self, *, delivery: Delivery | None = None, limit: int = 1000) -> list[Notification]:
        """At most ``limit``, the newest first.

        Raises:
            StoreFailed: they can't be read.
        """
        wanted = select(NOTIFICATION)
        if delivery is not None:
            wanted = wanted.where(NOTIFICATION.c.delivery == delivery.value)
        wanted = wanted.order_by(NOTIFICATION.c.due_at.desc(), NOTIFICATION.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            return [rows.notification_of(row) for row in connection.execute(wanted).mappings()]

    def expire(self, before: datetime) -> int:
        """Forget incidents, with all that was said of them, and silences that were over before that moment.

        The newest incident stays, so that no id is given twice. Returns how many incidents went.

        Raises:
            StoreFailed: nothing was forgotten.
        """
        newest = select(func.max(INCIDENT.c.id)).scalar_subquery()
        over = select(INCIDENT.c.id).where(INCIDENT.c.closed_at < before, INCIDENT.c.id < newest)
        with self._database.writing() as connection:
            ids = list(connection.execute(over).scalars())
            for first in range(0, len(ids), 500):
                some = ids[first : first + 500]
                connection.execute(delete(HAPPENING).where(HAPPENING.c.incident.in_(some)))
                connection.execute(delete(NOTIFICATION).where(NOTIFICATION.c.incident.in_(some)))
                connection.execute(delete(INCIDENT).where(INCIDENT.c.id.in_(some)))
            connection.execute(delete(SILENCE).where(SILENCE.c.until_at < before))
        return len(ids)

    def checkpoint(self) -> None:
        """Begin the journal of SQLite's file anew.

        Raises:
            StoreFailed: it can't be done now.
        """
        self._database.checkpoint()

    def _put(self, connection: Connection, table: Any, values: Iterable[dict[str, Any]]) -> None:
        listed = list(values)
        if listed:
            connection.execute(self._database.upsert(table), listed)


def _kept_row(one: Kept) -> dict[str, Any]:
    return {
        "target": one.target,
        "state": one.state,
        "since": one.since,
        "observed_at": one.observed_at,
        "document": one.document,
        "memory": one.memory,
    }


def _beat_row(one: Beat) -> dict[str, Any]:
    return {
        "target": one.target,
        "reported_at": one.reported_at,
        "kind": one.kind,
        "detail": one.detail,
        "started_at": one.started_at,
        "took_s": one.took_s,
    }


def _again(one: Notification) -> Notification:
    if one.delivery is not Delivery.SENDING:
        return one
    return replace(one, delivery=Delivery.WAITING, is_repeat=True)


def _notifications(connection: Connection, wanted: Select[Any]) -> list[Notification]:
    ordered = wanted.order_by(NOTIFICATION.c.seq, NOTIFICATION.c.due_at)
    return [rows.notification_of(row) for row in connection.execute(ordered).mappings()]


def _records(connection: Connection, wanted: Select[Any]) -> list[IncidentRecord]:
    """The incidents asked for, each with its timeline and what was sent of it."""
    found = [rows.incident_of(row) for row in connection.execute(wanted).mappings()]
    timelines: dict[int, list[Happening]] = {}
    told: dict[int, list[Any]] = {}
    ids = [one.id for one in found]
    for first in range(0, len(ids), 500):
        some = ids[first : first + 500]
        lines = select(HAPPENING).where(HAPPENING.c.incident.in_(some))
        for row in connection.execute(lines.order_by(HAPPENING.c.at, HAPPENING.c.number)).mappings():
            timelines.setdefault(row["incident"], []).append(rows.happening_of(row))
        sent = select(NOTIFICATION).where(NOTIFICATION.c.incident.in_(some))
        for row in connection.execute(sent.order_by(NOTIFICATION.c.seq)).mappings():
            told.setdefault(row["incident"], []).append(rows.told_of(row))
    return [
        IncidentRecord(one, tuple(timelines.get(one.id, ())), tuple(told.get(one.id, ()))) for one in found
    ]
