"""Incidents, notifications and silences as rows, and back."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from trueup.domain.alert import Alert, Delivery, EventKind, Notification
from trueup.domain.causes import Cause
from trueup.domain.clock import timestamp
from trueup.domain.incident import Happening, Incident, Told
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.domain.states import Layer, State

Row = Mapping[str, Any] | RowMapping


def incident_row(one: Incident) -> dict[str, Any]:
    """A row of the table ``incident``."""
    return {
        "id": one.id,
        "target": one.target,
        "tier": one.tier,
        "state": one.state.value,
        "summary": one.summary,
        "opened_at": one.opened_at,
        "confirmed_at": one.confirmed_at,
        "closed_at": one.closed_at,
        "layer": _value(one.layer),
        "cause": _value(one.cause),
        "blame": one.blame,
        "next": json.dumps(one.next),
        "acknowledged_by": one.acknowledged_by,
        "acknowledged_at": one.acknowledged_at,
        "held_by": one.held_by,
    }


def incident_of(row: Row) -> Incident:
    """What ``incident_row`` made a row of."""
    return Incident(
        id=row["id"],
        target=row["target"],
        tier=row["tier"],
        state=State(row["state"]),
        summary=row["summary"],
        opened_at=row["opened_at"],
        confirmed_at=row["confirmed_at"],
        closed_at=row["closed_at"],
        layer=_layer(row["layer"]),
        cause=_cause(row["cause"]),
        blame=row["blame"],
        next=tuple(json.loads(row["next"])),
        acknowledged_by=row["acknowledged_by"],
        acknowledged_at=row["acknowledged_at"],
        held_by=row["held_by"],
    )


def happening_of(row: Row) -> Happening:
    """A line of a timeline."""
    return Happening(row["at"], row["what"])


def notification_row(one: Notification) -> dict[str, Any]:
    """A row of the table ``notification``."""
    return {
        "alert_id": one.alert.id,
        "channel": one.channel,
        "incident": one.alert.incident,
        "event": one.alert.event.value,
        "alert": json.dumps(
            {**one.alert.document(), "since": _moment(one.alert.since), "host": one.alert.host}
        ),
        "seq": one.seq,
        "due_at": one.due_at,
        "delivery": one.delivery.value,
        "attempts": one.attempts,
        "is_repeat": one.is_repeat,
        "sent_at": one.sent_at,
        "result": one.result,
    }


def notification_of(row: Row) -> Notification:
    """What ``notification_row`` made a row of."""
    return Notification(
        alert=alert_of(json.loads(row["alert"])),
        channel=row["channel"],
        seq=row["seq"],
        due_at=row["due_at"],
        delivery=Delivery(row["delivery"]),
        attempts=row["attempts"],
        is_repeat=row["is_repeat"],
        sent_at=row["sent_at"],
        result=row["result"],
    )


def told_of(row: Row) -> Told:
    """What an incident shows of a notification."""
    return Told(row["channel"], EventKind(row["event"]), row["sent_at"], row["result"] or row["delivery"])


def alert_of(document: Mapping[str, Any]) -> Alert:
    """The alert of its document, and of what's kept beside."""
    since = document.get("since")
    return Alert(
        id=document["id"],
        event=EventKind(document["event"]),
        at=datetime.fromisoformat(document["at"]),
        incident=document["incident"],
        target=document["target"],
        tier=document["tier"],
        state=State(document["state"]),
        summary=document["summary"],
        layer=_layer(document["layer"]),
        cause=_cause(document["cause"]),
        blame=document["blame"],
        next=tuple(document["next"]),
        impact=tuple(document["impact"]),
        url=document["url"],
        since=datetime.fromisoformat(since) if since else None,
        host=document.get("host"),
    )


def silence_row(one: Silence) -> dict[str, Any]:
    """A row of the table ``silence``."""
    return {
        "id": one.id,
        "targets": json.dumps(one.targets.words),
        "from_at": one.from_at,
        "until_at": one.until_at,
        "author": one.author,
        "why": one.why,
        "planned": one.planned,
    }


def silence_of(row: Row) -> Silence:
    """What ``silence_row`` made a row of."""
    return Silence(
        id=row["id"],
        targets=Selector(tuple(json.loads(row["targets"]))),
        from_at=row["from_at"],
        until_at=row["until_at"],
        author=row["author"],
        why=row["why"],
        planned=row["planned"],
    )


def _moment(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment is not None else None


def _value(word: Layer | Cause | None) -> str | None:
    return word.value if word is not None else None


def _layer(word: str | None) -> Layer | None:
    return Layer(word) if word is not None else None


def _cause(word: str | None) -> Cause | None:
    return Cause(word) if word is not None else None
