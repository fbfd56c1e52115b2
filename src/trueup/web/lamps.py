"""The four questions of a target as lamps: is someone home, are they who I expected, can they help me, and
what does the machine itself say?
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from trueup.domain.states import Layer, Outcome

QUESTIONS: Final = (
    ("home?", (Layer.PORT,)),
    ("who?", (Layer.TLS, Layer.SERVICE)),
    ("help?", (Layer.FUNCTION,)),
    ("machine", (Layer.HOST,)),
)
_WORST_FIRST: Final = (Outcome.FAIL, Outcome.SLOW, Outcome.UNKNOWN, Outcome.PASS)
NOT_ASKED: Final = "none"


@dataclass(frozen=True, slots=True)
class Lamp:
    """``shows``: an outcome, or ``none`` where the question wasn't asked. ``says``: all of it in words."""

    shows: str
    says: str


def lamps(observations: Iterable[dict[str, Any]]) -> list[Lamp]:
    """A lamp for each question, in order: the worst of what any vantage saw."""
    seen = list(observations)
    return [
        _lamp(question, [one for one in seen if one["layer"] in layers]) for question, layers in QUESTIONS
    ]


def _lamp(question: str, seen: list[dict[str, Any]]) -> Lamp:
    for outcome in _WORST_FIRST:
        found = next((one for one in seen if one["outcome"] == outcome), None)
        if found is not None:
            why = f" ({found['cause']})" if found["cause"] else ""
            return Lamp(outcome.value, f"{question} {outcome.value}{why}")
    return Lamp(NOT_ASKED, f"{question} not asked")
