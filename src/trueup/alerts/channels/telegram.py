"""Telegram: a bot writes to chats, groups or channels.

`tgram://BOT_TOKEN/CHAT` with one chat or several: its number, or a name as `@ops`; `CHAT:TOPIC` writes to a
topic of a forum. `?silent=yes` makes no sound. Telegram's word that a chat was sent too much
(`retry_after`) is honoured, and a channel writes at most once a second. The text goes without markup:
nothing that a target says can change it.
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

API: Final = "https://api.telegram.org"
CHARS_MAX: Final = 4096
OPTIONS: Final = ("to", "silent", "preview", "topic", "thread", "mdv", "image", "detect", "content")


class TelegramSender:
    """One bot and its chats. https://core.telegram.org/bots/api#sendmessage"""

    def __init__(self, channel: Channel, clock: Clock, *, api: str = API) -> None:
        """Raises:
        NotUnderstood: the URL names no chat.
        """
        url = read_url(channel, OPTIONS)
        path = list(url.path)
        token = url.host
        if token.isdecimal() and path:  # the colon of the token may be written as a slash
            token = f"{token}:{path.pop(0)}"
        chats = [*path, *url.listed("to")]
        if not chats or url.user is not None:
            raise NotUnderstood("it names no chat", "as in tgram://TOKEN/CHAT")
        self._token = token.removeprefix("bot") if token[3:4].isdecimal() else token
        self._url = f"{api}/bot{self._token}/sendMessage"
        self._topic = url.options.get("topic") or url.options.get("thread") or ""
        self._is_silent = url.means("silent", default=False)
        self._preview = url.means("preview", default=False)
        self._clock = clock
        self._http = Http()
        self._chats = Addressees(chats)
        self._moved: dict[str, str] = {}

    async def send(self, parcel: Parcel) -> Outcome:
        words = text(parcel, CHARS_MAX)
        return await self._chats.send(parcel, lambda chat: self._say(chat, words))

    async def close(self) -> None:
        await self._http.close()

    async def _say(self, chat: str, words: str) -> Outcome:
        name, _, topic = chat.partition(":")
        name = self._moved.get(name, name)
        is_number = name.removeprefix("-").isdecimal()
        said: dict[str, Any] = {
            "chat_id": int(name) if is_number else f"@{name.removeprefix('@')}",
            "text": words,
            "disable_notification": self._is_silent,
            "link_preview_options": {"is_disabled": not self._preview},
        }
        if (topic or self._topic).isdecimal():
            said["message_thread_id"] = int(topic or self._topic)
        body = json.dumps(said).encode()
        try:
            reply = await self._http.post(self._url, body, {"Content-Type": "application/json"})
        except NoReply as failure:
            return failure.outcome
        return self._outcome(name, reply)

    def _outcome(self, chat: str, reply: Reply) -> Outcome:
        """What Telegram says counts, whatever the status: ``ok``, or a description of why not."""
        by_status = outcome_of(reply, self._clock.now())
        try:
            said = json.loads(reply.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            if by_status.taken is not Taken.SENT:
                return by_status
            return Outcome(Taken.LATER, f"{reply.line}, but no answer of Telegram's", is_uncertain=True)
        if said.get("ok") is True:
            return Outcome(Taken.SENT, "Telegram has taken it")
        more = said.get("parameters")
        more = more if isinstance(more, dict) else {}
        words = f"Telegram: {printable(str(said.get('description', reply.line)))}"
        if isinstance(new := more.get("migrate_to_chat_id"), int):
            self._moved[chat] = str(new)
            return Outcome(Taken.LATER, f"{words}; the chat has moved to {new}: write that")
        after = more.get("retry_after", by_status.again_after_s)
        after_s = float(after) if isinstance(after, int | float) else None
        taken = Taken.REFUSED if said.get("error_code") == 400 and after_s is None else Taken.LATER
        return Outcome(taken, words, after_s)


KIND: Final = ChannelKind("telegram", "Telegram", ("tgram",), TelegramSender, apart_s=1.0)
