"""Whether an alert waits for a needed target: the one that is broken speaks for those that need it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trueup.diagnosis.judge import needed
from trueup.domain.states import State
from trueup.domain.target import Target

WAITS_MAX: Final = timedelta(seconds=60)
"""So long an alert waits at most for the answer of what its target needs."""
COOL_DOWN: Final = timedelta(seconds=30)
"""What needs a target that has just come back has so long to come back too."""


@dataclass(frozen=True, slots=True)
class Newest:
    """How a target was found last. ``looked_at``: when that look began; None where nobody has looked.

    ``recovered_at``: when it was last found well after having been down. ``is_asked``: whether it can be
    looked at now. ``is_open``: whether there's an incident of it.
    """

    state: State = State.UNKNOWN
    looked_at: datetime | None = None
    recovered_at: datetime | None = None
    is_asked: bool = True
    is_open: bool = False

    @property
    def is_down(self) -> bool:
        """A needed target that was down and can't be seen is taken for down."""
        return self.state is State.DOWN or (self.state is State.UNKNOWN and self.is_open)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is said yet. ``by`` is the needed target; ``ask`` are those to look at now."""

    by: str
    why: str
    ask: tuple[str, ...] = ()


class Needs:
    """Who needs whom, of all targets in their order."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._needs = {target.name: target.needs for target in targets}
        self._place = {target.name: place for place, target in enumerate(targets)}
        self._needed: dict[str, tuple[str, ...]] = {}
        needers: dict[str, list[str]] = {}
        for target in targets:
            for name in self.of(target.name):
                needers.setdefault(name, []).append(target.name)
        self._impact = {name: tuple(found) for name, found in needers.items()}

    def of(self, name: str) -> tuple[str, ...]:
        """All that ``name`` needs, however far, in the order of the configuration."""
        found = self._needed.get(name)
        if found is None:
            found = self._in_order(needed(name, self._needs)) if self._needs.get(name) else ()
            self._needed[name] = found
        return found

    def impact(self, name: str) -> tuple[str, ...]:
        """Everything that needs ``name``, however far, in the order of the configuration."""
        return self._impact.get(name, ())

    def _in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted((name for name in names if name in self._place), key=self._place.__getitem__))

    def hold(
        self, name: str, newest: Mapping[str, Newest], confirmed_at: datetime, now: datetime
    ) -> Hold | None:
        """Why an alert about ``name``, down since it was confirmed, is held at ``now``; None where it isn't.

        It waits while something it needs is down; then for a while, for what comes back needs its time, and
        to be looked at once more after that; and for the answer of those that nobody has looked at since
        it was confirmed.
        """
        wanted = [(one, newest[one]) for one in self.of(name) if one in newest]
        down = [one for one, found in wanted if found.is_down]
        if down:
            root = next((one for one in down if not any(two in down for two in self.of(one))), down[0])
            return Hold(root, f"{root} is down, which it needs")
        own_at = newest[name].looked_at if name in newest else None
        for one, found in wanted:
            cool_at = found.recovered_at + COOL_DOWN if found.recovered_at is not None else None
            if cool_at is None or now >= cool_at + WAITS_MAX:
                continue
            if now < cool_at:
                return Hold(one, f"{one}, which it needs, is only just back")
            if own_at is None or own_at < cool_at:
                return Hold(one, f"{one}, which it needs, is back: it is looked at once more", (name,))
        if now >= confirmed_at + WAITS_MAX:
            return None
        unseen = tuple(one for one, found in wanted if _is_awaited(found, confirmed_at))
        if not unseen:
            return None
        return Hold(unseen[0], f"{unseen[0]}, which it needs, is looked at first", unseen)


def _is_awaited(newest: Newest, since: datetime) -> bool:
    return newest.is_asked and (newest.looked_at is None or newest.looked_at < since)
