"""The library, by a service of its own that a test can serve: JSON to any URL."""

import asyncio
import logging
import time

import pytest

from tests.alerts.channels.sending import Make, sent, tried
from tests.alerts.made import FakeClock, channel, parcel, row
from tests.alerts.receiver import answers
from tests.beds.server import LOOPBACK, free_port
from trueup.alerts.attempt import attempt
from trueup.alerts.channels.apprise import AppriseSender
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.sender import Outcome, Taken
from trueup.domain.alert import Notification


def by_json() -> Make:
    def make(url: str) -> AppriseSender:
        return AppriseSender(channel(f"{url.replace('http:', 'json:')}/t0ken-of-mine"), FakeClock())

    return make


@pytest.mark.parametrize(
    ("one", "kind"),
    [(row(), "failure"), (row("closed"), "success"), (row("test", 0), "info")],
)
def test_a_message_arrives_with_its_kind(one: Notification, kind: str) -> None:
    request = sent(by_json(), one, how=answers(200))
    assert request.json["type"] == kind
    if kind == "failure":
        assert request.json["title"] == "DOWN: shop-17: overloaded"
        assert request.json["message"].startswith("PostgreSQL answers but takes no more clients\n")


def test_a_message_is_of_trueup_and_not_of_the_library() -> None:
    def make(url: str) -> AppriseSender:
        return AppriseSender(
            channel(f"{url.replace('http:', 'mmost:')}/abcdefghijklmnopqrstuvwxyz"), FakeClock()
        )

    assert sent(make, row(), how=answers(200)).json["username"] == "trueup"


def test_a_failure_is_said_as_far_as_apprise_says_it() -> None:
    (outcome,), _ = tried(by_json(), answers(500))
    assert (outcome.taken, outcome.is_uncertain) == (Taken.LATER, True)
    assert outcome.said.startswith("Apprise failed: ")
    assert "500" in outcome.said


def test_a_url_that_nobody_understands_is_refused_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    async def send(url: str) -> Outcome:
        one = channel(url)
        kind, sender = sender_for(one, FakeClock())
        assert kind.name == "apprise"
        return await attempt(sender, one, parcel(row()))

    with caplog.at_level(logging.DEBUG):
        outcome = asyncio.run(send("nosuch://s3cret-t0ken/x"))
    assert outcome.taken is Taken.REFUSED
    assert outcome.said == "Apprise doesn't understand this URL; see the URLs that it documents"
    gone = asyncio.run(send(f"json://{LOOPBACK}:{free_port()}/s3cret-t0ken"))
    assert gone.taken is Taken.LATER
    assert "s3cret-t0ken" not in caplog.text + gone.said


def test_a_call_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the loop, and not the end of the process: its thread is left behind."""
    monkeypatch.setattr("trueup.alerts.attempt.ATTEMPT_S_MAX", 0.05)
    monkeypatch.setattr("trueup.alerts.channels.apprise._notify", lambda *_: time.sleep(1))

    async def send() -> Outcome:
        one = channel("json://127.0.0.1")
        return await attempt(AppriseSender(one, FakeClock()), one, parcel(row()))

    assert asyncio.run(send()) == Outcome(Taken.LATER, "no answer within 0.05 s", is_uncertain=True)
