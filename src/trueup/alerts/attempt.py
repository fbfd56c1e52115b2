"""One attempt to send, whoever makes it: the place where a sender's mistake becomes a value."""

import asyncio
from dataclasses import replace
from typing import Final

from trueup.alerts.channels.registry import sender_for
from trueup.alerts.secrecy import shown
from trueup.alerts.sender import Outcome, Parcel, Sender, Taken
from trueup.domain.alert import Alert, EventKind, Notification
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.states import State

ATTEMPT_S_MAX: Final = 30.0


async def attempt(sender: Sender, channel: Channel, parcel: Parcel) -> Outcome:
    """What came of it, safe to show: secrets and control characters have left what was said."""
    try:
        async with asyncio.timeout(ATTEMPT_S_MAX):
            outcome = await sender.send(parcel)
    except TimeoutError:
        outcome = Outcome(Taken.LATER, f"no answer within {ATTEMPT_S_MAX:g} s", is_uncertain=True)
    except Exception as error:  # noqa: BLE001 - a bug in a sender must not end the channel
        words = f"trueup failed in sending, which is a bug in it: {type(error).__name__}: {error}"
        outcome = Outcome(Taken.LATER, words, is_uncertain=True)
    return replace(outcome, said=shown(outcome.said, channel))


async def send_test(name: str, channel: Channel, clock: Clock) -> Outcome:
    """Send a test alert by a channel, once: it is of no incident, and its event is ``test``."""
    now = clock.now()
    alert = Alert(
        id=f"test-{int(now.timestamp() * 1000)}",
        event=EventKind.TEST,
        at=now,
        incident=0,
        target="trueup",
        tier=3,
        state=State.UP,
        summary=f"this is a test of channel {name}: alerts arrive here",
    )
    _, sender = sender_for(channel, clock)
    try:
        return await attempt(sender, channel, Parcel((Notification(alert, name, 0, now),)))
    finally:
        await sender.close()
