"""What a probe's conversation leaves to a library: a session of its own, after a healthy conversation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from trueup.checks.check import Check
from trueup.checks.observe import observed
from trueup.conversation import Answer
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome

Session = Callable[[Check, float], Awaitable[Answer]]


def _ssh() -> Session:
    from trueup.checks.ssh_session import look_inside

    return look_inside


SESSIONS: Final[dict[str, Callable[[], Session]]] = {"ssh": _ssh}
"""By a probe's name, whose options say by ``needs_session`` whether there is anything to do. Imported when
it's needed, for some of it is an extra and all of it is heavy."""


def goes_beyond(check: Check) -> bool:
    """Whether there's a session to be had after the conversation."""
    options: Any = check.options
    return check.probe is not None and check.probe.name in SESSIONS and options.needs_session


async def go_beyond(
    check: Check, seen: Sequence[Observation], clock: Clock, vantage: str, ends_s: float
) -> list[Observation]:
    """``seen``, and what the session showed, until ``ends_s`` on the loop's clock.

    Nothing is tried where the conversation already failed.
    """
    if not goes_beyond(check) or any(one.outcome not in (Outcome.PASS, Outcome.SLOW) for one in seen):
        return list(seen)
    loop = asyncio.get_running_loop()
    assert check.probe is not None
    began_s = loop.time()
    answer = await SESSIONS[check.probe.name]()(check, max(0.05, ends_s - began_s))
    latency_ms = (loop.time() - began_s) * 1000
    return [*seen, observed(check, answer, latency_ms, clock.now(), vantage)]
