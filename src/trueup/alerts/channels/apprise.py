"""Any of the services that Apprise knows, by its URL: Discord, Matrix, Teams, Gotify, SMS and many more.

What has no sender of its own goes through the Apprise library, as its documentation describes the URLs. It
says less about what a receiver answered than trueup's own senders do: a failure is tried again, for a day,
whatever it was.
"""

import logging
import threading
from typing import Any, Final

from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Taken
from trueup.alerts.threads import on_a_thread
from trueup.alerts.wording import lines, title
from trueup.config.apprise_library import apprise_library
from trueup.domain.alert import EventKind
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.states import State

_LOGGER: Final = "apprise"
_HOME: Final = "https://github.com/trueup-monitor/trueup"
"""Where those who read an alert get to by the name of its sender, which is Apprise otherwise."""


class _Words(logging.Handler):
    """Why Apprise failed on this thread, which it says to its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.words.append(record.getMessage())


class AppriseSender:
    """One URL. The library is loaded with the first message."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._url = channel.to.reveal()

    async def send(self, parcel: Parcel) -> Outcome:
        return await on_a_thread(lambda: _notify(self._url, parcel))

    async def close(self) -> None:
        """It holds nothing."""


def _notify(url: str, parcel: Parcel) -> Outcome:
    apprise = apprise_library()
    logger = logging.getLogger(_LOGGER)
    heard = _Words()
    logger.addHandler(heard)
    try:
        asset = apprise.AppriseAsset(app_id="trueup", app_desc="trueup", app_url=_HOME)
        service = apprise.Apprise.instantiate(url, asset=asset)
        if service is None:
            words = "Apprise doesn't understand this URL; see the URLs that it documents"
            return Outcome(Taken.REFUSED, words)
        sent = service.notify(
            body="\n".join(lines(parcel)),
            title=title(parcel),
            notify_type=_type_of(parcel, apprise.NotifyType),
            body_format=apprise.NotifyFormat.TEXT,
        )
    finally:
        logger.removeHandler(heard)
    if sent:
        return Outcome(Taken.SENT, f"{service.service_name} has taken it, says Apprise")
    why = "; ".join(heard.words) or "no reason given"
    return Outcome(Taken.LATER, f"Apprise failed: {why}", is_uncertain=True)


def _type_of(parcel: Parcel, types: Any) -> Any:
    newest = parcel.alerts[0]
    if newest.event in (EventKind.TEST, EventKind.UNDELIVERED):
        return types.INFO
    return {State.UP: types.SUCCESS, State.DOWN: types.FAILURE}.get(newest.state, types.WARNING)


KIND: Final = ChannelKind("apprise", "Everything else", (), AppriseSender)
