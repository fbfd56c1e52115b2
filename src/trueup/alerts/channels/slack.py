"""Slack: by an incoming webhook, or as a bot.

`slack://A/B/C` are the last three parts of the webhook's URL `https://hooks.slack.com/services/A/B/C`, with
`/#channel` behind them where it isn't the webhook's own; `slack://xoxb-TOKEN/#channel` is a bot, which
needs the scope `chat:write`. `NAME@` before either is the name that it writes under. The text goes without
markup, and nothing in it can notify anybody.
"""

import json
from typing import Any, Final

from trueup.alerts.addressees import Addressees
from trueup.alerts.channel_url import read_url
from trueup.alerts.http import Http, NoReply, Reply, outcome_of
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Taken
from trueup.alerts.wording import text
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.printable import printable
from trueup.domain.understood import NotUnderstood

HOOKS: Final = "https://hooks.slack.com"
API: Final = "https://slack.com"
CHARS_MAX: Final = 3900
OPTIONS: Final = ("to", "image", "footer", "timestamp")
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_OF_THE_MESSAGE: Final = frozenset({"msg_too_long", "no_text", "invalid_blocks", "restricted_action"})


class SlackSender:
    """One webhook, or one bot and its channels. https://api.slack.com/methods/chat.postMessage"""

    def __init__(self, channel: Channel, clock: Clock, *, hooks: str = HOOKS, api: str = API) -> None:
        """Raises:
        NotUnderstood: the URL is of a workflow, or of people by their address.
        """
        url = read_url(channel, OPTIONS)
        self._headers = {"Content-Type": "application/json; charset=utf-8"}
        self._is_bot = url.host.startswith("xo")
        if self._is_bot:
            rooms = [*url.path, *url.listed("to")] or ["#general"]
            self._url = f"{api}/api/chat.postMessage"
            self._headers["Authorization"] = f"Bearer {url.host}"
        else:
            if len(url.path) < 2:
                raise NotUnderstood("it has no three tokens", "as in slack://A/B/C")
            rooms = [*url.path[2:], *url.listed("to")] or [""]
            self._url = f"{hooks}/services/{url.host}/{url.path[0]}/{url.path[1]}"
        if any("@" in room[1:] for room in rooms):
            raise NotUnderstood("it names somebody by a mail address", "Apprise may know how")
        self._name = url.user
        self._clock = clock
        self._http = Http()
        self._rooms = Addressees(rooms)

    async def send(self, parcel: Parcel) -> Outcome:
        words = text(parcel, CHARS_MAX)
        return await self._rooms.send(parcel, lambda room: self._say(room, words))

    async def close(self) -> None:
        await self._http.close()

    async def _say(self, room: str, words: str) -> Outcome:
        said: dict[str, Any] = {
            "text": "".join(_ESCAPES.get(char, char) for char in words),
            "mrkdwn": False,
            "unfurl_links": False,
        }
        if room:
            said["channel"] = room.removeprefix("+") if room[:1] in "#@+" else f"#{room}"
        if self._name:
            said["username"] = self._name
        try:
            reply = await self._http.post(self._url, json.dumps(said).encode(), self._headers)
        except NoReply as failure:
            return failure.outcome
        outcome = outcome_of(reply, self._clock.now())
        return _bot_outcome(reply) if self._is_bot and outcome.taken is Taken.SENT else outcome


def _bot_outcome(reply: Reply) -> Outcome:
    """A bot's failures come with the status 200."""
    try:
        said = json.loads(reply.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return Outcome(Taken.LATER, f"{reply.line}, but no answer of Slack's", is_uncertain=True)
    if said.get("ok") is True:
        return Outcome(Taken.SENT, "Slack has taken it")
    error = str(said.get("error", "no reason given"))
    taken = Taken.REFUSED if error in _OF_THE_MESSAGE else Taken.LATER
    return Outcome(taken, f"Slack: {printable(error)}")


KIND: Final = ChannelKind("slack", "Slack", ("slack",), SlackSender, apart_s=1.0)
