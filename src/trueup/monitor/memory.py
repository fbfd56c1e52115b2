"""What the policy remembers of one target from look to look; it outlives a restart."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from trueup.domain.causes import Cause
from trueup.domain.states import Layer, State
from trueup.domain.verdict import Verdict

NOTHING: Final = "{}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, as far as it would be said anew if it changed."""

    state: State
    layer: Layer | None = None
    cause: Cause | None = None
    blame: str | None = None

    @classmethod
    def of(cls, verdict: Verdict) -> "Trouble":
        return cls(verdict.state, verdict.layer, verdict.cause, verdict.blame)


class Counting(StrEnum):
    """What a row of looks is counted for."""

    FAILURES = "failures"
    CHANGES = "changes"
    PASSES = "passes"


@dataclass(frozen=True, slots=True)
class Row:
    """Looks in a row that aren't enough yet.

    ``n`` of them count, of which the last ``n_state`` found the state of ``trouble``, and the last
    ``n_trouble`` the very same trouble. ``began_at`` is the first look, ``counted_at`` the last that counted.
    """

    counting: Counting
    began_at: datetime
    counted_at: datetime
    n: int = 1
    n_state: int = 1
    n_trouble: int = 1
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """``hard`` is the confirmed state; ``is_new``: nobody has known one yet.

    ``trouble`` is the confirmed one, and stays while an incident of it is open, whatever is found.
    ``unknowns``: looks in a row that found nothing out. ``results``: a letter for each of the newest looks.
    """

    hard: State = State.UNKNOWN
    is_new: bool = True
    trouble: Trouble | None = None
    row: Row | None = None
    unknowns: int = 0
    results: str = ""
    is_flapping: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there's an incident."""
        return self.trouble is not None

    def without_row(self) -> "Memory":
        """As if what isn't confirmed had not been seen."""
        return self if self.row is None else replace(self, row=None)

    def with_incident(self, trouble: Trouble | None) -> "Memory":
        """As it must be with an incident of this trouble, or None. They are stored together; where they still
        differ, the incident is right.
        """
        if trouble is not None and self.trouble is None:
            return replace(self, hard=trouble.state, trouble=trouble, is_new=False)
        if trouble is None and self.trouble is not None:
            return replace(self, hard=State.UNKNOWN, trouble=None, row=None)
        return self


def to_json(memory: Memory) -> dict[str, Any]:
    """As JSON can keep it; what is as in a new memory is left out."""
    kept: dict[str, Any] = {
        name: value for name in _PLAIN if (value := getattr(memory, name)) != getattr(_NEW, name)
    }
    if memory.trouble is not None:
        kept["trouble"] = trouble_to_json(memory.trouble)
    if memory.row is not None:
        times = {"began_at": memory.row.began_at, "counted_at": memory.row.counted_at}
        kept["row"] = asdict(memory.row) | {name: moment.isoformat() for name, moment in times.items()}
    return kept


def from_json(kept: Any) -> Memory:
    """The memory of what ``to_json`` made; what can't be read is a new one: nothing is known then."""
    try:
        row = kept.get("row")
        return Memory(
            hard=State(kept.get("hard", State.UNKNOWN)),
            is_new=bool(kept.get("is_new", True)),
            trouble=_trouble(kept.get("trouble")),
            row=_row(row) if row else None,
            unknowns=int(kept.get("unknowns", 0)),
            results=str(kept.get("results", "")),
            is_flapping=bool(kept.get("is_flapping", False)),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return Memory()


def read(text: str) -> dict[str, Any]:
    """A JSON object, empty where there is none."""
    try:
        kept = json.loads(text or NOTHING)
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def trouble_to_json(trouble: Trouble | None) -> dict[str, Any] | None:
    return asdict(trouble) if trouble is not None else None


def _trouble(kept: Any) -> Trouble | None:
    if kept is None:
        return None
    return Trouble(
        State(kept["state"]),
        Layer(kept["layer"]) if kept["layer"] else None,
        Cause(kept["cause"]) if kept["cause"] else None,
        kept["blame"],
    )


def trouble_from_json(kept: Any) -> Trouble | None:
    """None also for what can't be read."""
    try:
        return _trouble(kept)
    except (KeyError, TypeError, ValueError):
        return None


def _row(kept: Any) -> Row:
    return Row(
        Counting(kept["counting"]),
        datetime.fromisoformat(kept["began_at"]),
        datetime.fromisoformat(kept["counted_at"]),
        int(kept["n"]),
        int(kept["n_state"]),
        int(kept["n_trouble"]),
        _trouble(kept["trouble"]),
    )


_NEW: Final = Memory()
_PLAIN: Final = ("hard", "is_new", "unknowns", "results", "is_flapping")
