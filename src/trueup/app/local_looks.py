"""An agent's looks at its own machine's listeners, a few at a time, the longest unseen first."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from trueup.checks.bare import look_at_bare
from trueup.checks.check import Check, check_address
from trueup.checks.look import Look, look
from trueup.checks.same import tells_all, took_ms
from trueup.domain.address import Address
from trueup.domain.clock import Clock
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.host.agent_report import LocalLook
from trueup.host.facts import Transport
from trueup.host.report import Listener
from trueup.probes.probe import Farewell

AT_ONCE: Final = 8
NEW_AT_ONCE: Final = 16
TIMEOUT_S: Final = 2.0
LISTENERS_MAX: Final = 500
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """``said`` is the conversation that brought ``looks``, where that told all there was to see."""

    check: Check
    looks: tuple[LocalLook, ...]
    said: Transcript | None


class LocalLooks:
    """Knows what answers at each listener, and how it answered last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: Sequence[Listener] | None = None
        self._there: dict[_Key, Listener] = {}
        self._known: dict[_Key, _Known] = {}
        self._turns: deque[_Key] = deque()

    def all(self) -> tuple[LocalLook, ...]:
        """The newest of each listener."""
        return tuple(one for known in self._known.values() for one in known.looks)

    async def round(self, engine: Engine, listeners: Sequence[Listener]) -> bool:
        """Look at some, and tell whether each has been looked at now.

        A socket that is gone is forgotten; one that is new is asked who answers there.
        """
        if listeners is not self._listeners:
            self._listeners = listeners
            self._meet(listeners)
        due = list(islice(self._turns, AT_ONCE if self._knows_all() else NEW_AT_ONCE))
        self._turns.rotate(-len(due))
        said = await _said_again(engine, {key: self._known[key] for key in due if key in self._known})
        closely = [key for key in due if key not in said or not self._is_as_before(key, said[key])]
        await asyncio.gather(*(self._look(engine, key, self._there[key]) for key in closely))
        return self._knows_all()

    def _knows_all(self) -> bool:
        return len(self._known) == len(self._there)

    def _meet(self, listeners: Iterable[Listener]) -> None:
        """From now on these; those that nobody has looked at come first."""
        tcp = (one for one in listeners if one.socket.transport is Transport.TCP)
        self._there = {_key(one): one for one in islice(tcp, LISTENERS_MAX)}
        self._known = {key: known for key, known in self._known.items() if key in self._there}
        new = [key for key in self._there if key not in self._known]
        self._turns = deque([*new, *(key for key in self._turns if key in self._known)])

    def _is_as_before(self, key: _Key, said: Transcript) -> bool:
        """Whether it says the same as the last time; when that was, and how long it took, is noted."""
        known = self._known[key]
        took = took_ms(known.check, known.said, said) if known.said is not None else None
        if took is None:
            return False
        now, ms = self._clock.now(), {layer: round(one_ms, 3) for layer, one_ms in took.items()}
        looks = tuple(replace(one, observed_at=now, latency_ms=ms.get(one.layer)) for one in known.looks)
        self._known[key] = replace(known, looks=looks)
        return True

    async def _look(self, engine: Engine, key: _Key, listener: Listener) -> None:
        known = self._known.get(key)
        check = known.check if known is not None else await _identified(engine, listener)
        seen = await look(engine, check, self._clock, follow_up=False)
        (said,) = seen.transcripts
        said.forget_said()
        self._known[key] = _Known(check, _looks(listener, seen), said if tells_all(check, said) else None)


async def _said_again(engine: Engine, known: Mapping[_Key, _Known]) -> dict[_Key, Transcript]:
    """What those say now who told all the last time. It takes no task, for nearly all say the same."""
    said: dict[_Key, Transcript] = {}
    those = {key: (one.check, one.said.dial) for key, one in known.items() if one.said is not None}
    all_over = asyncio.get_running_loop().create_future()

    def over(key: _Key, transcript: Transcript) -> None:
        said[key] = transcript
        if len(said) == len(those) and not all_over.done():
            all_over.set_result(None)

    talks = [
        engine.begin(
            dial,
            check.probe.conversation(check.options),
            check.timeout_s,
            partial(over, key),
            polite=check.probe.farewell is Farewell.POLITE,
        )
        for key, (check, dial) in those.items()
        if check.probe is not None
    ]
    try:
        if talks:
            await all_over
    finally:
        for talk in talks:
            engine.abandon(talk)
    return said


def _looks(listener: Listener, seen: Look) -> tuple[LocalLook, ...]:
    return tuple(
        LocalLook(
            listener.socket.address,
            listener.socket.port,
            one.layer,
            one.outcome,
            one.observed_at,
            one.cause,
            one.detail[:500],
            one.latency_ms,
            seen.check.address.scheme or None,
        )
        for one in seen.observations
    )


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
