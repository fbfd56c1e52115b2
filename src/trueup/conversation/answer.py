"""What a conversation came to, as the probe sees it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome

SEEN_CHARS_MAX: Final = 160
_PASS: Final = Outcome.PASS  # looking a member up costs in Python 3.11


class Answer(NamedTuple):
    """A conversation's conclusion about ``layer``. ``facts`` are JSON values.

    A named tuple as steps are: one is made in each look, and a frozen dataclass takes twice as long.
    """

    outcome: Outcome
    cause: Cause | None = None
    detail: str = ""
    facts: Mapping[str, Any] = MappingProxyType({})
    layer: Layer = Layer.SERVICE


def ready(detail: str, *, layer: Layer = Layer.SERVICE, **facts: Any) -> Answer:
    """Who we expected, and ready to serve. Facts whose value is None are left out."""
    return Answer(_PASS, None, detail, _known(facts), layer)


def fails(cause: Cause, detail: str, *, layer: Layer = Layer.SERVICE, **facts: Any) -> Answer:
    """Not ready, and this is why. Facts whose value is None are left out."""
    return Answer(Outcome.FAIL, cause, detail, _known(facts), layer)


def degraded(cause: Cause, detail: str, *, layer: Layer = Layer.SERVICE, **facts: Any) -> Answer:
    """It does what it is for, but slowly, or not for long, or short of something that it will need."""
    return Answer(Outcome.SLOW, cause, detail, _known(facts), layer)


def stranger(expected: str, seen: bytes) -> Answer:
    """Something answers that doesn't speak the protocol; ``seen`` is how it began.

    Who it is, the check finds out: a probe knows only its own dialect.
    """
    return Answer(
        Outcome.FAIL,
        Cause.WRONG_SERVICE,
        f"not {expected}: it said '{printable(seen, SEEN_CHARS_MAX)}'" if seen else f"not {expected}",
        {"expected": expected, "seen": printable(seen, SEEN_CHARS_MAX)},
    )


def endless(seen: bytes) -> Answer:
    """The right service, and an answer longer than any; ``seen`` is how it began."""
    return fails(Cause.ERROR_ANSWER, f"its answer doesn't end; it begins '{printable(seen, 80)}'")


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return (
        {name: value for name, value in facts.items() if value is not None}
        if None in facts.values()
        else facts
    )
