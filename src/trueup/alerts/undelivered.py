"""What is said on one channel about another that takes nothing."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from trueup.domain.alert import Alert, EventKind, Notification
from trueup.domain.clock import timestamp
from trueup.domain.printable import printable

_OWN = frozenset({EventKind.TEST, EventKind.UNDELIVERED})


def undelivered(dead: Sequence[Notification], now: datetime) -> Alert | None:
    """The report on dead rows of one channel; None where nothing is lost but reports and tests."""
    lost = [row for row in dead if row.alert.event not in _OWN]
    return _report(lost, now, f"didn't take {_alerts(lost)}") if lost else None


def failing(rows: Sequence[Notification], since: datetime, now: datetime) -> Alert | None:
    """The same, on rows that wait for a channel that has taken nothing ``since`` then, and is tried on."""
    waiting = [row for row in rows if row.alert.event not in _OWN]
    words = f"has taken nothing since {timestamp(since)}, not even {_alerts(waiting)}" if waiting else ""
    return _report(waiting, now, words) if waiting else None


def _alerts(rows: Sequence[Notification]) -> str:
    names = printable(", ".join(dict.fromkeys(row.alert.target for row in rows)), 500)
    alerts = f"{len(rows)} alerts" if len(rows) > 1 else f"the alert '{rows[0].alert.event}'"
    return f"{alerts} about {names}"


def _report(rows: Sequence[Notification], now: datetime, words: str) -> Alert:
    """The same rows and words give the same id: made twice, it's told once."""
    first, channel = rows[0], rows[0].channel
    mark = sha256("\n".join([channel, words, *(row.alert.id for row in rows)]).encode()).hexdigest()[:24]
    return Alert(
        id=f"undelivered-{mark}",
        event=EventKind.UNDELIVERED,
        at=now,
        incident=first.alert.incident,
        target=first.alert.target,
        tier=min(row.alert.tier for row in rows),
        state=first.alert.state,
        layer=first.alert.layer,
        cause=first.alert.cause,
        blame=first.alert.blame,
        summary=f"channel {channel} {words}: {first.result}",
        next=(f"Mend channel {channel}, then see: trueup channel test {channel}",),
        url=first.alert.url,
    )
