"""PagerDuty, by its Events API v2: an incident of trueup's is one of PagerDuty's, opened and resolved.

`pagerduty://INTEGRATION_KEY@API_KEY`, where the API key isn't used and may be anything, or
`pagerduty://INTEGRATION_KEY` alone; `?region=eu` is for accounts there. The severity follows state and
tier: `critical` where a target of tier 1 is down, `error` where another is, `warning` where one is
degraded; `?severity=` overrides it. A test opens an incident of the lowest severity and resolves it at
once.
"""

import json
from typing import Any, Final

from trueup.alerts.channel_url import read_url
from trueup.alerts.http import Http, NoReply, outcome_of
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Taken
from trueup.alerts.wording import title
from trueup.domain.alert import Alert, EventKind
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock, timestamp
from trueup.domain.states import State

HOSTS: Final = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
SUMMARY_CHARS_MAX: Final = 1024
OPTIONS: Final = (
    *("region", "severity", "group", "class", "click", "image", "source", "component"),
    *("integrationkey", "apikey"),
)


class PagerDutySender:
    """One integration. https://developer.pagerduty.com/docs/events-api-v2-overview"""

    def __init__(self, channel: Channel, clock: Clock, *, api: str | None = None) -> None:
        url = read_url(channel, OPTIONS)
        self._options = url.options
        self._key = url.options.get("integrationkey") or url.user or url.host
        self._source = url.options.get("source") or (url.path[0] if url.path else None)
        self._component = url.options.get("component") or (url.path[1] if len(url.path) > 1 else None)
        self._url = f"{api or HOSTS.get(url.options.get('region', 'us'), HOSTS['us'])}/v2/enqueue"
        self._clock = clock
        self._http = Http()

    async def send(self, parcel: Parcel) -> Outcome:
        """One event: a parcel of this kind has no more."""
        (alert,) = parcel.alerts
        outcome = await self._enqueue(self._event(alert, parcel))
        if alert.event is EventKind.TEST and outcome.taken is Taken.SENT:
            return await self._enqueue(self._event(alert, parcel) | {"event_action": "resolve"})
        return outcome

    async def close(self) -> None:
        await self._http.close()

    async def _enqueue(self, event: dict[str, Any]) -> Outcome:
        try:
            reply = await self._http.post(
                self._url, json.dumps(event).encode(), {"Content-Type": "application/json"}
            )
        except NoReply as failure:
            return failure.outcome
        return outcome_of(reply, self._clock.now())

    def _event(self, alert: Alert, parcel: Parcel) -> dict[str, Any]:
        own = alert.event in (EventKind.TEST, EventKind.UNDELIVERED)
        what = alert.id if own else f"{alert.target}/{alert.incident}"
        event: dict[str, Any] = {
            "routing_key": self._key,
            "event_action": "resolve" if alert.event is EventKind.CLOSED else "trigger",
            "dedup_key": f"trueup/{what}"[:255],
            "client": "trueup",
            "payload": self._payload(alert, title(parcel)),
        }
        if alert.url:
            event["client_url"] = alert.url
            event["links"] = [{"href": alert.url, "text": "this incident in trueup"}]
        return event

    def _payload(self, alert: Alert, words: str) -> dict[str, Any]:
        details = {
            name: value
            for name, value in alert.document().items()
            if name not in ("id", "event", "at", "url") and value not in (None, [])
        }
        payload = {
            "summary": f"{words}: {alert.summary}"[:SUMMARY_CHARS_MAX],
            "severity": self._options.get("severity") or _severity(alert),
            "source": self._source or alert.target,
            "component": self._component or alert.target,
            "timestamp": timestamp(alert.at),
            "custom_details": details,
        }
        if alert.cause:
            payload["class"] = alert.cause.value
        return payload | {name: self._options[name] for name in ("group", "class") if name in self._options}


def _severity(alert: Alert) -> str:
    if alert.event is EventKind.TEST or alert.state is State.UP:
        return "info"
    if alert.state is State.DOWN:
        return "critical" if alert.tier == 1 else "error"
    return "warning"


KIND: Final = ChannelKind("pagerduty", "PagerDuty", ("pagerduty",), PagerDutySender, is_exact=True)
