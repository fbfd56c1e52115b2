"""What isn't as it was: each with what it is about, before and after, and a sentence. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from trueup.domain.states import State


@dataclass(frozen=True, slots=True)
class Difference:
    """``what`` is listener, unit, container, certificate or target; ``next`` what to do about it."""

    what: str
    name: str
    before: Any
    after: Any
    says: str
    next: tuple[str, ...] = ()
    listeners: tuple[str, ...] = ()
    """Listeners that went with it."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        told = {
            "what": self.what,
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "says": self.says,
            "next": list(self.next),
        }
        return {**told, "listeners": list(self.listeners)} if self.listeners else told


@dataclass(slots=True)
class Differences:
    """``unknown`` are sentences about what could not be compared."""

    lost: list[Difference] = field(default_factory=list)
    changed: list[Difference] = field(default_factory=list)
    new: list[Difference] = field(default_factory=list)
    slower: list[Difference] = field(default_factory=list)
    worse: list[Difference] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """Down for what is lost or worse, degraded for what is otherwise than before."""
        if self.lost or self.worse:
            return State.DOWN
        if self.unknown:
            return State.UNKNOWN
        return State.DEGRADED if self.changed or self.new or self.slower else State.UP

    def by_kind(self) -> Iterator[tuple[str, Difference]]:
        """All of them, the gravest first."""
        for kind in ("lost", "worse", "changed", "new", "slower"):
            for one in getattr(self, kind):
                yield kind, one

    def document(self) -> dict[str, Any]:
        """The contract's document; ``unknown`` only where there is something."""
        lists = {
            kind: [one.document() for one in getattr(self, kind)]
            for kind in ("lost", "changed", "new", "slower", "worse")
        }
        more = {"unknown": self.unknown} if self.unknown else {}
        return {"state": self.state.value, **lists, **more}
