"""A fake of PagerDuty's events API, for the real one can't be had: what is asked of it."""

from typing import Any

import pytest

from tests.alerts.channels.sending import Make, sent, tried
from tests.alerts.made import FakeClock, alert, channel, parcel, row
from tests.alerts.receiver import answers
from trueup.alerts.channels.pagerduty import PagerDutySender
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.sender import Taken
from trueup.domain.states import State

OK = answers(202, {"status": "success", "dedup_key": "x"})


def pagerduty(to: str = "pagerduty://key@any") -> Make:
    return lambda url: PagerDutySender(channel(to), FakeClock(), api=url)


def test_an_incident_is_opened_and_resolved_by_the_same_key() -> None:
    make = pagerduty()
    beginning = parcel(row(tier=1, url="https://t.example/17"))
    _, (opened, closed) = tried(make, OK, parcels=(beginning, parcel(row("closed"))))
    assert opened.path == "/v2/enqueue"
    assert opened.json | {"payload": None} == {
        "routing_key": "key",
        "event_action": "trigger",
        "dedup_key": "trueup/shop-17/17",
        "client": "trueup",
        "client_url": "https://t.example/17",
        "links": [{"href": "https://t.example/17", "text": "this incident in trueup"}],
        "payload": None,
    }
    payload = opened.json["payload"]
    assert payload["summary"] == "DOWN: shop-17: overloaded: PostgreSQL answers but takes no more clients"
    assert (payload["severity"], payload["source"], payload["class"]) == ("critical", "shop-17", "overloaded")
    assert payload["timestamp"] == "2026-11-24T10:00:00.000Z"
    assert payload["custom_details"]["layer"] == "service"
    assert (closed.json["event_action"], closed.json["dedup_key"]) == ("resolve", "trueup/shop-17/17")


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ({"tier": 1}, "critical"),
        ({"tier": 2}, "error"),
        ({"state": State.DEGRADED, "tier": 1}, "warning"),
        ({"state": State.UNKNOWN}, "warning"),
    ],
)
def test_the_severity_follows_state_and_tier(said: dict[str, Any], severity: str) -> None:
    assert sent(pagerduty(), row(**said), how=OK).json["payload"]["severity"] == severity


@pytest.mark.parametrize(
    ("to", "key", "source"),
    [
        ("pagerduty://key@api", "key", "shop-17"),
        ("pagerduty://key", "key", "shop-17"),
        ("pagerduty://key@api/fra-1/db", "key", "fra-1"),
        ("pagerduty://any?integrationkey=key&source=fra-1&severity=info&group=g&class=c", "key", "fra-1"),
    ],
)
def test_the_ways_to_write_it(to: str, key: str, source: str) -> None:
    event = sent(pagerduty(to), row(), how=OK).json
    assert (event["routing_key"], event["payload"]["source"]) == (key, source)
    if "severity" in to:
        payload = event["payload"]
        assert (payload["severity"], payload["group"], payload["class"]) == ("info", "g", "c")


def test_a_test_wakes_nobody_for_long() -> None:
    (outcome,), (first, second) = tried(pagerduty(), OK, parcels=(parcel(row("test", 0)),))
    assert outcome.taken is Taken.SENT
    assert [first.json["event_action"], second.json["event_action"]] == ["trigger", "resolve"]
    assert first.json["dedup_key"] == second.json["dedup_key"] == "trueup/0-test"


def test_a_summary_has_its_limit() -> None:
    event = sent(pagerduty(), row(summary="x" * 5000), how=OK).json
    assert len(event["payload"]["summary"]) == 1024


def test_regions() -> None:
    for region, host in (("us", "events.pagerduty.com"), ("eu", "events.eu.pagerduty.com")):
        sender = PagerDutySender(channel(f"pagerduty://key?region={region}"), FakeClock())
        assert host in sender._url
    assert alert().incident == 17


@pytest.mark.parametrize("to", ["pagerduty://key@api?action=resolve", "pagerduty://key@api?dedup=x"])
def test_what_it_cant_read_goes_to_apprise(to: str) -> None:
    assert sender_for(channel(to), FakeClock())[0].name == "apprise"
