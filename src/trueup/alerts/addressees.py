"""A channel with several addressees: each gets a parcel once, also where another of them fails."""

from collections.abc import Awaitable, Callable, Sequence

from trueup.alerts.sender import Outcome, Parcel, Taken

_WORST_FIRST = (Taken.LATER, Taken.REFUSED, Taken.SENT)


class Addressees:
    """Remembers, until all have it, who has the newest parcel already."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._parcel: tuple[str, ...] = ()
        self._have: set[str] = set()

    async def send(self, parcel: Parcel, send: Callable[[str], Awaitable[Outcome]]) -> Outcome:
        """Send to each who doesn't have it; the worst of what came of it."""
        ids = tuple(alert.id for alert in parcel.alerts)
        if ids != self._parcel:
            self._parcel, self._have = ids, set()
        outcomes = [await self._one(name, send) for name in self._names if name not in self._have]
        worst = min(outcomes, key=lambda outcome: _WORST_FIRST.index(outcome.taken))
        if worst.taken is Taken.SENT:
            self._parcel = ()
        return worst

    async def _one(self, name: str, send: Callable[[str], Awaitable[Outcome]]) -> Outcome:
        outcome = await send(name)
        if outcome.taken is Taken.SENT:
            self._have.add(name)
        return outcome
