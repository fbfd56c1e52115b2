"""One conversation being performed: a state machine fed by readiness and by time."""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, assert_never

from trueup.conversation import (
    Answer,
    Ask,
    Astray,
    Beside,
    Break,
    Closed,
    Conversation,
    Dial,
    HangUp,
    Mark,
    Nonce,
    Quiet,
    Read,
    Receive,
    Redial,
    Send,
    StartTls,
    Step,
    TooLong,
    Transport,
)
from trueup.domain.states import Outcome
from trueup.engine.call import Call
from trueup.engine.errand import TIME_PART, Errand
from trueup.engine.faults import (
    Fault,
    Stage,
    break_fault,
    deadline_fault,
    endless_fault,
    fault_of,
    starved_fault,
    stopped_fault,
)
from trueup.engine.sockets import retransmits, unacked_bytes
from trueup.engine.transcript import Transcript

if TYPE_CHECKING:
    from trueup.engine.engine import Engine

TOTAL_BYTES_MAX: Final = 4 * 1_048_576
"""What a peer can make us read in one conversation, however its reads are bounded."""

STARVED_MS_MIN: Final = 100.0
STEPS_MAX: Final = 100_000
"""Steps that a conversation may do without waiting for the peer: one that does more has lost its way."""

_TALKING: Final = Stage.TALKING

Turn = bytes | Break | None
"""What a step came to: its bytes, a break to throw in, or None: wait."""


class Talk(Call):
    """Performs one conversation and calls ``on_end`` once with its transcript.

    Owned by the engine, which calls ``start``, ``on_time`` (at ``due_s``), ``give_up`` and ``stop``, and what
    a call has.
    """

    due_s = 0.0
    """When it wants to be called, as the monotonic clock has it: at its deadline, or sooner for a read."""

    _deadline_s = _read_ends_s = 0.0
    _read: Read | None = None
    _again: Ask | None = None
    _beside: "Talk | None" = None
    _begun = False

    def __init__(
        self,
        engine: "Engine",
        dial: Dial,
        conversation: Conversation,
        timeout_s: float,
        on_end: Callable[[Transcript], None],
        *,
        polite: bool = False,
    ) -> None:
        super().__init__(engine, dial, timeout_s, polite=polite)
        self._conversation = conversation
        self._on_end = on_end

    # -- the engine's side ---------------------------------------------------------------------

    def start(self, now_s: float) -> None:
        """Begin: resolve and connect."""
        self._began_s = now_s
        self.due_s = self._deadline_s = now_s + self.timeout_s
        self._dial()

    def on_time(self, now_s: float) -> None:
        """What it waited for hasn't come in time."""
        if now_s >= self._deadline_s:
            self._on_deadline()
            return
        self.due_s = self._deadline_s
        if self._read is None:
            return
        try:
            if self._again is not None:
                again, self._again = self._again, None
                self.due_s = self._read_ends_s
                self._engine.remind(self.due_s)
                self._say(again.data, secret=again.secret)
            else:
                self._drive(self._stop_reading(Quiet(bytes(self.wire.buffer))))
        except Exception as error:  # noqa: BLE001 - as in Call.hear
            self._break_off(error)

    def _on_deadline(self) -> None:
        transcript, lag_ms = self.transcript, self._engine.lag_ms_since(self._began_s)
        transport = transcript.dial.transport
        if self._wire is not None and transport is Transport.TCP:
            transcript.unacked_bytes = unacked_bytes(self._wire.sock)
            transcript.retransmits = retransmits(self._wire.sock)
        if lag_ms > max(STARVED_MS_MIN, self.timeout_s * 100.0):
            self._fail(starved_fault(self._stage, lag_ms))
        elif not (self._stage is _TALKING and self._begun and self._last_word()):
            received = self._wire.received_bytes if self._wire else 0
            self._fail(deadline_fault(self._stage, self.timeout_s, transport, received))

    def give_up(self) -> None:
        """Stop without an answer and without calling back."""
        self.done = True
        self._call_back()
        self._hang_up()
        self._conversation.close()

    def stop(self) -> None:
        """Stop without an answer, and say so."""
        self._fail(stopped_fault(self._stage))

    # -- reading and writing -------------------------------------------------------------------

    def _listen(self) -> None:
        if self._read is not None and (turn := self._pull()) is not None:
            self._drive(turn)

    def _pull(self) -> Turn:
        """Complete the present read from the buffer, then from the socket."""
        wire, read = self._wire, self._read
        assert wire is not None
        assert read is not None
        buffer = wire.buffer
        while True:
            try:
                size = read.complete(buffer, wire.ended and not wire.reset)
            except Break as garbled:
                return self._stop_reading(garbled)
            if size is not None:
                self._read = None
                if size == len(buffer):
                    reply = bytes(buffer)
                    buffer.clear()
                else:
                    reply = bytes(buffer[:size])
                    del buffer[:size]
                return reply
            if len(buffer) > read.bytes_max or wire.received_bytes > TOTAL_BYTES_MAX:
                return self._stop_reading(TooLong(bytes(buffer)))
            if wire.ended:
                return self._stop_reading(Closed(bytes(buffer), reset=wire.reset))
            if wire.drained:
                return None
            self._heard(wire.receive())

    def _heard(self, data: bytes) -> None:
        if data:
            now_s = monotonic()
            if self.transcript.first_byte_ms is None:
                self.transcript.first_byte_ms = (now_s - self._connect_began_s) * 1000
            self.transcript.keep("peer", data, (now_s - self._began_s) * 1000)

    def _stop_reading(self, turn: Break) -> Break:
        self._read = None
        self._again = None
        self.due_s = self._deadline_s
        return turn

    def _say(self, data: bytes, *, secret: bool) -> None:
        self._keep("us", b"***" if secret else data)
        self.transcript.sent_bytes += len(data)
        self.wire.put(data)
        self._engine.say_soon(self)

    # -- the conversation ----------------------------------------------------------------------

    def _talk(self) -> None:
        self._stage = _TALKING
        begun, self._begun = self._begun, True
        self._drive(b"" if begun else None)

    def _drive(self, turn: Turn) -> None:
        """Give the conversation what it asked for and do what it asks for next, until it must wait."""
        conversation = self._conversation
        for _ in range(STEPS_MAX):
            try:
                # A generator begins with None.
                step = conversation.throw(turn) if isinstance(turn, Break) else conversation.send(turn)  # type: ignore[arg-type]
            except StopIteration as stop:
                self._conclude(stop.value)
                return
            except Exception as error:  # noqa: BLE001 - a probe's bug is our own trouble, not the target's
                self._fail(self._fault_of_uncaught(error))
                return
            turn = self._perform(step)
            if turn is None or self.done:
                return
        self._fail(endless_fault(self._stage))

    def _perform(self, step: Step) -> Turn:
        """Do one step."""
        if isinstance(step, Ask):
            self._say(step.data, secret=step.secret)
            return self._await(step.read, step.within_s, step)
        if isinstance(step, Receive):
            return self._await(step.read, step.within_s, None)
        match step:
            case Send():
                self._say(step.data, secret=step.secret)
                return b""
            case Mark(answer):
                self.transcript.marks.append((answer, (monotonic() - self._began_s) * 1000))
                return b""
            case Nonce(size_bytes):
                return self._engine.nonce(size_bytes)
            case StartTls():
                self._begin_tls(step)
            case Redial(dial):
                self._redial(dial)
            case HangUp():
                self.wire.say_no_more()
                return b""
            case Beside():
                self._send_on_errand(step)
            case _:
                assert_never(step)
        return None

    def _await(self, read: Read, within_s: float | None, ask: Ask | None) -> Turn:
        self._read = read
        self._again = None
        self.due_s = self._deadline_s
        if within_s is not None or (ask is not None and ask.again_s is not None):
            self._set_timer(within_s, ask)
        wire = self._wire
        assert wire is not None
        if wire.buffer or wire.ended or not wire.drained:
            return self._pull()
        return None

    def _set_timer(self, within_s: float | None, ask: Ask | None) -> None:
        now_s = monotonic()
        ends_s = self._deadline_s if within_s is None else min(self._deadline_s, now_s + within_s)
        self.due_s = self._read_ends_s = ends_s
        if ask is not None and ask.again_s is not None and now_s + ask.again_s < ends_s:
            self._again = ask
            self.due_s = now_s + ask.again_s
        self._engine.remind(self.due_s)

    def _last_word(self) -> bool:
        """Whether the conversation has an answer to the end of its time. It may still say goodbye."""
        try:
            step = self._conversation.throw(Quiet(bytes(self.wire.buffer), final=True))
            while isinstance(step, (Send, Mark, Nonce)):
                step = self._conversation.send(self._perform(step))  # type: ignore[arg-type]  # these don't wait
        except StopIteration as stop:
            self._conclude(stop.value)
            return True
        except Exception as error:  # noqa: BLE001 - as in _drive
            if isinstance(error, Quiet):
                return False
            self._fail(self._fault_of_uncaught(error))
            return True
        return False  # it wanted to go on, and there's no time

    # -- beside --------------------------------------------------------------------------------

    def _send_on_errand(self, step: Beside) -> None:
        """Begin a talk of its own; we wait for what it brings."""
        errand = Errand(step)
        self.due_s = self._deadline_s
        left_s = max(0.0, self._deadline_s - monotonic()) * TIME_PART
        self._keep("note", f"connecting beside to {step.dial.host}:{step.dial.port}".encode())
        other = self._beside = Talk(
            self._engine,
            step.dial,
            errand.conversation(),
            left_s if step.within_s is None else min(left_s, step.within_s),
            lambda transcript: self._came_back(errand, transcript),
            polite=True,
        )
        if step.secured is not None:
            other._resumed = self.wire.channel
        self._engine.begin_at_once(other)

    def _came_back(self, errand: Errand, transcript: Transcript) -> None:
        self._beside = None
        if self.done:
            return
        for said in transcript.said:
            self._keep(said.who, said.data)
        fault = transcript.fault
        if fault is not None and (fault.outcome is not Outcome.FAIL or fault.cause is None):
            self._fail(fault)  # our own trouble, there as here
            return
        try:
            self._drive(
                errand.heard if fault is None else Astray(fault.cause, fault.detail)  # type: ignore[arg-type]  # it has one
            )
        except Exception as error:  # noqa: BLE001 - as in Call.hear
            self._break_off(error)

    def _call_back(self) -> None:
        """There's nobody left to come back to."""
        other, self._beside = self._beside, None
        if other is not None and not other.done:
            other.give_up()
            self._engine.over(other)

    # -- the end -------------------------------------------------------------------------------

    def _fault_of_uncaught(self, error: Exception) -> Fault:
        if isinstance(error, Break):
            received = self._wire.received_bytes if self._wire else 0
            return break_fault(error, self._stage, self.timeout_s, self.transcript.dial.transport, received)
        return fault_of(error, self._stage, self.transcript.dial.transport)

    def _conclude(self, answer: Answer) -> None:
        self.transcript.answer = answer
        self._finish()

    def _fail(self, fault: Fault) -> None:
        self.transcript.fault = fault
        with suppress(ValueError, RuntimeError):  # one that is just being run can't be closed from within
            self._conversation.close()
        self._finish()

    def _finish(self) -> None:
        self.done = True
        if self._beside is not None:
            self._call_back()
        transcript, wire = self.transcript, self._wire
        transcript.total_ms = (monotonic() - self._began_s) * 1000
        if transcript.total_ms > STARVED_MS_MIN:
            transcript.lag_ms = self._engine.lag_ms_since(self._began_s)
        if wire is not None:
            transcript.received_bytes = wire.received_bytes
            if self._polite and self._begun and not wire.ended:
                self._wire = None
                self._engine.leave_soon(wire)
            else:
                self._hang_up()
        self._engine.over(self)
        self._on_end(transcript)
