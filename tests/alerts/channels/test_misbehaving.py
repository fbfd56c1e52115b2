"""What each channel that speaks HTTP makes of a receiver that doesn't do what it should."""

import pytest

from tests.alerts.channels.sending import Make, tried
from tests.alerts.made import FakeClock, channel
from tests.alerts.receiver import How, answers, closes, drips, hangs, resets
from trueup.alerts import http as module
from trueup.alerts.channels.alertmanager import AlertmanagerSender
from trueup.alerts.channels.ntfy import NtfySender
from trueup.alerts.channels.pagerduty import PagerDutySender
from trueup.alerts.channels.slack import SlackSender
from trueup.alerts.channels.telegram import TelegramSender
from trueup.alerts.channels.webhook import WebhookSender
from trueup.alerts.sender import Taken

CLOCK = FakeClock()
BOT = channel("slack://xoxb-12-34/#ops")
MAKERS: dict[str, Make] = {
    "webhook": lambda url: WebhookSender(channel(url), CLOCK),
    "alertmanager": lambda url: AlertmanagerSender(channel(url, form="alertmanager"), CLOCK),
    "telegram": lambda url: TelegramSender(channel("tgram://1:t0ken/5"), CLOCK, api=url),
    "slack": lambda url: SlackSender(channel("slack://T0/B0/X0"), CLOCK, hooks=url),
    "slack bot": lambda url: SlackSender(BOT, CLOCK, api=url),
    "pagerduty": lambda url: PagerDutySender(channel("pagerduty://key@any"), CLOCK, api=url),
    "ntfy": lambda url: NtfySender(channel("ntfy://ops"), CLOCK, api=url),
}
MISBEHAVIOURS: dict[str, How] = {
    "302": answers(302, location="https://elsewhere.example"),
    "401": answers(401, {}),
    "403": answers(403, {}),
    "404": answers(404, {}),
    "429": answers(429, {}),
    "500": answers(500, {}),
    "502": answers(502, b"<html>"),
    "hangs": hangs,
    "drips": drips(b"HTTP/1.1 "),
    "resets": resets,
    "closes": closes,
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_nothing_is_lost_by_it(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.3 if how in ("hangs", "drips") else 30.0)
    (outcome,), requests = tried(MAKERS[name], MISBEHAVIOURS[how])
    assert outcome.taken is Taken.LATER
    assert outcome.is_uncertain == (how in ("hangs", "drips", "resets", "closes"))
    assert len(requests) == 1


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_patience_gets_it(name: str, status: int) -> None:
    (outcome,), _ = tried(MAKERS[name], answers(status, {}, retry_after="42"))
    assert (outcome.taken, outcome.again_after_s) == (Taken.LATER, 42.0)


@pytest.mark.parametrize("name", MAKERS)
def test_what_alone_is_refused_keeps_nothing_else_waiting(name: str) -> None:
    (outcome,), _ = tried(MAKERS[name], answers(400, {"error_code": 400}))
    assert outcome.taken is Taken.REFUSED
