"""Alerts, rows and time for tests of what is sent."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Taken
from trueup.domain.alert import Alert, EventKind, Notification
from trueup.domain.causes import Cause
from trueup.domain.channel import Channel
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, State

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)  # a Tuesday
SENT = Outcome(Taken.SENT, "200 OK")
LATER = Outcome(Taken.LATER, "500 Internal Server Error")
REFUSED = Outcome(Taken.REFUSED, "400 Bad Request")


class FakeClock:
    """Stands still until it's moved. The wall clock can jump; the monotonic one never does."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now
        self.passed_s = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.passed_s

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.passed_s += seconds

    def jump(self, **units: float) -> None:
        self.at += timedelta(**units)


def alert(event: str = "opened", incident: int = 17, **said: Any) -> Alert:
    closes = event == "closed"
    plain: dict[str, Any] = {
        "id": f"{incident}-{event}",
        "at": NOW,
        "target": f"shop-{incident}",
        "tier": 2,
        "state": State.UP if closes else State.DOWN,
        "layer": Layer.SERVICE,
        "cause": Cause.OVERLOADED,
        "summary": "it answers again" if closes else "PostgreSQL answers but takes no more clients",
    }
    return Alert(event=EventKind(event), incident=incident, **(plain | said))


def row(
    event: str = "opened", incident: int = 17, *, channel: str = "pager", seq: int | None = None, **said: Any
) -> Notification:
    names = ("due_at", "attempts", "is_repeat", "delivery")
    of_row: dict[str, Any] = {name: said.pop(name) for name in names if name in said}
    place = [kind.value for kind in EventKind].index(event) if seq is None else seq
    return Notification(alert(event, incident, **said), channel, place, **({"due_at": NOW} | of_row))


def parcel(*rows: Notification) -> Parcel:
    return Parcel(rows)


def channel(to: str = "fake://token/chat", **settings: Any) -> Channel:
    return Channel(Secret(to), **settings)


@dataclass
class FakeSender:
    """Answers what it's told to, one after the other, the last for ever; keeps what it was sent."""

    answers: list[Outcome] = field(default_factory=lambda: [SENT])
    sent: list[Parcel] = field(default_factory=list)
    closed: bool = False

    async def send(self, parcel: Parcel) -> Outcome:
        self.sent.append(parcel)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def close(self) -> None:
        self.closed = True

    @property
    def events(self) -> list[str]:
        return [one.alert.id for sent in self.sent for one in sent.rows]


def kind(**said: Any) -> ChannelKind:
    def never(*_: object) -> Any:
        raise AssertionError

    plain: dict[str, Any] = {"name": "fake", "title": "Fake", "schemes": (), "make": never}
    return ChannelKind(**(plain | said))


def ids(rows: Iterable[Notification]) -> list[str]:
    return [one.alert.id for one in rows]
