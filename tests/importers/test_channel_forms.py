"""What alerts become is understood by who sends them."""

from typing import Any

import pytest

from trueup.config.apprise_library import apprise_library
from trueup.importers.carried import Carried, Reference
from trueup.importers.gatus_channels import PROVIDERS as OF_GATUS
from trueup.importers.gatus_channels import carry_channels
from trueup.importers.kuma_channels import PROVIDERS as OF_KUMA
from trueup.importers.kuma_channels import carry_channel

SIGNED = (
    "https://prod-1.logic.azure.com/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wrNJZxFE5A"
)
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "https://discord.com/api/webhooks/123456789/abcdefghijklmnopqrstuvwxyz"
GOOGLE = "https://chat.googleapis.com/v1/spaces/AAA/messages?key=AIzaSyDdI0hC&token=abc%3D"
KUMA: dict[str, dict[str, Any]] = {
    "apprise": {"appriseURL": "json://127.0.0.1/x"},
    "discord": {"discordWebhookUrl": DISCORD},
    "GoogleChat": {"googleChatWebhookURL": GOOGLE},
    "gotify": {"gotifyserverurl": "https://gotify.example/sub", "gotifyapplicationToken": "A1b2C3d4E5f6G7h"},
    "HomeAssistant": {"homeAssistantUrl": "https://ha.example", "longLivedAccessToken": "a" * 64},
    "line": {"lineChannelAccessToken": "abcdef", "lineUserID": "U1"},
    "matrix": {"homeserverUrl": "https://m.example", "internalRoomId": "!r:m.example", "accessToken": "abc"},
    "mattermost": {"mattermostWebhookUrl": "https://mm.example/hooks/abcdefghijklmnopqrstuvwx"},
    "ntfy": {
        "ntfyserverurl": "https://ntfy.sh",
        "ntfytopic": "ops",
        "ntfyusername": "u",
        "ntfypassword": "p",
    },
    "Opsgenie": {"opsgenieApiKey": "a" * 36, "opsgenieRegion": "eu"},
    "PagerDuty": {"pagerdutyIntegrationKey": "a" * 32},
    "pushbullet": {"pushbulletAccessToken": "a" * 32},
    "pushover": {"pushoveruserkey": "u" * 30, "pushoverapptoken": "a" * 30},
    "rocket.chat": {"rocketwebhookURL": "https://rc.example/hooks/abcdef/ghijkl"},
    "signal": {
        "signalURL": "http://127.0.0.1:8080/v2/send",
        "signalNumber": "+4915112345678",
        "signalRecipients": "+4915112345679",
    },
    "slack": {"slackwebhookURL": SLACK, "slackchannel": "#ops"},
    "smtp": {"smtpHost": "smtp.example", "smtpPort": 465, "smtpTo": "a@b.example", "smtpFrom": "c@d.example"},
    "teams": {"webhookUrl": SIGNED},
    "telegram": {
        "telegramBotToken": "123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefgh",
        "telegramChatID": "-100123",
    },
    "twilio": {
        "twilioAccountSID": "AC" + "a" * 32,
        "twilioAuthToken": "b" * 32,
        "twilioFromNumber": "+4915112345678",
        "twilioToNumber": "+4915112345679",
    },
    "webhook": {"webhookURL": "https://hooks.example/x"},
}
GATUS: dict[str, dict[str, Any]] = {
    "aws-ses": {
        "access-key-id": "AKIA1",
        "secret-access-key": "s" * 40,
        "region": "us-east-1",
        "from": "a@b.example",
        "to": "c@d.example",
    },
    "custom": {"url": "https://hooks.example/x"},
    "discord": {"webhook-url": DISCORD},
    "email": {
        "host": "smtp.example",
        "port": 587,
        "from": "a@b.example",
        "to": "c@d.example",
        "password": "p w@",
    },
    "googlechat": {"webhook-url": GOOGLE},
    "gotify": {"server-url": "http://gotify.example:8080", "token": "A1b2C3d4E5f6G7h"},
    "homeassistant": {"url": "http://ha.example:8123", "token": "a" * 64},
    "matrix": {"internal-room-id": "!r:matrix.org", "access-token": "abc"},
    "mattermost": {"webhook-url": "https://mm.example/hooks/abcdefghijklmnopqrstuvwx"},
    "n8n": {"webhook-url": "https://n8n.example/webhook/x"},
    "ntfy": {"topic": "ops", "token": "tk_abcdefghijklmnopqrstuvwxyz012"},
    "opsgenie": {"api-key": "a" * 36},
    "pagerduty": {"integration-key": "a" * 32},
    "pushover": {"user-key": "u" * 30, "application-token": "a" * 30},
    "rocketchat": {"webhook-url": "https://rc.example/hooks/abcdef/ghijkl"},
    "signal": {"api-url": "http://s.example", "number": "+4915112345678", "recipients": ["+4915112345679"]},
    "slack": {"webhook-url": SLACK},
    "teams-workflows": {"webhook-url": SIGNED},
    "telegram": {"token": "123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefgh", "id": "-100123"},
    "twilio": {"sid": "AC" + "a" * 32, "token": "b" * 32, "from": "+4915112345678", "to": "+4915112345679"},
    "zapier": {"webhook-url": "https://hooks.zapier.com/hooks/catch/1/x"},
}


def understood(carried: Carried, channel: Any) -> bool:
    """Whether Apprise takes the URL, its variables in their places; a web hook is trueup's own."""
    assert isinstance(channel, Reference)
    url = str(channel)
    for variable in carried.variables.values():
        url = url.replace("${" + variable.name + "}", variable.value or "")
    return url.startswith("https://") or apprise_library().Apprise.instantiate(url) is not None


def test_all_are_here() -> None:
    assert set(KUMA) == set(OF_KUMA)
    assert set(GATUS) == set(OF_GATUS)


@pytest.mark.parametrize("kind", sorted(KUMA))
def test_a_notification_of_kuma(kind: str) -> None:
    carried = Carried("kuma")
    name = carry_channel(carried, "ops", {"type": kind, **KUMA[kind]})
    assert name is not None
    assert understood(carried, carried.channels[name])
    empty = Carried("kuma")
    assert carry_channel(empty, "ops", {"type": kind}) is None
    assert "isn't complete" in empty.left_out[0].why


@pytest.mark.parametrize("kind", sorted(GATUS))
def test_a_provider_of_gatus(kind: str) -> None:
    carried = Carried("gatus")
    assert carry_channels(carried, {kind: GATUS[kind]}) == {kind: kind}
    assert understood(carried, carried.channels[kind])
