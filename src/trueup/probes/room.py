"""How full is nearly full: what a service is about to be short of."""

from typing import Any, Final

from trueup.conversation import Answer, degraded
from trueup.domain.causes import Cause

NEARLY: Final = 0.9
"""The part of what there is from which on its use is told: soon there will be none."""


def nearly_full(used: int, most: int) -> bool:
    """Whether ``used`` of ``most`` leaves little; never where there is no limit (0)."""
    return most > 0 and used >= most * NEARLY


def short_of(what: str, used: int, most: int, facts: dict[str, Any], *, limit: str = "") -> Answer | None:
    """The answer for a service that will soon have no more of ``what``; None where it has enough.

    ``limit`` is the setting that holds the most.
    """
    if not nearly_full(used, most):
        return None
    named = f" ({limit})" if limit else ""
    return degraded(Cause.OVERLOADED, f"nearly out of {what}: {used} of {most} in use{named}", **facts)
