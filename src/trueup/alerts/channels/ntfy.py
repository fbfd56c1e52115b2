"""ntfy: to phones and browsers that follow a topic, over ntfy.sh or a server of one's own.

`ntfy://TOPIC` is a topic at ntfy.sh; `ntfy://HOST/TOPIC` one of a server of one's own, `ntfys://` with TLS;
`USER:PASSWORD@` or a token (`tk_…@`) before the host. Several topics may be named. The priority follows
state and tier, from 5 where a target of tier 1 is down to 3 when it's over; `?priority=` overrides it,
`?tags=` adds tags.
"""

import base64
import json
from typing import Any, Final

from trueup.alerts.addressees import Addressees
from trueup.alerts.channel_url import ChannelUrl, read_url
from trueup.alerts.http import Http, NoReply, outcome_of
from trueup.alerts.sender import ChannelKind, Outcome, Parcel
from trueup.alerts.wording import body, title
from trueup.domain.alert import EventKind
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.states import State
from trueup.domain.target import TlsSettings
from trueup.domain.understood import NotUnderstood

CLOUD: Final = "https://ntfy.sh"
BYTES_MAX: Final = 4000
"""Over 4096 bytes it becomes an attachment."""
TITLE_CHARS_MAX: Final = 250
OPTIONS: Final = ("priority", "xtags", "tags", "click", "to", "auth", "token", "mode", "image", "avatar_url")
_NAMED: Final = {"min": 1, "low": 2, "default": 3, "high": 4, "max": 5, "urgent": 5}
_PRIORITIES: Final = _NAMED | {str(number): number for number in range(1, 6)}
_TAGS: Final = {State.UP: "white_check_mark", State.DOWN: "rotating_light"}


class NtfySender:
    """One server and its topics. https://docs.ntfy.sh/publish/#publish-as-json"""

    def __init__(self, channel: Channel, clock: Clock, *, api: str | None = None) -> None:
        """Raises:
        NotUnderstood: the URL's server or priority is none.
        """
        url = read_url(channel, OPTIONS)
        topics = [*url.path, *url.listed("to")]
        is_cloud = url.options.get("mode") == "cloud" or not topics or url.host == "ntfy.sh"
        if is_cloud and url.host != "ntfy.sh":
            topics = [url.host, *topics]
        self._url = api or (CLOUD if is_cloud else _server(url))
        self._headers = {"Content-Type": "application/json", **_authorization(url)}
        self._priority = _priority(url.options.get("priority", ""))
        self._tags = [*url.listed("xtags"), *url.listed("tags")]
        self._click = url.options.get("click")
        self._clock = clock
        self._http = Http(TlsSettings(verify=url.means("verify", default=True)))
        self._topics = Addressees(topics)

    async def send(self, parcel: Parcel) -> Outcome:
        newest = parcel.alerts[0]
        said: dict[str, Any] = {
            "title": title(parcel)[:TITLE_CHARS_MAX],
            "message": body(parcel, BYTES_MAX, in_bytes=True),
            "priority": self._priority or max(_priority_of(parcel)),
            "tags": [*self._tags, _TAGS.get(newest.state, "warning")],
        }
        if click := self._click or newest.url:
            said["click"] = click
        return await self._topics.send(parcel, lambda topic: self._publish({"topic": topic} | said))

    async def close(self) -> None:
        await self._http.close()

    async def _publish(self, message: dict[str, Any]) -> Outcome:
        try:
            reply = await self._http.post(self._url, json.dumps(message).encode(), self._headers)
        except NoReply as failure:
            return failure.outcome
        return outcome_of(reply, self._clock.now())


def _server(url: ChannelUrl) -> str:
    host, port = url.host_and_port
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if url.scheme == 'ntfys' else 'http'}://{shown}{f':{port}' if port else ''}"


def _authorization(url: ChannelUrl) -> dict[str, str]:
    token = url.options.get("token")
    alone = url.user is not None and url.password is None
    if not token and (url.options.get("auth") == "token" or (alone and (url.user or "").startswith("tk_"))):
        token = url.password or url.user
    if token:
        return {"Authorization": f"Bearer {token}"}
    if url.user is None:
        return {}
    pair = f"{url.user}:{url.password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _priority(word: str) -> int | None:
    if not word:
        return None
    found = _PRIORITIES.get(word.lower())
    if found is None:
        raise NotUnderstood("its priority is none of ntfy's", "write 1 to 5")
    return found


def _priority_of(parcel: Parcel) -> list[int]:
    return [
        3
        if alert.state is State.UP or alert.event in (EventKind.TEST, EventKind.UNDELIVERED)
        else 5
        if alert.state is State.DOWN and alert.tier == 1
        else 4
        for alert in parcel.alerts
    ]


KIND: Final = ChannelKind("ntfy", "ntfy", ("ntfy", "ntfys"), NtfySender)
