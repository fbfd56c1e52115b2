"""The real Alertmanager: what fires there, what ends, and what a change leaves as it is."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.alerts.channels.sending import sent
from tests.alerts.made import FakeClock, channel, row
from tests.alerts.receiver import answers
from tests.beds.alertmanager import alertmanager, alerts
from tests.beds.server import Server
from trueup.alerts.channels.alertmanager import AlertmanagerSender
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.sender import Outcome, Parcel, Taken
from trueup.app.clock import SystemClock
from trueup.domain.alert import Notification
from trueup.domain.secret import Secret


@pytest.fixture(scope="module")
def bed() -> Iterator[Server]:
    with alertmanager() as server:
        yield server


def told(bed: Server, *rows: Notification) -> Outcome:
    async def send() -> Outcome:
        sender = AlertmanagerSender(channel(bed.url, form="alertmanager"), SystemClock())
        outcome = await sender.send(Parcel(rows))
        await sender.close()
        return outcome

    return asyncio.run(send())


def firing(bed: Server, target: str) -> list[dict[str, Any]]:
    return [one for one in alerts(bed) if one["labels"]["target"] == target]


def now_row(event: str, incident: int, **said: Any) -> Notification:
    return row(event, incident, at=SystemClock().now(), **said)


def test_an_incident_fires_changes_and_ends(bed: Server) -> None:
    since = SystemClock().now() - timedelta(minutes=3)
    assert told(bed, now_row("opened", 1, tier=1, since=since, next=("look", "mend"))).taken is Taken.SENT
    (one,) = firing(bed, "shop-1")
    assert one["labels"] == {"alertname": "trueup", "target": "shop-1", "tier": "1", "severity": "critical"}
    assert one["annotations"] == {
        "summary": "PostgreSQL answers but takes no more clients",
        "state": "down",
        "layer": "service",
        "cause": "overloaded",
        "description": "look\nmend",
        "incident": "1",
    }
    told(
        bed, now_row("changed", 1, tier=1, since=since, summary="it's full", url="https://trueup.example/i/1")
    )
    (one,) = firing(bed, "shop-1")
    assert (one["annotations"]["summary"], one["generatorURL"]) == ("it's full", "https://trueup.example/i/1")
    assert one["startsAt"] == since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told(bed, now_row("closed", 1, tier=1, since=since))
    assert firing(bed, "shop-1") == []


def test_what_fires_again_and_what_opened_and_closed_unseen_are_taken(bed: Server) -> None:
    assert told(bed, *(now_row("opened", number) for number in (2, 3, 4))).taken is Taken.SENT
    assert len(firing(bed, "shop-2")) == len(firing(bed, "shop-4")) == 1
    assert told(bed, now_row("closed", 9)).taken is Taken.SENT
    assert firing(bed, "shop-9") == []


def test_a_test_and_a_word_about_a_channel_have_names_of_their_own(bed: Server) -> None:
    told(bed, now_row("test", 0, target="trueup"), now_row("undelivered", 17))
    names = {one["labels"]["alertname"] for one in alerts(bed)}
    assert {"trueup-test", "trueup-undelivered"} <= names


def test_what_it_refuses_is_said(bed: Server) -> None:
    outcome = told(bed, now_row("opened", 5, url="no url"))
    assert outcome.taken is Taken.REFUSED
    assert "generatorURL" in outcome.said


def test_it_fires_on_for_hours_without_trueup_and_is_signed() -> None:
    settings = {"form": "alertmanager", "secret": Secret("s3cret")}

    def make(url: str) -> AlertmanagerSender:
        return AlertmanagerSender(channel(f"{url}/", **settings), FakeClock())

    request = sent(make, row(), how=answers(200))
    assert request.path == "/api/v2/alerts"
    assert request.json[0]["endsAt"] == "2026-11-24T14:00:00.000Z"
    assert request.headers["x-trueup-signature"].startswith("t=")


def test_a_path_of_its_own_is_kept() -> None:
    def make(url: str) -> AlertmanagerSender:
        return AlertmanagerSender(channel(f"{url}/am/api/v2/alerts"), FakeClock())

    assert sent(make, row(), how=answers(200)).path == "/am/api/v2/alerts"


def test_an_alertmanager_forgets_and_gets_each_event() -> None:
    kind, sender = sender_for(channel("https://am.example", form="alertmanager"), FakeClock())
    assert isinstance(sender, AlertmanagerSender)
    assert (kind.name, kind.is_exact, kind.again_every_s) == ("alertmanager", True, 60.0)
