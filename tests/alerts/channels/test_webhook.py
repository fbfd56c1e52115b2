"""The contract's event, signed, to a program."""

import hashlib
import hmac
import json

import pytest

from tests.alerts.channels.sending import Make, sent, tried
from tests.alerts.made import NOW, FakeClock, alert, channel, row
from tests.alerts.receiver import answers
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.channels.webhook import WebhookSender
from trueup.alerts.sender import Parcel, Taken
from trueup.domain.secret import Secret

OK = answers(204, b"")
KEYS = [
    *("id", "event", "at", "incident", "target", "tier", "state", "layer", "cause", "blame"),
    *("summary", "next", "impact", "url"),
]


def webhook(**settings: object) -> Make:
    return lambda url: WebhookSender(channel(f"{url}/hooks/trueup?key=1", **settings), FakeClock())


def test_the_body_is_the_contracts_event() -> None:
    one = row(next=("look",), impact=("checkout",), blame="shop-db", url="https://trueup.example/i/17")
    request = sent(webhook(), one, how=OK)
    assert request.line == "POST /hooks/trueup?key=1 HTTP/1.1"
    assert list(request.json) == KEYS
    assert request.json == {
        "id": "17-opened",
        "event": "opened",
        "at": "2026-11-24T10:00:00.000Z",
        "incident": 17,
        "target": "shop-17",
        "tier": 2,
        "state": "down",
        "layer": "service",
        "cause": "overloaded",
        "blame": "shop-db",
        "summary": "PostgreSQL answers but takes no more clients",
        "next": ["look"],
        "impact": ["checkout"],
        "url": "https://trueup.example/i/17",
    }
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "17-opened"
    assert request.headers["user-agent"].startswith("trueup/")
    assert "x-trueup-signature" not in request.headers


def test_a_retry_has_the_same_body_and_id() -> None:
    parcel = Parcel((row(),))
    outcomes, requests = tried(webhook(), answers(500), OK, parcels=(parcel, parcel))
    assert [outcome.taken for outcome in outcomes] == [Taken.LATER, Taken.SENT]
    assert requests[0].body == requests[1].body
    assert {request.headers["idempotency-key"] for request in requests} == {"17-opened"}


def test_with_a_secret_it_is_signed() -> None:
    request = sent(webhook(secret=Secret("s3cret")), row(), how=OK)
    at_s = int(NOW.timestamp())
    mac = hmac.new(b"s3cret", f"{at_s}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-trueup-signature"] == f"t={at_s},v1={mac}"


def test_its_headers_go_with_it_and_cant_replace_the_events_own() -> None:
    headers = {"Authorization": Secret("Bearer t0ken"), "idempotency-key": Secret("forged")}
    request = sent(webhook(headers=headers), row(), how=OK)
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["idempotency-key"] == "17-opened"


def test_the_urls_user_is_a_login() -> None:
    def make(url: str) -> WebhookSender:
        return WebhookSender(channel(url.replace("//", "//ops:s3cret@")), FakeClock())

    assert sent(make, row(), how=OK).headers["authorization"] == "Basic b3BzOnMzY3JldA=="


def test_text_that_is_no_text_arrives_all_the_same() -> None:
    request = sent(webhook(), row(summary="caf\udce9 \x1b é"), how=OK)
    assert json.loads(request.body.decode())["summary"].startswith("caf? \x1b é")


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("hooks.slack.com/services/T0/B0/X0", "slack://A/B/C"),
        ("discord.com/api/webhooks/1/x", "discord://A/B"),
        ("shop.webhook.office.com/webhookb2/x", "msteams://"),
    ],
)
def test_who_wants_another_body_is_named_with_what_to_write(path: str, scheme: str) -> None:
    def make(url: str) -> WebhookSender:
        return WebhookSender(channel(f"{url}/{path}"), FakeClock())

    (outcome,), _ = tried(make, answers(400, b"no_text"))
    assert outcome.taken is Taken.REFUSED
    assert "doesn't read trueup's JSON" in outcome.said
    assert scheme in outcome.said


def test_each_event_goes_by_itself() -> None:
    kind, sender = sender_for(channel("https://ops.example/hooks"), FakeClock())
    assert (kind.name, kind.is_exact) == ("webhook", True)
    assert isinstance(sender, WebhookSender)
    assert alert("test").document()["event"] == "test"
