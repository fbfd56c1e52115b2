"""Performs conversations, thousands at a time, on an epoll of its own inside the asyncio loop.

The loop sees one file descriptor, ours; each wake handles all sockets that are ready, in a round: take what
came, let each conversation go on, then send, close and open what they asked for. A system call takes the
processor's caches for itself. With each kind of work done together, ours is found warm; done in turns, it
takes three times as long (docs/decisions/0003).
"""

import asyncio
import os
import resource
import select
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from operator import attrgetter
from time import monotonic
from typing import Final, Self

from trueup.conversation import Conversation, Dial
from trueup.engine.call import READABLE, Call
from trueup.engine.lag import LagMeter
from trueup.engine.resolve import Place, Resolver
from trueup.engine.talk import Talk
from trueup.engine.transcript import Transcript
from trueup.engine.wire import Wire

IN_FLIGHT_MAX: Final = 2000
FILES_SPARED: Final = 64
"""Files left to everything that isn't a conversation: store, API, resolver."""

LINGER_S: Final = 1.0
EVENTS_MAX: Final = 512
BEGUN_MAX: Final = 256
"""In one round: whoever else is on the loop has a turn in between."""

_INTEREST: Final = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
ALARMS_APART_S: Final = 0.005
"""At least: each looks at all that is under way."""


class Engine:
    """Use as an async context manager, on one loop; leaving it closes every connection.

    ``in_flight_max`` bounds the conversations under way; the others wait their turn, and their time
    counts from when it comes. The process's soft limit of open files is raised to its hard limit and
    bounds it too.
    """

    def __init__(self, in_flight_max: int = IN_FLIGHT_MAX) -> None:
        self._loop = asyncio.get_running_loop()
        self.resolver = Resolver(self._loop)
        self.lag = LagMeter(self._loop, lambda: bool(self._under_way))
        self._epoll = select.epoll()
        self._in_flight_max: int = min(in_flight_max, max(8, _raise_file_limit() - FILES_SPARED))
        self._under_way: set[Talk] = set()
        self._calls: dict[int, Call] = {}
        self._lingering: dict[int, tuple[float, Wire]] = {}
        self._waiting: deque[Talk] = deque()
        self._opening: list[tuple[Call, Place]] = []
        self._saying: list[Call] = []
        self._closing: list[tuple[Wire, bool]] = []
        self._leaving: list[Wire] = []
        self._round_is_due = self._closed = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at_s = inf
        self._loop.add_reader(self._epoll.fileno(), self._on_ready)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for _ in range(20):  # let peers close first where we said goodbye
            if not self._lingering:
                break
            await asyncio.sleep(0.01)
        self.close()

    def close(self) -> None:
        """Give up all conversations and close their connections."""
        self._loop.remove_reader(self._epoll.fileno())
        self._closed = True
        for talk in [*self._under_way, *self._waiting]:
            if not talk.done:  # with one, what it had begun beside ends too
                talk.stop()
        self._waiting.clear()
        self._close_all()
        for _, wire in self._lingering.values():
            wire.close(reset=False)
        self._lingering.clear()
        if self._alarm is not None:
            self._alarm.cancel()
        self.lag.stop()
        self.resolver.close()
        self._epoll.close()

    @property
    def in_flight(self) -> int:
        """Conversations under way."""
        return len(self._under_way)

    async def perform(
        self, dial: Dial, conversation: Conversation, timeout_s: float, *, polite: bool = False
    ) -> Transcript:
        """Perform one conversation to its end. Cancelling it closes the connection."""
        future: asyncio.Future[Transcript] = self._loop.create_future()

        def resolve(transcript: Transcript) -> None:
            if not future.done():
                future.set_result(transcript)

        talk = self.begin(dial, conversation, timeout_s, resolve, polite=polite)
        try:
            return await future
        finally:
            self.abandon(talk)

    def begin(
        self,
        dial: Dial,
        conversation: Conversation,
        timeout_s: float,
        on_end: Callable[[Transcript], None],
        *,
        polite: bool = False,
    ) -> Talk:
        """Begin one conversation; ``on_end`` gets its transcript, once, and must not raise."""
        talk = Talk(self, dial, conversation, timeout_s, on_end, polite=polite)
        self._waiting.append(talk)
        self._settle_soon()
        return talk

    def abandon(self, talk: Talk) -> None:
        """Nobody waits for ``talk`` any more: where it isn't over, end it without calling back."""
        if talk.done:
            return
        if talk in self._waiting:
            self._waiting.remove(talk)
            talk.give_up()
        else:
            talk.give_up()
            self.over(talk)

    # -- what a talk asks of us ----------------------------------------------------------------

    def begin_at_once(self, talk: Talk) -> None:
        """Begin it though there may be no room: one that is under way waits for it."""
        self._under_way.add(talk)
        talk.start(monotonic())
        self.remind(talk.due_s)

    def watch(self, fd: int, talk: Call) -> None:
        """Tell ``talk`` of each change of readiness of ``fd``."""
        self._calls[fd] = talk
        self._epoll.register(fd, _INTEREST)

    def open_soon(self, call: Call, place: Place) -> None:
        """Have ``call.open(place)`` called in this round."""
        self._opening.append((call, place))
        self._settle_soon()

    def say_soon(self, call: Call) -> None:
        """Have ``call.say()`` called in this round."""
        self._saying.append(call)
        self._settle_soon()

    def close_soon(self, wire: Wire, *, reset: bool) -> None:
        """Close ``wire`` in this round, which takes it out of the epoll; nobody listens to it any more."""
        self._calls.pop(wire.fd, None)
        self._closing.append((wire, reset))
        self._settle_soon()

    def remind(self, due_s: float) -> None:
        """A talk's ``due_s`` has become this: it is called then."""
        if due_s < self._alarm_at_s:
            self._set_alarm(due_s)

    def nonce(self, size_bytes: int) -> bytes:
        """Unpredictable bytes."""
        return os.urandom(size_bytes)

    def lag_ms_since(self, began_s: float) -> float:
        """The longest that the loop was late since then."""
        return self.lag.worst_ms_since(began_s)

    def leave_soon(self, wire: Wire) -> None:
        """Goodbye is said: let the peer close first, for a while."""
        self._calls.pop(wire.fd, None)
        self._leaving.append(wire)
        self._settle_soon()

    def over(self, talk: Talk) -> None:
        """``talk`` has ended, and its place is free."""
        self._under_way.discard(talk)
        if self._waiting:
            self._settle_soon()

    # -- rounds --------------------------------------------------------------------------------

    def _on_ready(self) -> None:
        calls = self._calls
        self._round_is_due = True  # its end comes below
        try:
            events = self._epoll.poll(0, EVENTS_MAX)
            for fd, what in events:
                if what & READABLE and fd in calls:
                    calls[fd].hear(what)
            for fd, what in events:
                call = calls.get(fd)
                if call is not None:
                    call.go_on(what)
                elif fd in self._lingering:
                    _, wire = self._lingering[fd]
                    wire.drained = False
                    self._drain(wire)
        finally:
            self._settle()

    def _settle_soon(self) -> None:
        if not self._round_is_due:
            self._round_is_due = True
            self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        """The end of a round: do what its conversations have asked for, kind by kind."""
        if self._closed:
            return
        self._round_is_due = True
        try:
            self._say_all()
            self._close_all()
            self._begin_all()
            opening, self._opening = self._opening, []
            for call, place in opening:
                call.open(place)
            self._say_all()  # what needs no connection has one already
        finally:
            self._round_is_due = False
        if self._closing or self._leaving or self._opening or (self._waiting and self._room):
            self._settle_soon()

    @property
    def _room(self) -> int:
        return self._in_flight_max - len(self._under_way)

    def _say_all(self) -> None:
        saying, self._saying = self._saying, []
        for call in saying:
            call.say()

    def _close_all(self) -> None:
        closing, self._closing = self._closing, []
        for wire, reset in closing:
            wire.close(reset=reset)
        leaving, self._leaving = self._leaving, []
        for wire in leaving:
            ends_s = monotonic() + LINGER_S
            self._lingering[wire.fd] = (ends_s, wire)
            self.remind(ends_s)
            wire.drained = False
            self._drain(wire)

    def _begin_all(self) -> None:
        """Begin those who wait, as far as there's room."""
        waiting, under_way = self._waiting, self._under_way
        if waiting and not under_way:
            self.lag.start()
        now_s = monotonic()
        for _ in range(min(len(waiting), self._room, BEGUN_MAX)):
            talk = waiting.popleft()
            under_way.add(talk)
            talk.start(now_s)
            self.remind(talk.due_s)

    def _drain(self, wire: Wire) -> None:
        """Say what is left, and read what the peer still says, unheard, until it closes."""
        try:
            wire.flush()
            while not wire.drained and wire.received_bytes < LINGER_BYTES_MAX:
                wire.receive()
                wire.buffer.clear()
        except OSError:
            wire.ended = True
        if wire.ended or wire.received_bytes >= LINGER_BYTES_MAX:
            self._part(wire)

    def _part(self, wire: Wire) -> None:
        del self._lingering[wire.fd]
        wire.close(reset=False)

    def _set_alarm(self, due_s: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at_s = due_s
        self._alarm = self._loop.call_later(max(0.0, due_s - monotonic()), self._on_alarm)

    def _on_alarm(self) -> None:
        """Call those whose time has come. Few alarms ring, as few conversations outlast the deadline of an
        earlier one; so there's no queue of deadlines to keep for each.
        """
        now_s = monotonic()
        self._alarm, self._alarm_at_s = None, inf
        self._round_is_due = True  # its end comes below
        try:
            late = [talk for talk in self._under_way if talk.due_s <= now_s]
            for talk in sorted(late, key=attrgetter("due_s")):
                if not talk.done:
                    talk.on_time(now_s)
            for ends_s, wire in list(self._lingering.values()):
                if ends_s <= now_s:
                    self._part(wire)
        finally:
            self._settle()
        nexts = [talk.due_s for talk in self._under_way]
        nexts += [ends_s for ends_s, _ in self._lingering.values()]
        if nexts:
            self.remind(max(min(nexts), now_s + ALARMS_APART_S))


LINGER_BYTES_MAX: Final = 8 * 1_048_576


def _raise_file_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            return int(hard)
    return int(soft)
