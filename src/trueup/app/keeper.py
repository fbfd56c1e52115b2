"""Keeps every change in one transaction, looks in batches, and all in memory while the store is gone."""

import asyncio
import contextlib
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from trueup.domain.alert import Notification
from trueup.domain.incident import Happening, Incident
from trueup.domain.sample import Sample
from trueup.domain.silence import Silence
from trueup.store.failure import Reason, StoreFailed, failing
from trueup.store.history import HistoryStore
from trueup.store.stand_in import Home
from trueup.store.state import Batch, Beat, Kept, StateStore

T = TypeVar("T")
Store = TypeVar("Store", StateStore, HistoryStore)
GATHER_S: Final = 0.2
"""So long changes that wake nobody are gathered."""
READ_WITHIN_S: Final = 7.0
AGAIN_S: Final = 2.0
SAID_AFTER_S: Final = 3.0
"""Another process may hold it for a moment; only what lasts longer is worth an alert."""
SAMPLES_EVERY_S: Final = 5.0
"""Whoever asks for the history has the rest written first; what a crash takes of it is expendable."""
SAMPLES_MAX: Final = 200_000
"""So many looks are kept in memory while the history can't be written; then the oldest go."""
HAPPENINGS_MAX: Final = 50_000
_LOG = logging.getLogger("trueup")


@dataclass(slots=True)
class Unkept:
    """What isn't stored yet, the newest of each thing."""

    kept: dict[str, Kept] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    happenings: list[tuple[int, Happening]] = field(default_factory=list)
    notifications: dict[tuple[str, str], Notification] = field(default_factory=dict)
    silences: dict[int, Silence] = field(default_factory=dict)
    beats: dict[str, Beat] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.kept
            or self.incidents
            or self.happenings
            or self.notifications
            or self.silences
            or self.beats
        )

    def batch(self) -> Batch:
        return Batch(
            tuple(self.kept.values()),
            tuple(self.incidents.values()),
            tuple(self.happenings),
            tuple(self.notifications.values()),
            tuple(self.silences.values()),
            tuple(self.beats.values()),
        )

    def under(self, newer: "Unkept") -> "Unkept":
        """This, and over it what is newer."""
        return Unkept(
            self.kept | newer.kept,
            self.incidents | newer.incidents,
            (self.happenings + newer.happenings)[-HAPPENINGS_MAX:],
            self.notifications | newer.notifications,
            self.silences | newer.silences,
            self.beats | newer.beats,
        )


class Keeper:
    """The one writer of state and history. ``collect`` adds what has changed; it's called on the loop just
    before a write, so that a write has the newest.
    """

    def __init__(
        self, state: StateStore, history: HistoryStore, collect: Callable[[], Iterable[Kept]] = tuple
    ) -> None:
        self._state, self._history = state, history
        self._collect = collect
        self._state_thread = ThreadPoolExecutor(1, thread_name_prefix="state")
        self._history_thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._unkept = Unkept()
        self._samples: list[Sample] = []
        self._news, self._urgent = asyncio.Event(), asyncio.Event()
        self._written: list[asyncio.Future[bool]] = []
        self.state_fails = ""
        """Why the state can't be written, in words; empty while it can."""
        self._failed_s, self._is_said = 0.0, False
        self.history_fails = ""
        self.home: Home | None = None
        """What the stores leave while its disk can't be written; None where they can't."""
        self._carried: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        self.on_failure: Callable[[StoreFailed], None] = lambda _: None
        """Called once when the state can't be stored for a while, and ``on_mended`` when it can again."""
        self.on_mended: Callable[[], None] = lambda: None
        self.mend: Callable[[], bool] | None = None
        """Begins a damaged store anew; then ``on_begun_anew`` is to give it everything that's known."""
        self.on_begun_anew: Callable[[], None] = lambda: None
        self.writes = 0
        """Transactions so far: that it grows shows progress."""

    # ---- giving it something to keep -------------------------------------------------------------------

    def changed(self) -> None:
        """``collect`` has something, which may wait a moment."""
        self._news.set()

    def put(
        self,
        *,
        incidents: Iterable[Incident] = (),
        happenings: Iterable[tuple[int, Happening]] = (),
        notifications: Iterable[Notification] = (),
        silences: Iterable[Silence] = (),
        beats: Iterable[Beat] = (),
    ) -> None:
        """Keep these with the next write, which comes at once."""
        unkept = self._unkept
        unkept.incidents |= {one.id: one for one in incidents}
        unkept.happenings += happenings
        unkept.notifications |= {(one.alert.id, one.channel): one for one in notifications}
        unkept.silences |= {one.id: one for one in silences}
        unkept.beats |= {one.target: one for one in beats}
        self._news.set()
        self._urgent.set()

    def add(self, samples: Iterable[Sample]) -> None:
        """Keep these looks in the history."""
        self._samples += samples

    async def flushed(self, within_s: float = math.inf) -> bool:
        """Wait until everything put so far is stored, or can't be within that time; whether it is."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._written.append(written)
        self._news.set()
        self._urgent.set()
        done, _ = await asyncio.wait([written], timeout=within_s if within_s < math.inf else None)
        return bool(done) and written.result()

    # ---- the loops -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Write until cancelled; then once more."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_state())
                tasks.create_task(self._keep_history())
                tasks.create_task(self._return_home())
        finally:
            await self._last_write()

    async def _keep_state(self) -> None:
        while True:
            await self._news.wait()
            if not self._urgent.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GATHER_S):
                        await self._urgent.wait()
            if not await self._write():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._urgent.wait()  # an alert tries again at once

    async def _write(self) -> bool:
        self._news.clear()
        self._urgent.clear()
        unkept, self._unkept = self._unkept, Unkept()
        written, self._written = self._written, []
        unkept.kept |= {one.target: one for one in self._collect()}
        ok = True
        try:
            if unkept:
                await self.in_state(lambda store: store.record(unkept.batch()))
                self.writes += 1
            if not self.is_away:
                self._mended()
        except StoreFailed as error:
            ok = False
            self._unkept = unkept.under(self._unkept)
            self._news.set()
            await self._failed(error)
            if error.reason is Reason.DAMAGED:
                await self.look_for_damage()
        except asyncio.CancelledError:
            self._unkept = unkept.under(self._unkept)
            raise
        finally:
            for one in written:
                if not one.done():
                    one.set_result(ok)
        return ok

    async def _failed(self, error: StoreFailed) -> None:
        if not self.state_fails:
            _LOG.error("the state can't be stored: %s; watching and alerting go on from memory", error)
            self._failed_s = asyncio.get_running_loop().time()
        self.state_fails = str(error)
        if not self._is_said and asyncio.get_running_loop().time() - self._failed_s >= SAID_AFTER_S:
            self._is_said = True
            await self._leave_home(error)
            self.on_failure(error)

    def _mended(self) -> None:
        if self.state_fails:
            self.state_fails = ""
            _LOG.warning("the state can be stored again")
        if self._is_said:
            self._is_said = False
            self.on_mended()

    @property
    def is_away(self) -> bool:
        """Whether what is stored is in memory, because its own place can't be written."""
        return self.home is not None and self.home.is_left

    async def _leave_home(self, why: StoreFailed) -> None:
        """For memory that a restart finds again; where there's none, it stays in this process's own."""
        home = self.home
        if home is not None and not home.is_left:
            with contextlib.suppress(StoreFailed):
                await self._with_both(lambda: home.leave(why))

    async def _return_home(self) -> None:
        """As soon as it can be; what can't be yet is said as any failure of the store."""
        while (home := self.home) is not None:
            if home.is_left:
                try:
                    await self._with_both(home.go_back)
                except StoreFailed as error:
                    await self._failed(error)
                else:
                    self._samples[:0] = self._carried
                    self._carried.clear()
                    self._is_said = True  # perhaps by an earlier run, whose memory this is
                    self._mended()
            await asyncio.sleep(AGAIN_S)

    async def look_for_damage(self) -> None:
        """Begin a damaged file anew."""
        mend = self.mend
        if mend is None:
            return
        try:
            mended = await self._with_both(mend)
        except StoreFailed as error:
            _LOG.error("the damaged store can't be begun anew: %s", error)
            return
        if mended:
            _LOG.error("the store was damaged and is begun anew; what is in memory is stored again")
            self.on_begun_anew()

    async def _keep_history(self) -> None:
        while True:
            await asyncio.sleep(SAMPLES_EVERY_S)
            await self.write_samples()

    async def write_samples(self) -> None:
        """Store the looks there are; where that can't be, they stay in memory."""
        samples, self._samples = self._samples, []
        if not samples:
            return
        try:
            await self.in_history(lambda store: store.add(samples))
            self.history_fails = ""
            if self.is_away:
                self._carried += samples
        except StoreFailed as error:
            if not self.history_fails:
                _LOG.error("the history can't be stored: %s; it's kept in memory for a while", error)
            self.history_fails = str(error)
            self._samples = (samples + self._samples)[-SAMPLES_MAX:]
            if error.reason is Reason.DAMAGED:
                await self.look_for_damage()
        except Exception as error:  # noqa: BLE001 - whatever it is, the history is expendable
            words = "storing the history failed, which is a bug in trueup; %d looks are lost"
            _LOG.exception(words, len(samples))
            self.history_fails = type(error).__name__

    async def _last_write(self) -> None:
        """What is left at the end, shielded from being cancelled once more."""
        with contextlib.suppress(StoreFailed, asyncio.CancelledError):
            await self._write()
            await self.write_samples()

    # ---- on the stores' own threads --------------------------------------------------------------------

    def in_state(self, do: Callable[[StateStore], T]) -> Awaitable[T]:
        """Do something with the state in its thread.

        Raises:
            StoreFailed: it can't be done.
        """
        return asyncio.get_running_loop().run_in_executor(self._state_thread, _done, do, self._state)

    def in_history(self, do: Callable[[HistoryStore], T]) -> Awaitable[T]:
        """Do something with the history in its thread.

        Raises:
            StoreFailed: it can't be done.
        """
        return asyncio.get_running_loop().run_in_executor(self._history_thread, _done, do, self._history)

    def _with_both(self, do: Callable[[], T]) -> Awaitable[T]:
        """With both threads held: nobody else uses the files meanwhile.

        Raises:
            StoreFailed: it can't be done.
        """
        return self.in_state(lambda _: self._history_thread.submit(do).result())

    @staticmethod
    async def in_time(asked: Awaitable[T]) -> T:
        """What somebody waits for: a store that hangs is to be said, not waited out.

        Raises:
            StoreFailed: there's no answer in time, or it can't be done.
        """
        future = asyncio.ensure_future(asked)
        done, _ = await asyncio.wait([future], timeout=READ_WITHIN_S)
        if not done:
            future.add_done_callback(lambda one: one.cancelled() or one.exception())
            raise StoreFailed(Reason.GONE, f"no answer within {READ_WITHIN_S:g} s")
        return future.result()

    def close(self) -> None:
        """Let go of the threads. The stores are closed by who opened them."""
        self._state_thread.shutdown()
        self._history_thread.shutdown()


def _done(do: Callable[[Store], T], store: Store) -> T:
    """Raises:
    StoreFailed: also for what a file brings that isn't the database's own; watching goes on without it.
    """
    with failing():
        return do(store)
