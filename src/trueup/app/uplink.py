"""Is it me? When targets elsewhere can't be reached, the monitor's own way out is asked."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from trueup.checks.check import Check, check_address
from trueup.checks.look import look
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome
from trueup.domain.target import Target
from trueup.engine.engine import Engine
from trueup.host.addresses import read_addresses
from trueup.host.dialled import met_at
from trueup.host.unreadable import HostUnreadable

TIMEOUT_S: Final = 3.0
KEPT_S: Final = 3.0
"""Many targets fail at once: the answer of one asking is theirs all."""
OWN_ADDRESSES_KEPT_S: Final = 60.0
UNREACHED: Final = frozenset({Cause.UNRESOLVED, Cause.NO_ANSWER, Cause.UNREACHABLE, Cause.SILENT})
"""What it looks like when the network between is gone."""
_LOOPBACK: Final = frozenset({"localhost", "::1"})
_LOG = logging.getLogger("trueup")


class Uplink:
    """Asks the addresses of the section ``uplink``. Without any, nobody can tell, and nothing is offline."""

    def __init__(self, addresses: Sequence[Address], clock: Clock) -> None:
        self._clock = clock
        self._checks = [check_address(address, TIMEOUT_S) for address in addresses]
        self._asking: asyncio.Task[str] | None = None
        self._asked_s = float("-inf")
        self._said = ""
        self._own: frozenset[str] = frozenset()
        self._own_read_s = float("-inf")

    @property
    def gone(self) -> str:
        """Why it's taken for gone, in words; empty while it isn't, or nobody knows."""
        return self._said

    def plan(self, addresses: Sequence[Address]) -> None:
        """Ask others from now on."""
        self._checks = [check_address(address, TIMEOUT_S) for address in addresses]
        self._asked_s, self._said = float("-inf"), ""

    async def explained(
        self, engine: Engine, target: Target, seen: tuple[Observation, ...]
    ) -> tuple[Observation, ...]:
        """What was seen; where it fails for want of a network and the uplink is gone, that it's unknown."""
        if not self._checks or not any(_is_unreached(one) for one in seen) or self._is_own(target):
            return seen
        why = await self._ask(engine)
        if not why:
            return seen
        return tuple(_offline(one, why) if _is_unreached(one) else one for one in seen)

    async def _ask(self, engine: Engine) -> str:
        if self._asking is None:
            if self._clock.monotonic_s() - self._asked_s < KEPT_S:
                return self._said
            self._asking = asyncio.create_task(self._find_out(engine))
            self._asking.add_done_callback(lambda _: setattr(self, "_asking", None))
        return await asyncio.shield(self._asking)

    async def _find_out(self, engine: Engine) -> str:
        answers = await asyncio.gather(*(self._reach(engine, check) for check in self._checks))
        was, self._said = self._said, "; ".join(answers) if all(answers) else ""
        self._asked_s = self._clock.monotonic_s()
        if self._said and not was:
            _LOG.error("the monitor's own uplink is gone: %s; what it can't reach is unknown", self._said)
        elif was and not self._said:
            _LOG.warning("the monitor's uplink is back")
        return self._said

    async def _reach(self, engine: Engine, check: Check) -> str:
        """Why it isn't reached; empty if anything at all comes back from there, be it a refusal."""
        seen = (await look(engine, check, self._clock, follow_up=False)).observations
        unreached = [one for one in seen if _is_unreached(one) or one.outcome is Outcome.UNKNOWN]
        if not unreached or any(one.outcome is Outcome.PASS for one in seen):
            return ""
        return f"{check.address.text}: {unreached[0].detail}"

    def _is_own(self, target: Target) -> bool:
        """Whether all its addresses are this machine's own: no network is between."""
        return bool(target.at) and all(
            address.socket_path is not None or self._is_here(address.host) for address in target.at
        )

    def _is_here(self, host: str) -> bool:
        host = met_at(host)
        if host in _LOOPBACK or host.startswith(("127.", "/")):
            return True
        now_s = self._clock.monotonic_s()
        if now_s - self._own_read_s > OWN_ADDRESSES_KEPT_S:
            self._own, self._own_read_s = _own_addresses(), now_s
        return host in self._own


def _own_addresses() -> frozenset[str]:
    try:
        return frozenset(one.address for one in read_addresses())
    except HostUnreadable:
        return frozenset()


def _is_unreached(seen: Observation) -> bool:
    if seen.outcome is not Outcome.FAIL:
        return False
    return seen.cause in UNREACHED or _inner(seen) in UNREACHED


def _inner(seen: Observation) -> Cause | None:
    """The cause of a journey's step."""
    inner = seen.facts.get("inner_cause", seen.facts.get("cause"))
    return Cause(inner) if isinstance(inner, str) and inner in set(Cause) else None


def _offline(seen: Observation, why: str) -> Observation:
    facts = {**seen.facts, "seen": seen.cause.value if seen.cause else None}
    words = f"the monitor's own uplink is gone ({why}): {seen.detail}"
    return replace(seen, outcome=Outcome.UNKNOWN, cause=Cause.MONITOR_OFFLINE, detail=words, facts=facts)
