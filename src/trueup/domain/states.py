"""What an observation came to, what a target is, and which layer a question was about."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What one observation came to.

    ``slow`` is everything that works but not as it should: late, or not for long. ``unknown``
    means that we could not look; it is neither a failure nor a success.
    """

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    SLOW = "slow"
    FAIL = "fail"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What a target is. A target that nobody looked at is ``unknown``, never ``up``."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def exit_status(self) -> int:
        """The exit status of ``check``, ``verify`` and ``status``."""
        return _EXIT_STATUS[self]


_EXIT_STATUS: Final = {State.UP: 0, State.DEGRADED: 1, State.DOWN: 2, State.UNKNOWN: 3}

WORST_FIRST: Final = (State.DOWN, State.UNKNOWN, State.DEGRADED, State.UP)
"""How the states of several targets add up: the first of these that occurs is the state of all."""


def worst(states: Iterable[State]) -> State:
    """The state of several targets together; ``unknown`` when there are none, for nothing was seen."""
    present = set(states)
    return next((state for state in WORST_FIRST if state in present), State.UNKNOWN)


class Layer(StrEnum):
    """The questions, from the outside in; ``host`` is the machine's own word."""

    PORT = "port"
    TLS = "tls"
    SERVICE = "service"
    FUNCTION = "function"
    HOST = "host"


LAYERS_OUTSIDE_IN: Final = (Layer.PORT, Layer.TLS, Layer.SERVICE, Layer.FUNCTION)
"""The order in which a failure is looked for: the first broken one is the one to mend."""

STATE_OF_OUTCOME: Final = {
    Outcome.PASS: State.UP,
    Outcome.SLOW: State.DEGRADED,
    Outcome.FAIL: State.DOWN,
    Outcome.UNKNOWN: State.UNKNOWN,
}
