"""Looks at one target: its checks or its journey, with this machine's or an agent's word of it."""

import asyncio
from collections.abc import Sequence

from trueup.app.asking_again import Asked, Known
from trueup.app.beats import Beats
from trueup.app.reports import Reports
from trueup.app.uplink import Uplink
from trueup.app.watched import Watched
from trueup.app.watching_host import WatchedHost
from trueup.app.workers import Workers
from trueup.checks.look import Look, look, look_on
from trueup.checks.same import tells_all
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.exposure import as_it_should_be
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.target import Target
from trueup.engine.engine import Engine


class Prober:
    """Makes evidence."""

    def __init__(
        self,
        watched: Watched,
        clock: Clock,
        uplink: Uplink,
        host: WatchedHost | None = None,
        reports: Reports | None = None,
        *,
        beats: Beats | None = None,
        workers: Workers | None = None,
    ) -> None:
        """``workers`` look in processes of their own; without them it's done here."""
        self.watched = watched
        self.reports = reports
        self._clock = clock
        self._uplink = uplink
        self._host = host
        self._beats = beats
        self._workers = workers
        self._seen: dict[str, tuple[Observation, ...]] = {}
        self._known: dict[str, Known] = {}

    def watch(self, watched: Watched) -> None:
        """Look at this from now on; what was known is no measure any more."""
        self.watched = watched
        self._known.clear()

    def known(self, name: str) -> Known | None:
        """What a target that is well said last, where that's all that a look would ask."""
        if self._host is not None and self._host.is_wary_of(name):
            return None
        return self._known.get(name)

    async def look(
        self, engine: Engine, target: Target, *, anew: bool = False, asked: Asked | None = None
    ) -> Evidence:
        """One look at all its addresses. ``anew``: names are resolved anew, for it's to confirm a failure.

        ``asked`` has been asked already, and what it said is looked at closely.
        """
        self._known.pop(target.name, None)
        if asked is not None:
            seen = await self._seen_of(engine, asked)
        elif self._workers is not None and (
            target.name in self.watched.checks or target.name in self.watched.looks
        ):
            seen = await self._workers.look(target.name, anew=anew)
        else:
            seen = await self._observed(engine, target, anew=anew)
        seen = (*seen, *self._reported(target))
        seen = as_it_should_be(target, self.watched.location, seen)
        seen = await self._uplink.explained(engine, target, seen)
        self._seen[target.name] = seen
        return await self._with_its_word(target, seen)

    def seen(self, name: str) -> tuple[Observation, ...] | None:
        """What the last look from outside brought."""
        return self._seen.get(name)

    def forget(self, name: str) -> None:
        """It isn't watched any more."""
        self._seen.pop(name, None)
        self._known.pop(name, None)

    async def _observed(self, engine: Engine, target: Target, *, anew: bool) -> tuple[Observation, ...]:
        if not self._is_plain(target):
            return await observed(engine, self.watched, target, self._clock, anew=anew)
        (check,) = self.watched.checks[target.name]
        if anew:
            engine.resolver.forget(check.address.host)
        return self._keep(await look(engine, check, self._clock, vantage=self.watched.location.name))

    async def _seen_of(self, engine: Engine, asked: Asked) -> tuple[Observation, ...]:
        check, said, vantage = asked.known.check, asked.transcript, self.watched.location.name
        return self._keep(await look_on(engine, check, self._clock, said, asked, vantage=vantage))

    def _keep(self, look: Look) -> tuple[Observation, ...]:
        """What the look saw; what was said is kept where the next may be held against it."""
        if tells_all(look.check, look.transcripts[0]):
            look.transcripts[0].forget_said()
            self._known[look.check.target.name] = Known(look.check, look.transcripts[0])
        return look.observations

    def _is_plain(self, target: Target) -> bool:
        """Whether what its one address says is all that makes its verdict, as long as that's good."""
        name = target.name
        return (
            len(self.watched.checks.get(name, ())) == 1
            and name not in self.watched.looks
            and name not in self.watched.heartbeats
            and self._is_here(target)
            and not (target.internal or target.container or target.process)
        )

    def _is_here(self, target: Target) -> bool:
        """Whether no other machine's agent speaks of it."""
        here = target.host is None or (self._host is not None and target.host == self._host.name)
        return here or self.reports is None

    def _reported(self, target: Target) -> tuple[Observation, ...]:
        """What it says by itself, where that's waited for."""
        if self._beats is None:
            return ()
        said = self._beats.observation(target.name, self.watched.location.name)
        return (said,) if said is not None else ()

    async def _with_its_word(self, target: Target, seen: Sequence[Observation]) -> Evidence:
        """What was seen, with the word of the target's machine."""
        if self.reports is not None and not self._is_here(target):
            return self.reports.evidence(target, seen)
        return await self._host.evidence(target, seen) if self._host else Evidence(target, tuple(seen))


async def observed(
    engine: Engine, watched: Watched, target: Target, clock: Clock, *, anew: bool = False
) -> tuple[Observation, ...]:
    """What is seen of a target from outside. ``anew``: its names are resolved anew."""
    vantage = watched.location.name
    other = watched.looks.get(target.name)
    if other is not None:
        return await other(engine, vantage)
    checks = watched.checks.get(target.name, ())
    if anew:
        for check in checks:
            engine.resolver.forget(check.address.host)
    if len(checks) == 1:
        return (await look(engine, checks[0], clock, vantage=vantage)).observations
    looks = await asyncio.gather(*(look(engine, check, clock, vantage=vantage) for check in checks))
    return tuple(seen for one in looks for seen in one.observations)
