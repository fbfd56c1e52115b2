"""A fake of Slack's doors, for the real ones can't be had: what is asked, and what its answers mean."""

import pytest

from tests.alerts.channels.sending import Make, sent, tried
from tests.alerts.made import FakeClock, channel, parcel, row
from tests.alerts.receiver import How, answers
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.channels.slack import SlackSender
from trueup.alerts.sender import Outcome, Taken

HOOK_OK = answers(200, b"ok")
BOT_OK = answers(200, {"ok": True, "ts": "1.2"})


NO_ANSWER = Outcome(Taken.LATER, "200 OK, but no answer of Slack's", is_uncertain=True)
ROOMS = [("#ops", "#ops"), ("ops", "#ops"), ("@ann", "@ann"), ("+C012", "C012")]


def hook(to: str = "slack://T0/B0/X0") -> Make:
    return lambda url: SlackSender(channel(to), FakeClock(), hooks=url)


def bot(to: str = "slack://xoxb-1-2/%23ops") -> Make:
    return lambda url: SlackSender(channel(to), FakeClock(), api=url)


def bot_says(error: str) -> How:
    return answers(200, {"ok": False, "error": error})


def test_a_webhook_gets_text_in_which_nothing_is_markup() -> None:
    request = sent(hook(), row(summary="<!channel> *a* & <http://evil|here>"), how=HOOK_OK)
    assert request.path == "/services/T0/B0/X0"
    assert "&lt;!channel&gt; *a* &amp; &lt;http://evil|here&gt;" in request.json["text"]
    assert request.json["mrkdwn"] is False
    assert "channel" not in request.json


def test_a_webhook_may_name_a_channel_and_itself() -> None:
    request = sent(hook("slack://trueup@T0/B0/X0/#ops"), row(), how=HOOK_OK)
    assert (request.json["channel"], request.json["username"]) == ("#ops", "trueup")


@pytest.mark.parametrize(("room", "shown"), ROOMS)
def test_a_bot_writes_to_its_channels(room: str, shown: str) -> None:
    request = sent(bot(f"slack://xoxb-1-2/{room}"), row(), how=BOT_OK)
    assert request.path == "/api/chat.postMessage"
    assert request.headers["authorization"] == "Bearer xoxb-1-2"
    assert request.json["channel"] == shown


def test_each_channel_gets_it_once_also_where_another_fails() -> None:
    one = parcel(row())
    make = bot("slack://xoxb-1-2/a/b")
    outcomes, requests = tried(make, BOT_OK, bot_says("x"), BOT_OK, parcels=(one, one))
    assert [outcome.taken for outcome in outcomes] == [Taken.LATER, Taken.SENT]
    assert [request.json["channel"] for request in requests] == ["#a", "#b", "#b"]


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (
            answers(200, {"ok": False, "error": "channel_not_found"}),
            Outcome(Taken.LATER, "Slack: channel_not_found"),
        ),
        (answers(200, {"ok": False, "error": "msg_too_long"}), Outcome(Taken.REFUSED, "Slack: msg_too_long")),
        (answers(200, {"ok": False}), Outcome(Taken.LATER, "Slack: no reason given")),
        (
            answers(200, b"<html>"),
            Outcome(Taken.LATER, "200 OK, but no answer of Slack's", is_uncertain=True),
        ),
    ],
)
def test_a_bots_failure_comes_with_success(how: How, outcome: Outcome) -> None:
    assert tried(bot(), how)[0] == [outcome]


def test_a_webhooks_failure_is_said() -> None:
    (outcome,), _ = tried(hook(), answers(404, b"no_service"))
    assert outcome == Outcome(Taken.LATER, "404 Not Found: no_service")


@pytest.mark.parametrize(
    "to",
    [
        "slack://T0/B0",
        "slack://T0/B0/X0/me@example.org",
        "slack://T0/B0/X0?mode=workflow",
        "slack://T0/B0/X0?token=a",
    ],
)
def test_what_it_cant_read_goes_to_apprise(to: str) -> None:
    kind, _ = sender_for(channel(to), FakeClock())
    assert kind.name == "apprise"
