"""``trueup agent``: reports this machine's own word to a monitor. It never listens, and does nothing
that it's told.
"""

import asyncio
import contextlib
import itertools
import logging
import random
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trueup.app.agent_key import key_file, load_key, store_key
from trueup.app.agent_link import Away, Link, Refused
from trueup.app.clock import SystemClock
from trueup.app.local_looks import LocalLooks
from trueup.app.watching_host import event_sources
from trueup.engine.engine import Engine
from trueup.host.agent_report import AgentReport, ReportWriter
from trueup.host.events import EventKind, HostEvent, HostEvents
from trueup.host.reader import ThisMachine
from trueup.host.report import HostReport
from trueup.host.survey import Interests, Survey

EVERY_S: Final = 15.0
SWARM_S: Final = 0.05
GAP_S: Final = 0.5
"""However much happens, reports are at least so far apart."""
GETTING_TO_KNOW_S: Final = 1.0
"""Between looks while there are listeners that nobody has looked at yet."""
KEEP: Final = timedelta(seconds=60)
WAITING_MAX: Final = 32
WAITING_BYTES_MAX: Final = 8 * 2**20
BACK_OFF_S: Final = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
TROUBLED_MAX: Final = 8
_LOG = logging.getLogger("trueup")


class NotEnrolled(Exception):  # noqa: N818 - it says what the agent is
    """The agent has no key, and its token doesn't get it one."""


class Waiting:
    """Reports that the monitor hasn't taken yet: the newest ones, as far as there's room."""

    def __init__(self) -> None:
        self._bodies: deque[bytes] = deque(maxlen=WAITING_MAX)
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._bodies)

    def put(self, body: bytes) -> None:
        self._bodies.append(body)
        while sum(map(len, self._bodies)) > WAITING_BYTES_MAX and len(self._bodies) > 1:
            self._bodies.popleft()
        self._some.set()

    async def first(self) -> bytes:
        """The oldest; it stays until it's ``done``."""
        while not self._bodies:
            self._some.clear()
            await self._some.wait()
        return self._bodies[0]

    def done(self, body: bytes) -> None:
        """It needn't be kept; it may have been dropped meanwhile."""
        if self._bodies and self._bodies[0] is body:
            self._bodies.popleft()


@dataclass(frozen=True, slots=True)
class Duty:
    """What an agent is to do: report ``host`` to the monitor at ``to``."""

    to: str
    token_file: Path
    host: str
    interests: Interests
    every_s: float = EVERY_S


class Agent:
    """``run`` goes on until it's cancelled."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self._clock = SystemClock()
        self._reader = ThisMachine()
        self._survey = Survey(self._reader, duty.host, self._clock, duty.interests, keep=KEEP)
        self._looks = LocalLooks(self._clock)
        self._link = Link(duty.to, duty.host)
        self._writer = ReportWriter()
        self._waiting = Waiting()
        self._wake = asyncio.Event()
        self._listeners: HostReport | None = None

    async def run(self) -> None:
        """Enrol if need be, then report.

        Raises:
            NotEnrolled: without a key, and the token isn't good for one.
            BadKey: the key's file can't be used.
        """
        try:
            key = await self._key()
            async with (
                Engine(in_flight_max=32) as engine,
                HostEvents(await event_sources(self._reader), self._clock) as events,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(self._send(key))
                tasks.create_task(self._heed(events))
                tasks.create_task(self._look(engine))
                while True:
                    await self._report(events)
                    await self._rest()
        finally:
            self._reader.close()

    # ---- enrolling ----------------------------------------------------------------------------------------

    async def _key(self) -> Ed25519PrivateKey:
        path = key_file(self._duty.token_file)
        key = load_key(path)
        if key is not None:
            return key
        try:
            token = self._duty.token_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it isn't text"
            raise NotEnrolled(f"the token in {self._duty.token_file} can't be read: {why}") from error
        # Stored first, and used again after a crash: a key that was enrolled and lost would cost the token.
        made = path.with_name(f"{path.name}.enrolling")
        key = load_key(made) or Ed25519PrivateKey.generate()
        store_key(made, key)
        for failures in itertools.count():
            try:
                await asyncio.to_thread(self._link.enrol, token, key)
            except Away as error:
                await _back_off(failures, error)
            except Refused as error:
                made.unlink(missing_ok=True)
                raise NotEnrolled(f"{self._duty.to} doesn't enrol {self._duty.host}: {error}") from error
            else:
                break
        made.replace(path)
        _LOG.info("enrolled at %s as %s; the key is in %s", self._duty.to, self._duty.host, path)
        return key

    # ---- reporting ----------------------------------------------------------------------------------------

    async def _report(self, events: HostEvents) -> None:
        report = await self._survey.take()
        events.watch(report)
        self._listeners = report
        report = await self._with_logs(report)
        self._waiting.put(self._writer.gzip(AgentReport(report, self._duty.every_s, self._looks.all())))

    async def _with_logs(self, report: HostReport) -> HostReport:
        """With the logs of what is in trouble: the monitor can't ask for them."""
        units = [
            one.name for one in report.units if one.active_state == "failed" or _is_looping(report, one.name)
        ]
        containers = [
            one.name
            for one in report.containers
            if one.state in ("restarting", "dead")
            or one.health == "unhealthy"
            or (one.state == "exited" and one.exit_code)
        ]
        if not units and not containers:
            return report
        return await self._survey.explain(
            report, units=units[:TROUBLED_MAX], containers=containers[:TROUBLED_MAX]
        )

    async def _rest(self) -> None:
        """Until the next report is due, or something happens."""
        await asyncio.sleep(GAP_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._duty.every_s - GAP_S):
                await self._wake.wait()
                await asyncio.sleep(SWARM_S)
        self._wake.clear()

    async def _heed(self, events: HostEvents) -> None:
        async for event in events:
            self._forget_kept(event)
            self._wake.set()

    def _forget_kept(self, event: HostEvent) -> None:
        if event.unit is not None:
            self._survey.changed(unit=event.unit.unit)
        elif event.kind is EventKind.CONTAINER_CHANGED:
            self._survey.changed(containers=True)
        elif event.kind is EventKind.EVENTS_LOST and self._listeners is not None:
            for unit in self._listeners.units:
                self._survey.changed(unit=unit.name, containers=True)
        elif self._listeners is not None:
            # The end of a process or a listener says that its unit has changed, or is about to.
            for listener in self._listeners.listeners:
                if listener.unit and _is_of(event, listener.owner.pids, listener.socket.cookie):
                    self._survey.changed(unit=listener.unit, containers=True)

    async def _look(self, engine: Engine) -> None:
        while True:
            known = self._listeners is not None and await self._looks.round(engine, self._listeners.listeners)
            await asyncio.sleep(self._duty.every_s if known else GETTING_TO_KNOW_S)

    # ---- sending ------------------------------------------------------------------------------------------

    async def _send(self, key: Ed25519PrivateKey) -> None:
        failures = 0
        while True:
            body = await self._waiting.first()
            try:
                await asyncio.to_thread(self._link.send, key, body)
            except Away as error:
                await _back_off(failures, error)
                failures += 1
            except Refused as error:
                await self._after_refusal(body, error)
            else:
                self._waiting.done(body)
                failures = 0

    async def _after_refusal(self, body: bytes, error: Refused) -> None:
        """A number too low is mended; a key that isn't known may be again; the rest is dropped, and said."""
        if error.sequence is not None and error.sequence >= self._link.sequence:
            self._link.sequence = error.sequence
            return
        _LOG.error("the monitor refuses a report: %s", error)
        if error.status == 401:
            await asyncio.sleep(BACK_OFF_S[-1])
            return
        self._waiting.done(body)
        await asyncio.sleep(GAP_S)


def _is_looping(report: HostReport, unit: str) -> bool:
    counter = report.counter(unit, "restarts")
    return counter is not None and counter.rise > 0


def _is_of(event: HostEvent, pids: tuple[int, ...], cookie: int | None) -> bool:
    if event.process is not None:
        return event.process.pid in pids
    return event.socket is not None and event.socket.cookie == cookie


async def _back_off(failures: int, error: Away) -> None:
    """Longer each time, and not all agents at once."""
    wait_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    wait_s = min(max(wait_s, error.after_s), 300.0)
    log = _LOG.warning if failures == 0 else _LOG.debug
    log("%s; trying again", error)
    await asyncio.sleep(wait_s)
