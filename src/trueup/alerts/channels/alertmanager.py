"""Prometheus's Alertmanager, which groups, routes and silences as it's configured to.

`https://HOST/api/v2/alerts` with `form: alertmanager`. An open incident is an alert with the labels
`alertname` (`trueup`), `target`, `tier` and `severity` (`critical`, `warning` and `info` for the tiers 1, 2
and 3), which stay as they are while it's open; what changes is in the annotations: `state`, `layer`,
`cause`, `blame`, `summary`, `description`, `impact`. Alertmanager forgets what it isn't told again, so each
firing alert is sent once a minute. When the incident closes it's sent with its `endsAt`. While trueup
itself is gone, its alerts fire on for four hours.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from trueup.alerts.channels.webhook import signed
from trueup.alerts.http import Http, NoReply, outcome_of
from trueup.alerts.sender import ChannelKind, Outcome, Parcel
from trueup.domain.alert import Alert, EventKind
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock, timestamp

AGAIN_EVERY_S: Final = 60.0
FIRES_ON: Final = timedelta(hours=4)
OWN_WORD_FIRES_ON: Final = timedelta(minutes=10)
_PATH: Final = "/api/v2/alerts"
_SEVERITIES: Final = {1: "critical", 2: "warning"}
_NAMES: Final = {EventKind.TEST: "trueup-test", EventKind.UNDELIVERED: "trueup-undelivered"}


class AlertmanagerSender:
    """One Alertmanager."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._http = Http(channel.tls)
        to = channel.to.reveal()
        self._url = to.rstrip("/") + _PATH if urlsplit(to).path in ("", "/") else to

    async def send(self, parcel: Parcel) -> Outcome:
        """All of the parcel in one request."""
        now = self._clock.now()
        body = json.dumps([alert_of(alert, now) for alert in parcel.alerts]).encode()
        own = {"Content-Type": "application/json", "Idempotency-Key": parcel.alerts[-1].id}
        try:
            reply = await self._http.post(self._url, body, signed(self._channel, own, body, self._clock))
        except NoReply as failure:
            return failure.outcome
        return outcome_of(reply, self._clock.now())

    async def close(self) -> None:
        await self._http.close()


def alert_of(alert: Alert, now: datetime) -> dict[str, Any]:
    """An element of the list that ``POST /api/v2/alerts`` takes."""
    starts_at = alert.since or alert.at
    if alert.event is EventKind.CLOSED:
        ends_at = alert.at
    else:
        ends_at = now + (OWN_WORD_FIRES_ON if alert.event in _NAMES else FIRES_ON)
    document: dict[str, Any] = {
        "labels": {
            "alertname": _NAMES.get(alert.event, "trueup"),
            "target": alert.target,
            "tier": str(alert.tier),
            "severity": _SEVERITIES.get(alert.tier, "info"),
        },
        "annotations": {name: text for name, text in _annotations(alert) if text},
        "startsAt": timestamp(min(starts_at, ends_at)),
        "endsAt": timestamp(ends_at),
    }
    if alert.url:
        document["generatorURL"] = alert.url
    return document


def _annotations(alert: Alert) -> Iterator[tuple[str, str]]:
    yield "summary", alert.summary
    yield "state", alert.state.value
    yield "layer", alert.layer.value if alert.layer else ""
    yield "cause", alert.cause.value if alert.cause else ""
    yield "blame", alert.blame or ""
    yield "description", "\n".join(alert.next)
    yield "impact", ", ".join(alert.impact)
    yield "incident", str(alert.incident) if alert.incident else ""


KIND: Final = ChannelKind(
    "alertmanager",
    "Alertmanager",
    ("http", "https"),
    AlertmanagerSender,
    form="alertmanager",
    is_exact=True,
    again_every_s=AGAIN_EVERY_S,
)
