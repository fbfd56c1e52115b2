"""The monitor itself: looks, evaluates, keeps, tells; and what the web is shown of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from trueup.app.agents_desk import Told
from trueup.app.beats import Beats
from trueup.app.clock import SystemClock
from trueup.app.evaluator import Evaluator
from trueup.app.event_stream import Events
from trueup.app.housekeeping import keep_house
from trueup.app.incident_log import IncidentLog
from trueup.app.keeper import Keeper
from trueup.app.looking import Prober
from trueup.app.lookout import Lookout
from trueup.app.own_health import OwnHealth
from trueup.app.quiet import Quiet
from trueup.app.reports import Reports
from trueup.app.teller import Teller
from trueup.app.uplink import Uplink
from trueup.app.watchdog import Progress, keep_reporting
from trueup.app.watched import Watched
from trueup.app.watching_host import WatchedHost
from trueup.app.workers import Workers
from trueup.config.configuration import Configuration
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.incident import IncidentRecord
from trueup.domain.metric import Family
from trueup.domain.states import State
from trueup.domain.target import Target
from trueup.engine.engine import Engine
from trueup.monitor.jumps import Gap
from trueup.store.failpoint import failpoint
from trueup.store.failure import Reason, StoreFailed
from trueup.store.opening import Stores
from trueup.store.stand_in import Home
from trueup.store.state import HEARTBEATS, Kept, Remembered

ASKED_AGAIN_S: Final = 5.0  # who is asked because of another isn't asked again so soon
FOLLOW_AGAIN_S: Final = 30.0
_STORE_CAUSES: Final = {Reason.FULL: Cause.DISK_FULL, Reason.READ_ONLY: Cause.READ_ONLY}
_LOG = logging.getLogger("trueup")
Document = dict[str, Any]


class Running:
    """The monitor of what is watched. ``watch`` runs until it's cancelled; the rest is called on its loop."""

    def __init__(
        self,
        watched: Watched,
        stores: Stores,
        host: WatchedHost | None = None,
        reports: Reports | None = None,
        *,
        clock: Clock | None = None,
        url: str | None = None,
        data: Path | None = None,
        workers: Workers | None = None,
    ) -> None:
        """``host`` is this machine's own word, ``reports`` those of machines that have an agent; without
        them, targets are seen from outside alone. ``url`` is where people find this monitor. ``data`` is
        the folder of a store that is to be backed up each day.
        """
        self._data, self._workers = data, workers
        self._clock = clock or SystemClock()
        self._host, self._reports = host, reports
        self._evaluator = Evaluator(watched, self._clock, url=url)
        self._keeper = Keeper(stores.state, stores.history, self._collect)
        self._teller = Teller(self._evaluator, self._keeper, self._clock, self)
        configuration = watched.configuration
        self._uplink = Uplink(configuration.uplink if configuration is not None else (), self._clock)
        self._beats = Beats(self._clock, lambda beat: self._keeper.put(beats=[beat]))
        self._prober = Prober(
            watched, self._clock, self._uplink, host, reports, beats=self._beats, workers=workers
        )
        self._lookout = Lookout(
            self._evaluator,
            self._prober,
            self._clock,
            on_look=self._after_a_look,
            on_tick=self._on_tick,
            on_gap=self._on_gap,
        )
        self.events = Events()
        self.health = OwnHealth(self._keeper, self._teller.outbox, self._lookout, self._uplink)
        if data is not None:
            self._keeper.home = Home(stores, data, self._clock.now)
        self._keeper.mend = lambda: stores.mend(self._clock.now())
        self._keeper.on_failure = self._store_failed
        self._keeper.on_mended = self._store_mended
        self._keeper.on_begun_anew = self._keep_all
        self._unkept: set[str] = set()
        self._asked_s: dict[str, float] = {}
        self._said = asyncio.Event()
        self._quiet = Quiet(self._evaluator.muting, self._keeper, self._clock, lambda: self.configuration)
        log = IncidentLog(self._evaluator, self._keeper, self._teller, self._clock, self._incident_touched)
        self.incidents, self.incident = log.incidents, log.incident
        self.acknowledge, self.add_note = log.acknowledge, log.add_note
        self.silences, self.maintenance = self._quiet.silences, self._quiet.maintenance
        self.add_silence, self.end_silence = self._quiet.add_silence, self._quiet.end_silence

    # ---- running ---------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Look at what is due, judge, keep and tell, until cancelled; then store what is left.

        Raises:
            StoreFailed: what the last run left can't be read.
        """
        key = await self._keeper.in_state(lambda store: store.secret(HEARTBEATS))
        self._recall(await self._keeper.in_state(lambda store: store.load()), key)
        keeping = asyncio.create_task(self._keeper.run())
        try:
            async with Engine() as engine, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._teller.outbox.run())
                tasks.create_task(self._tell_on())
                tasks.create_task(
                    keep_house(self._keeper, self._clock, lambda: self.configuration, self._data)
                )
                if self._workers is not None:
                    tasks.create_task(self._workers.run())
                tasks.create_task(keep_reporting(self._progress, lambda: self.configuration))
                if self._host is not None:
                    tasks.create_task(self._follow(self._host))
                self._lookout.plan(self._evaluator.watched)
                await self._lookout.run(engine)
        finally:
            self._write()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            self._keeper.close()

    def _progress(self) -> Progress:
        is_idle = not any(map(self._evaluator.watched.is_looked_at, self.targets))
        return Progress(
            looks=self._lookout.looks,
            is_idle=is_idle,
            stores=not self._keeper.state_fails,
            tells=self._teller.outbox.is_turning(),
        )

    def _recall(self, remembered: Remembered, key: str) -> None:
        self._evaluator.recall(remembered)
        if not self._keeper.is_away:
            self._evaluator.own_recovery("well again: it was started anew, and its state can be read")
        self._teller.recall(remembered)
        self._quiet.recall(remembered.silences)
        self._beats.plan(self._evaluator.watched.heartbeats)
        self._beats.recall(key.encode(), remembered.beats.values())
        self._write()

    async def _follow(self, host: WatchedHost) -> None:
        """Hear this machine's events; without them it's looked at by the schedule alone."""
        while True:
            try:
                await host.follow(self._lookout.look_soon)
            except Exception as error:  # noqa: BLE001 - whatever ends it, the monitor goes on without
                _LOG.exception("this machine's events can't be followed: %s", type(error).__name__)
            await asyncio.sleep(FOLLOW_AGAIN_S)

    def replace(self, watched: Watched) -> None:
        """Watch something else from now on: all of it, at once. What didn't change goes on as it was."""
        before = {target.name for target in self.targets}
        changed = self._evaluator.replace(watched)
        failpoint("in-reload")
        self._prober.watch(watched)
        for name in before - {target.name for target in watched.targets}:
            self._prober.forget(name)
        if self._host is not None:
            self._host.watch(watched.targets)
        self._uplink.plan(watched.configuration.uplink if watched.configuration is not None else ())
        self._beats.plan(watched.heartbeats)
        self._teller.reload()
        if self._workers is not None:
            self._workers.reload()
        self._lookout.plan(watched)
        for target in watched.targets:
            if target.name in changed and watched.is_looked_at(target):
                self._lookout.look_soon(target.name)
        self._write()
        self.events.publish({"type": "configuration", "targets": len(watched.targets)})

    def complain(self, why: str) -> None:
        """Why a reload changed nothing, for whoever asks how trueup is; empty when the newest holds."""
        self.health.configuration = why

    def heard(self, told: Told) -> None:
        """An agent reports: what fails on its machine is judged by it, and what has changed looked at."""
        if self._reports is None or not self._reports.take(told):
            return
        for target in self.targets:
            seen = self._prober.seen(target.name) if target.host == told.host else None
            if seen is None:
                continue
            if self._reports.has_news_of(target):
                self._lookout.look_soon(target.name)
            elif self._evaluator.is_ill(target.name):
                self._evaluator.heard(target.name, self._reports.evidence(target, seen))
                self._after_a_look(target.name)

    # ---- what follows from a look ----------------------------------------------------------------------

    def _after_a_look(self, name: str) -> None:
        if self._evaluator.has_news:
            self._write()

    def _on_tick(self) -> None:
        for name in self._beats.come_due():
            self._lookout.look_soon(name)
        self._evaluator.book.tick(self._clock.now())
        self._write()
        self._keeper.add(self._evaluator.samples())
        if self.events.is_heard and (news := self.health.news()) is not None:
            self.events.publish({"type": "health", **news})

    def _on_gap(self, gap: Gap) -> None:
        self._beats.excuse_all()
        self._evaluator.void_what_is_soft(gap.what)
        self._teller.outbox.look_at_clock()

    def _write(self) -> None:
        """Keep what has changed, say what is to be said, and show both."""
        changed, entries = self._evaluator.taken()
        if changed:
            self._unkept |= changed
            self._keeper.changed()
            self._show(changed)
        if entries:
            self._teller.write(entries)
            self._said.set()
            self._ask(entries.ask)

    def _ask(self, names: Iterable[str]) -> None:
        now_s = self._clock.monotonic_s()
        for name in names:
            if now_s - self._asked_s.get(name, float("-inf")) >= ASKED_AGAIN_S:
                self._asked_s[name] = now_s
                self._lookout.look_soon(name)

    def _show(self, names: Iterable[str]) -> None:
        if not self.events.is_heard:
            return
        for name in names:
            target = self._evaluator.target(name)
            if target is not None:
                self.events.publish({"type": "target", **self.document(target)})

    def incident_changed(self, record: IncidentRecord) -> None:
        """Show an incident to who follows it."""
        if self.events.is_heard:
            self.events.publish({"type": "incident", **record.document()})

    def _incident_touched(self, number: int) -> None:
        """Somebody has said something of it."""
        case = self._evaluator.book.find(number)
        if case is not None:
            self._unkept.add(case.incident.target)
            self._show([case.incident.target])
        self._write()

    async def _tell_on(self) -> None:
        while True:
            await self._said.wait()
            self._said.clear()
            await self._teller.send()

    def _collect(self) -> list[Kept]:
        unkept, self._unkept = self._unkept, set()
        return [self._evaluator.kept(name) for name in unkept if self._evaluator.target(name) is not None]

    # ---- the store -------------------------------------------------------------------------------------

    def _store_failed(self, error: StoreFailed) -> None:
        words = f"trueup can't store its state: {error}. It watches and alerts on from memory"
        cause = _STORE_CAUSES.get(error.reason, Cause.ERROR_ANSWER)
        forgets = "a reboot" if self._keeper.is_away else "a restart"
        step = f"Make room on its disk, or make it writable; {forgets} before that forgets what's in memory"
        self._evaluator.own_trouble(words, cause, (step,))
        self._write()

    def _store_mended(self) -> None:
        self._evaluator.own_recovery("well again: it can store its state")
        self._write()

    def _keep_all(self) -> None:
        self._evaluator.keep_all()
        self._teller.keep_all()
        self._keeper.put(silences=self._evaluator.muting.silences, beats=self._beats.known())
        self._write()

    # ---- what is shown: targets ------------------------------------------------------------------------

    @property
    def targets(self) -> tuple[Target, ...]:
        return self._evaluator.watched.targets

    @property
    def configuration(self) -> Configuration | None:
        return self._evaluator.watched.configuration

    def documents(self) -> list[Document]:
        """Every target as the contract's element, in the order of the configuration."""
        return self._evaluator.documents()

    def document(self, target: Target) -> Document:
        """One target as the contract's element, with what a running monitor adds."""
        return self._evaluator.document(target)

    def explained(self, target: Target) -> Document:
        """The same, and why: the evidence in order of time, the rules, the log, and what's missing."""
        return self._evaluator.explained(target)

    def hard_state(self, name: str) -> State:
        """The last confirmed state; unknown for what was never seen, or is no target."""
        return self._evaluator.hard_state(name)

    def look_soon(self, name: str) -> None:
        """Something happened to this target."""
        self._lookout.look_soon(name)

    async def look_at(self, name: str) -> Document:
        """Look at a target now; its new document. What can't be looked at answers as it is.

        Raises:
            KeyError: there's no such target.
        """
        target = self._known(name)
        if self._evaluator.watched.is_looked_at(target):
            await self._lookout.look_now(name)
        return self.document(self._known(name))

    def screenshot(self, name: str) -> bytes | None:
        """What a browser showed where a journey failed."""
        return self._evaluator.watched.screenshots.get(name)

    async def history(self, name: str, since: datetime, until: datetime, step_s: int) -> Document:
        """The contract's document, with the counts of each point.

        Raises:
            KeyError: there's no such target.
        """
        self._known(name)
        self._keeper.add(self._evaluator.samples())
        keeper = self._keeper
        await keeper.in_time(keeper.write_samples())
        points = await keeper.in_time(
            keeper.in_history(lambda store: store.points(name, since, until, step_s))
        )
        return {"target": name, "step_s": step_s, "points": [one.document() for one in points]}

    def _known(self, name: str) -> Target:
        target = self._evaluator.target(name)
        if target is None:
            raise KeyError(name)
        return target

    # ---- what is shown: jobs, events, itself -----------------------------------------------------------

    async def beat(self, token: str, kind: str, body: str) -> bool:
        """A job reports: ``start``, ``success``, ``fail`` or an exit status. Whether the token is any job's.

        It's stored when this returns, or can't be.
        """
        names = self._beats.beat(token, kind, body)
        if not names:
            return False
        for name in names:
            target = self._evaluator.target(name)
            if target is not None and self._evaluator.watched.is_looked_at(target):
                self._lookout.look_soon(name)
        await self._keeper.flushed()
        return True

    def heartbeat_path(self, name: str) -> str | None:
        """Where a job reports to, for those who may change something: the path is its right to report.

        None where nothing is waited for.
        """
        return self._beats.address(name)

    def subscribe(self) -> AsyncIterator[Document]:
        """Each change from now on."""
        return self.events.subscribe()

    def own_health(self) -> Document:
        """Of trueup itself: ``state``, and ``problems`` as sentences."""
        return self.health.document()

    def metrics(self) -> Iterable[Family]:
        """In the order in which they are shown."""
        evaluator = self._evaluator
        own: Mapping[str, tuple[str, float]] = self.health.numbers()
        return evaluator.metrics.families(evaluator.targets_now(), len(evaluator.book.cases()), own)
