"""Named places at which a test lets the process die, as by the loss of power: see ``docs/testing.md``.

``TRUEUP_FAILPOINT=NAME`` kills the process at the first passage of that place, ``NAME:3`` at the third.
Without it, passing one costs a comparison.
"""

import os
import signal
from typing import Final

POINTS: Final = (
    "after-look",
    "before-transaction",
    "in-transaction",
    "after-commit",
    "after-claim",
    "after-answer",
    "in-packing",
    "in-checkpoint",
    "in-reload",
)
"""In the order in which an outage passes them."""

_name, _, _passage = os.environ.get("TRUEUP_FAILPOINT", "").partition(":")
_left = int(_passage or 1)


def failpoint(name: str) -> None:
    """Die here, if this is the place."""
    global _left  # noqa: PLW0603 - one countdown for the process, as its environment is
    if name != _name:
        return
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
