"""An agent's looks at its own machine's listeners, a few at a time, the longest unseen first."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trueup.checks.bare import look_at_bare
from trueup.checks.check import Check, check_address
from trueup.checks.look import look
from trueup.domain.address import Address
from trueup.domain.clock import Clock
from trueup.engine.engine import Engine
from trueup.host.agent_report import LocalLook
from trueup.host.facts import Transport
from trueup.host.report import Listener

AT_ONCE: Final = 16
TIMEOUT_S: Final = 2.0
LISTENERS_MAX: Final = 500
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    check: Check
    looked_s: float
    looks: tuple[LocalLook, ...]


class LocalLooks:
    """Knows what answers at each listener, and how it answered last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[_Key, _Known] = {}
        self._listeners: Sequence[Listener] | None = None
        self._there: dict[_Key, Listener] = {}

    def all(self) -> tuple[LocalLook, ...]:
        """The newest of each listener."""
        return tuple(one for known in self._known.values() for one in known.looks)

    async def round(self, engine: Engine, listeners: Sequence[Listener]) -> bool:
        """Look at some, and tell whether each has been looked at now.

        A socket that is gone is forgotten; one that is new is asked who answers there.
        """
        if listeners is not self._listeners:
            self._listeners = listeners
            self._there = {_key(one): one for one in listeners if one.socket.transport is Transport.TCP}
            self._known = {key: known for key, known in self._known.items() if key in self._there}
        there = self._there
        oldest = sorted(
            itertools.islice(there, LISTENERS_MAX),
            key=lambda key: self._known[key].looked_s if key in self._known else 0.0,
        )
        await asyncio.gather(*(self._look(engine, key, there[key]) for key in oldest[:AT_ONCE]))
        return all(key in self._known for key in oldest)

    async def _look(self, engine: Engine, key: _Key, listener: Listener) -> None:
        known = self._known.get(key)
        check = known.check if known is not None else await _identified(engine, listener)
        seen = (await look(engine, check, self._clock, follow_up=False)).observations
        speaks = check.address.scheme or None
        looks = tuple(
            LocalLook(
                listener.socket.address,
                listener.socket.port,
                one.layer,
                one.outcome,
                one.observed_at,
                one.cause,
                one.detail[:500],
                one.latency_ms,
                speaks,
            )
            for one in seen
        )
        self._known[key] = _Known(check, self._clock.monotonic_s(), looks)


async def _identified(engine: Engine, listener: Listener) -> Check:
    host = _ANY.get(listener.socket.address, listener.socket.address)
    shown = f"[{host}]" if ":" in host else host
    bare = check_address(
        Address("", host, f"{shown}:{listener.socket.port}", listener.socket.port), TIMEOUT_S
    )
    found = (await look_at_bare(engine, bare)).check
    if found is not None:
        return found
    plain = Address("tcp", host, f"tcp://{shown}:{listener.socket.port}", listener.socket.port)
    return check_address(plain, TIMEOUT_S)


def _key(listener: Listener) -> _Key:
    return listener.socket.address, listener.socket.port, listener.socket.inode
