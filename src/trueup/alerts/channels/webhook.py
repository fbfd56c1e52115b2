"""Any program that takes an HTTP POST: trueup's own JSON, one event a request.

`http://` and `https://`. Each event goes by itself, at least once, in the order of its incident, and keeps
its `id` on each retry, also as the header `Idempotency-Key`. With a `secret`, `X-Trueup-Signature:
t=<unix>,v1=<hex>` is the HMAC-SHA256 of `t`, a dot and the body. 2xx is success; redirects aren't followed;
the deadline is 10 s. 429 and 503 are asked again after their `Retry-After`. Any other answer is retried
too, for a day.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Final

from trueup.alerts.http import Http, NoReply, outcome_of
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Taken
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.secret import Secret

_OTHERS: Final = {
    "hooks.slack.com/services/": ("Slack", "slack://A/B/C with the last parts"),
    "discord.com/api/webhooks/": ("Discord", "discord://A/B with the last parts"),
    "webhook.office.com/": ("Teams", "msteams://A/B/C/D with the parts"),
}
"""Services that have a URL of http and want another body, by what stands in it."""


class WebhookSender:
    """One receiver. It has a connection or a few, kept for a moment."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._http = Http(channel.tls)

    async def send(self, parcel: Parcel) -> Outcome:
        """One event: a parcel of this kind has no more."""
        (alert,) = parcel.alerts
        body = json.dumps(alert.document(), ensure_ascii=False).encode("utf-8", "replace")
        own = {"Content-Type": "application/json", "Idempotency-Key": alert.id}
        try:
            reply = await self._http.post(
                self._channel.to.reveal(), body, signed(self._channel, own, body, self._clock)
            )
        except NoReply as failure:
            return failure.outcome
        outcome = outcome_of(reply, self._clock.now())
        other = next((other for part, other in _OTHERS.items() if part in self._channel.to.reveal()), None)
        if outcome.taken is Taken.SENT or other is None:
            return outcome
        hint = f"{other[0]} doesn't read trueup's JSON: write {other[1]} of this URL"
        return replace(outcome, said=f"{outcome.said}; {hint}")

    async def close(self) -> None:
        await self._http.close()


def signed(channel: Channel, own: dict[str, str], body: bytes, clock: Clock) -> dict[str, str]:
    """The headers of a request: the channel's, ``own``, and the signature where there's a secret."""
    ours = {name.lower() for name in own}
    headers = {
        name: value.reveal() for name, value in channel.headers.items() if name.lower() not in ours
    } | own
    if channel.secret is not None:
        headers["X-Trueup-Signature"] = signature(channel.secret, body, int(clock.now().timestamp()))
    return headers


def signature(secret: Secret, body: bytes, at_s: int) -> str:
    """``at_s`` is unix time; it's signed too, so that a receiver can refuse what is old."""
    mac = hmac.new(secret.reveal().encode(), f"{at_s}.".encode() + body, hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


KIND: Final = ChannelKind("webhook", "Webhook", ("http", "https"), WebhookSender, is_exact=True, at_once=4)
