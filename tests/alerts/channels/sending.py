"""One parcel to a receiver that behaves in some way: what a sender makes of it, and what was asked."""

import asyncio
from collections.abc import Callable

from tests.alerts.made import row
from tests.alerts.receiver import How, Request, receiver
from trueup.alerts.sender import Outcome, Parcel, Sender, Taken
from trueup.domain.alert import Notification

Make = Callable[[str], Sender]
"""The sender for a receiver at a URL."""


def tried(make: Make, *how: How, parcels: tuple[Parcel, ...] = ()) -> tuple[list[Outcome], list[Request]]:
    """Each parcel once, to the same sender."""

    async def send() -> tuple[list[Outcome], list[Request]]:
        async with receiver(*how) as one:
            sender = make(one.url)
            outcomes = [await sender.send(parcel) for parcel in parcels or (Parcel((row(),)),)]
            await sender.close()
            return outcomes, one.requests

    return asyncio.run(send())


def sent(make: Make, *rows: Notification, how: How) -> Request:
    """The one request of a parcel that arrives."""
    (outcome,), (request,) = tried(make, how, parcels=(Parcel(rows),))
    assert outcome.taken is Taken.SENT, outcome
    return request
