"""The loop of looks: what is due is looked at, what happened is looked at soon, lost time is noticed."""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Final

from trueup.app.asking_again import Asked
from trueup.app.evaluator import Evaluated, Evaluator
from trueup.app.looking import Prober
from trueup.app.watched import Watched
from trueup.checks.same import took_ms
from trueup.diagnosis.evidence import Evidence
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.engine.engine import Engine
from trueup.monitor.jumps import Gap, Moments, gap_between
from trueup.monitor.schedule import STRETCH, Planned, Schedule
from trueup.monitor.shedding import Shedding
from trueup.store.failpoint import failpoint

AGAIN_AFTER_S: Final = 0.3
"""However much happens, a target isn't looked at sooner than this after its last look."""
ROUND_S: Final = 0.1
"""What is due within it begins together: thousands that each wake the loop by themselves cost far more."""
IMPATIENT_EVERY_S: Final = 0.25
"""So often it's seen whether one that is asked again has been silent for long."""
TICK_S: Final = 0.5
STALE_INTERVALS: Final = 3
STALE_GRACE_S: Final = 5.0
STALE_EVERY_S: Final = 2.0
_LOG = logging.getLogger("trueup")


class Lookout:
    """Looks at what the schedule hands out, and gives what was seen to the evaluator.

    ``on_look`` is called after each look, ``on_tick`` twice a second, ``on_gap`` when time has passed
    without us.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        prober: Prober,
        clock: Clock,
        *,
        on_look: Callable[[str], None],
        on_tick: Callable[[], None],
        on_gap: Callable[[Gap], None],
    ) -> None:
        self._evaluator, self._prober, self._clock = evaluator, prober, clock
        self._on_look, self._on_tick, self._on_gap = on_look, on_tick, on_gap
        self._schedule = Schedule()
        self.shedding = Shedding(())
        self._looking: dict[str, bool] = {}
        self._asked: dict[str, Asked] = {}
        self._looked_s: OrderedDict[str, float] = OrderedDict()
        """The longest ago first."""
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._due = asyncio.Event()
        self._epoch = 0
        self._ticked: Moments | None = None
        self._stale_s = 0.0
        self._engine: Engine | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self.looks = 0
        """So far: that it grows shows progress."""

    def plan(self, watched: Watched) -> None:
        """Look at these from now on; what hasn't changed keeps its times."""
        now_s = self._clock.monotonic_s()
        planned = {one.name: one for one in watched.planned()}
        self._schedule.plan(planned.values(), now_s)
        known = {name: self._looked_s.get(name, now_s) for name in planned}
        self._looked_s = OrderedDict(sorted(known.items(), key=itemgetter(1)))
        self._planned: dict[str, Planned] = planned
        self._shortest_s = min((one.every_s for one in planned.values()), default=0.0)
        self.shedding.plan(one.tier for one in planned.values())
        self._due.set()

    async def run(self, engine: Engine) -> None:
        """Look at what is due, for ever."""
        self._engine = engine
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._tick_on())
                while True:
                    await self._begin_round(engine, tasks)
        finally:
            for asked in list(self._asked.values()):
                asked.give_up()

    async def _begin_round(self, engine: Engine, tasks: asyncio.TaskGroup) -> None:
        """Begin all looks that are due, and wait until others may be."""
        self._check_clocks()
        now_s = self._clock.monotonic_s()
        for name in self._schedule.due(now_s):
            if not self._ask_again(engine, name):
                tasks.create_task(self._look_at(name))
        loop = asyncio.get_running_loop()
        for asked in self._asked.values():
            loop.call_soon(asked.ask_if_due, loop.time())  # as a timer would: it can't end this loop
        next_s = self._schedule.next_due_s()
        longest_s = IMPATIENT_EVERY_S if self._asked else 1.0
        wait_s = longest_s if next_s is None else min(longest_s, max(ROUND_S, next_s - now_s))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._due.wait()
        self._due.clear()

    # ---- out of turn -----------------------------------------------------------------------------------

    def look_soon(self, name: str) -> None:
        """Something happened: look at ``name`` now, or once more when the look under way is over."""
        if name in self._looking:
            self._looking[name] = True
            return
        again_s = (
            self._looked_s.get(name, 0.0) + AGAIN_AFTER_S if self._evaluator.was_looked_at(name) else 0.0
        )
        self._schedule.look_at(name, max(self._clock.monotonic_s(), again_s))
        self._due.set()

    async def look_now(self, name: str) -> None:
        """Look at it now, and wait until that's done; or for the look that's under way."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(name, []).append(waiter)
        if name not in self._looking:
            self._schedule.look_at(name, self._clock.monotonic_s())
            self._due.set()
        await waiter

    # ---- one look --------------------------------------------------------------------------------------

    def _ask_again(self, engine: Engine, name: str) -> bool:
        """Begin a look that needs no task as long as it brings nothing new; False where there's no such."""
        known = self._prober.known(name) if self._evaluator.is_steady(name) else None
        if known is None:
            return False
        self._looking[name] = False
        began_at = self._clock.now()
        asked = Asked(engine, name, known, began_at=began_at, epoch=self._epoch, on_end=self._answered)
        self._asked[name] = asked
        return True

    def _answered(self, asked: Asked) -> None:
        name, known = asked.name, asked.known
        del self._asked[name]
        took = took_ms(known.check, known.transcript, asked.transcript)
        if (
            took is not None
            and asked.epoch == self._epoch
            and self._evaluator.is_steady(name)
            and self._prober.known(name) is known
        ):
            failpoint("after-look")
            asked.end()
            self._evaluator.seen_again(name, known, asked.transcript, took, asked.began_at)
            self._ended(name, None, is_void=False)
        elif self._tasks is not None:
            self._tasks.create_task(self._look_at(name, asked))

    async def _look_at(self, name: str, asked: Asked | None = None) -> None:
        """Look, or look closely at what one has said that was ``asked`` already."""
        assert self._engine is not None
        self._looking[name] = self._looking.get(name, False)
        epoch = asked.epoch if asked is not None else self._epoch
        began_at = asked.began_at if asked is not None else self._clock.now()
        evaluated: Evaluated | None = None
        try:
            target = self._evaluator.target(name)
            if target is not None and (asked is None or target is asked.known.check.target):
                anew = self._evaluator.is_confirming(name)
                evidence = await self._look(self._engine, target, anew=anew, asked=asked)
                failpoint("after-look")
                self._check_clocks()
                if epoch == self._epoch and self._evaluator.target(name) is target:
                    evaluated = self._evaluator.looked(name, evidence, began_at)
        except Exception:  # noqa: BLE001 - one that can't be judged is no reason to look at nothing any more
            _LOG.exception("what a look at %s saw can't be judged, which is a bug in trueup", name)
        finally:
            if asked is not None:
                asked.end()
            self._ended(name, evaluated, is_void=epoch != self._epoch)

    async def _look(self, engine: Engine, target: Target, *, anew: bool, asked: Asked | None) -> Evidence:
        """One look. Where we fail ourselves, that is no failure of the target: nobody could look."""
        try:
            return await self._prober.look(engine, target, anew=anew, asked=asked)
        except Exception as error:  # noqa: BLE001 - whatever it is, it says nothing of the target
            _LOG.exception("a look at %s failed, which is a bug in trueup", target.name)
            words = f"trueup failed to look, which is a bug in it: {type(error).__name__}"
            seen = Observation(Layer.PORT, Outcome.UNKNOWN, self._clock.now(), Cause.MONITOR_STARVED, words)
            return Evidence(target, (seen,))

    def _ended(self, name: str, evaluated: Evaluated | None, *, is_void: bool) -> None:
        now_s = self._clock.monotonic_s()
        self.looks += 1
        self._schedule.finished(name)
        if name in self._planned:
            self._note_looked(name, now_s)
        if evaluated is not None:
            self._go_on(name, evaluated, now_s)
        if self._looking.pop(name, False) or is_void:
            self.look_soon(name)
        for waiter in self._waiters.pop(name, ()):
            if not waiter.done():
                waiter.set_result(None)
        self._on_look(name)

    def _go_on(self, name: str, evaluated: Evaluated, now_s: float) -> None:
        if evaluated.again_s is not None:
            next_s = self._schedule.next_of(name)
            again_s = now_s + max(AGAIN_AFTER_S, evaluated.again_s)
            if next_s is None or again_s < next_s:
                self._schedule.look_at(name, again_s)
                self._due.set()
        if evaluated.began_to_fail:
            self._look_at_all(self._evaluator.needs.of(name))
        if evaluated.recovered:
            failing = [one for one in self._evaluator.needs.impact(name) if self._evaluator.is_ill(one)]
            self._look_at_all(failing)

    def _look_at_all(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self._planned:
                self.look_soon(name)

    # ---- time ------------------------------------------------------------------------------------------

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._check_clocks()
            now_s = self._clock.monotonic_s()
            late_s, self._schedule.late_s = self._schedule.late_s, []
            self._evaluator.metrics.late(late_s)
            if self.shedding.see(late_s, now_s):
                self._schedule.stretch(self.shedding.shed)
                _LOG.warning("%s", shed_words(self.shedding.shed))
            if now_s - self._stale_s >= STALE_EVERY_S:
                self._stale_s = now_s
                self._find_stale(now_s)
            self._on_tick()

    def _check_clocks(self) -> None:
        """What began before a gap and ended after it says nothing: it's looked at once more."""
        now = moments()
        before, self._ticked = self._ticked, now
        gap = gap_between(before, now, TICK_S) if before is not None else None
        if gap is None:
            return
        self._epoch += 1
        _LOG.warning("%s: what was under way is void, and everything is looked at anew", gap.what)
        self._schedule.spread(self._clock.monotonic_s())
        self._looked_s = OrderedDict.fromkeys(self._looked_s, self._clock.monotonic_s())
        self._on_gap(gap)

    def _note_looked(self, name: str, now_s: float) -> None:
        self._looked_s[name] = now_s
        self._looked_s.move_to_end(name)

    def _find_stale(self, now_s: float) -> None:
        shed = self.shedding.shed
        soonest_s = STALE_INTERVALS * self._shortest_s + STALE_GRACE_S
        waiting = itertools.takewhile(lambda one: now_s - one[1] > soonest_s, self._looked_s.items())
        for name, looked_s in list(waiting):
            planned, waits_s = self._planned[name], now_s - looked_s
            stretch = STRETCH if planned.tier in shed else 1
            allowed_s = STALE_INTERVALS * planned.every_s * stretch + STALE_GRACE_S
            target = self._evaluator.target(name)
            needs_s = (target.timeout_s or 0.0) if target is not None else 0.0  # a journey's may be long
            if waits_s > allowed_s and (name not in self._looking or waits_s > 2 * allowed_s + needs_s):
                self._evaluator.nobody_looked(name, waits_s)
                self._note_looked(name, now_s)  # said once in so long
                self._on_look(name)


def shed_words(tiers: frozenset[int]) -> str:
    """What overload does to the schedule, as a sentence."""
    if not tiers:
        return "all tiers are looked at as planned again"
    named = ", ".join(map(str, sorted(tiers)))
    return f"there is more to look at than can be: tier {named} is looked at half as often"


def moments() -> Moments:
    """Now, on all clocks."""
    return Moments(time.clock_gettime(time.CLOCK_BOOTTIME), time.monotonic(), time.time())
