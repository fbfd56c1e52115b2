"""Gatus's alerting providers as channels."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from trueup.importers.carried import Carried
from trueup.importers.channel_forms import Channel, Forms
from trueup.importers.lenient import mapping, words

Config = Mapping[str, Any]

PROVIDERS: Final[Mapping[str, Callable[[Forms, Config], Channel]]] = {
    "aws-ses": lambda forms, c: forms.ses(
        c.get("access-key-id"), c.get("secret-access-key"), c.get("region"), c.get("from"), words(c.get("to"))
    ),
    "custom": lambda forms, c: forms.webhook(c.get("url")),
    "discord": lambda forms, c: forms.discord(c.get("webhook-url")),
    "email": lambda forms, c: forms.mail(
        c.get("host"),
        c.get("port"),
        c.get("from"),
        c.get("to"),
        c.get("username") or c.get("from"),
        c.get("password"),
        tls=False,
    ),
    "googlechat": lambda forms, c: forms.google_chat(c.get("webhook-url")),
    "gotify": lambda forms, c: forms.gotify(c.get("server-url"), c.get("token")),
    "homeassistant": lambda forms, c: forms.home_assistant(c.get("url"), c.get("token")),
    "matrix": lambda forms, c: forms.matrix(
        c.get("server-url") or "https://matrix-client.matrix.org",
        c.get("internal-room-id"),
        c.get("access-token"),
    ),
    "mattermost": lambda forms, c: forms.mattermost(c.get("webhook-url")),
    "n8n": lambda forms, c: forms.webhook(c.get("webhook-url")),
    "ntfy": lambda forms, c: forms.ntfy(c.get("url"), c.get("topic"), c.get("token")),
    "opsgenie": lambda forms, c: forms.opsgenie(c.get("api-key")),
    "pagerduty": lambda forms, c: forms.pagerduty(c.get("integration-key")),
    "pushover": lambda forms, c: forms.pushover(c.get("user-key"), c.get("application-token")),
    "rocketchat": lambda forms, c: forms.rocket_chat(c.get("webhook-url")),
    "signal": lambda forms, c: forms.signal(c.get("api-url"), c.get("number"), words(c.get("recipients"))),
    "slack": lambda forms, c: forms.slack(c.get("webhook-url")),
    "teams-workflows": lambda forms, c: forms.teams(c.get("webhook-url")),
    "telegram": lambda forms, c: forms.telegram(c.get("token"), c.get("id")),
    "twilio": lambda forms, c: forms.twilio(c.get("sid"), c.get("token"), c.get("from"), words(c.get("to"))),
    "zapier": lambda forms, c: forms.webhook(c.get("webhook-url")),
}


def carry_channels(carried: Carried, alerting: Mapping[str, Any]) -> dict[str, str]:
    """The channels, by the types that alerts name."""
    channels: dict[str, str] = {}
    for kind, written in alerting.items():
        carried.attempt(f"alerting.{kind}", partial(_carry, carried, kind, mapping(written), channels))
    return channels


def _carry(carried: Carried, kind: str, config: Config, channels: dict[str, str]) -> None:
    provider = PROVIDERS.get(kind)
    name = carried.name_for(kind)
    channel = provider(Forms(carried, name), config) if provider else None
    if channel is None:
        why = "its address isn't complete" if provider else "no address of this kind is known here"
        carried.leave(f"alerting.{kind}", f"{why}; any Apprise URL under channels: will do")
        return
    carried.channels[name] = channel
    channels[kind] = name
    if config.get("overrides"):
        why = "channels aren't changed by group: write another channel, and alert: [NAME] at its members"
        carried.leave(f"alerting.{kind}.overrides", why)
