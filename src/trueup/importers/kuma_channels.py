"""Uptime Kuma's notifications as channels. Their keys are those of its forms."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from trueup.importers.carried import Carried
from trueup.importers.channel_forms import Channel, Forms
from trueup.importers.lenient import words

Config = Mapping[str, Any]

PROVIDERS: Final[Mapping[str, Callable[[Forms, Config], Channel]]] = {
    "apprise": lambda forms, c: forms.whole(c.get("appriseURL")),
    "discord": lambda forms, c: forms.discord(c.get("discordWebhookUrl")),
    "GoogleChat": lambda forms, c: forms.google_chat(c.get("googleChatWebhookURL")),
    "gotify": lambda forms, c: forms.gotify(c.get("gotifyserverurl"), c.get("gotifyapplicationToken")),
    "HomeAssistant": lambda forms, c: forms.home_assistant(
        c.get("homeAssistantUrl"), c.get("longLivedAccessToken")
    ),
    "line": lambda forms, c: forms.keyed("line", c.get("lineChannelAccessToken"), c.get("lineUserID")),
    "matrix": lambda forms, c: forms.matrix(
        c.get("homeserverUrl"), c.get("internalRoomId"), c.get("accessToken")
    ),
    "mattermost": lambda forms, c: forms.mattermost(c.get("mattermostWebhookUrl")),
    "ntfy": lambda forms, c: forms.ntfy(
        c.get("ntfyserverurl"),
        c.get("ntfytopic"),
        c.get("ntfyaccesstoken"),
        c.get("ntfyusername") or "",
        c.get("ntfypassword"),
    ),
    "Opsgenie": lambda forms, c: forms.opsgenie(c.get("opsgenieApiKey"), c.get("opsgenieRegion") or "us"),
    "PagerDuty": lambda forms, c: forms.pagerduty(c.get("pagerdutyIntegrationKey")),
    "pushbullet": lambda forms, c: forms.keyed("pbul", c.get("pushbulletAccessToken")),
    "pushover": lambda forms, c: forms.pushover(c.get("pushoveruserkey"), c.get("pushoverapptoken")),
    "rocket.chat": lambda forms, c: forms.rocket_chat(c.get("rocketwebhookURL")),
    "signal": lambda forms, c: forms.signal(
        c.get("signalURL"), c.get("signalNumber"), words(c.get("signalRecipients"))
    ),
    "slack": lambda forms, c: forms.slack(c.get("slackwebhookURL"), c.get("slackchannel") or ""),
    "smtp": lambda forms, c: forms.mail(
        c.get("smtpHost"),
        c.get("smtpPort"),
        c.get("smtpFrom"),
        c.get("smtpTo"),
        c.get("smtpUsername"),
        c.get("smtpPassword"),
        tls=bool(c.get("smtpSecure")),
    ),
    "teams": lambda forms, c: forms.teams(c.get("webhookUrl")),
    "telegram": lambda forms, c: forms.telegram(c.get("telegramBotToken"), c.get("telegramChatID")),
    "twilio": lambda forms, c: forms.twilio(
        c.get("twilioAccountSID"),
        c.get("twilioAuthToken"),
        c.get("twilioFromNumber"),
        words(c.get("twilioToNumber")),
    ),
    "webhook": lambda forms, c: forms.webhook(c.get("webhookURL")),
}


def carry_channel(carried: Carried, name: str, config: Config) -> str | None:
    """The name of the channel that a notification became; None where it's left out."""
    kind = str(config.get("type") or "")
    provider = PROVIDERS.get(kind)
    known = carried.name_for(name)
    channel = provider(Forms(carried, known), config) if provider else None
    if channel is None:
        why = (
            f"it is of the kind {kind!r}, for which no address is known here"
            if provider is None
            else ("its address isn't complete")
        )
        carried.leave(f'notification "{name}"', f"{why}; any Apprise URL under channels: will do")
        return None
    carried.channels[known] = channel
    return known
