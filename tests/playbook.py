"""A conversation played against a script: what the peer says, turn by turn, without any socket."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
)
from trueup.domain.address import Address, parse_address
from trueup.domain.causes import Cause
from trueup.probes.registry import SCHEMES

NONCE = bytes(range(1, 33))


@dataclass
class Played:
    """What came of it: the answer, or the break that the conversation left to the engine."""

    answer: Answer | None = None
    broke: Break | None = None
    sent: bytes = b""
    said_secretly: bytes = b""
    marks: list[Answer] = field(default_factory=list)
    dials: list[Dial] = field(default_factory=list)
    tls: list[StartTls] = field(default_factory=list)
    beside: list[Beside] = field(default_factory=list)
    hung_up: bool = False

    @property
    def settled(self) -> Answer:
        """The answer, which must be there."""
        assert self.answer is not None, f"the conversation broke: {self.broke!r}"
        return self.answer


def address(text: str) -> Address:
    """A parsed address."""
    return parse_address(text, SCHEMES)


def play(
    conversation: Conversation,
    says: Sequence[bytes | Break],
    *,
    beside: Sequence[bytes | Break] = (),
    chunk: int | None = None,
) -> Played:
    """Play ``conversation`` against a peer that says these things, one whenever it's waited for more.

    A ``Break`` in the script is thrown in with what had come. Past the end of the script the peer is
    silent until the deadline. ``beside`` is what comes of each connection beside the first; past its end
    they are refused. ``chunk`` delivers the bytes in pieces of that size.
    """
    script = _Script(says, chunk)
    others = list(beside)
    played = Played()
    turn: bytes | Break | None = None
    over = False
    while True:
        try:
            step = conversation.throw(turn) if isinstance(turn, Break) else conversation.send(turn)  # type: ignore[arg-type]
        except StopIteration as stop:
            played.answer = stop.value
            return played
        except Break as left:
            played.broke = left
            return played
        over = over or (isinstance(turn, Quiet) and turn.final)
        if over and not isinstance(step, Send | Mark | Nonce):
            return played  # it wanted to go on after the deadline
        if isinstance(step, Beside):
            played.beside.append(step)
            turn = others.pop(0) if others else Astray(Cause.REFUSED, "connection refused")
        else:
            turn = _do(step, script, played)


def _do(step: Step, script: "_Script", played: Played) -> bytes | Break:
    match step:
        case Ask(data, read, secret):
            played.sent += data
            played.said_secretly += data if secret else b""
            return script.read(read, step.within_s)
        case Receive(read, within_s):
            return script.read(read, within_s)
        case Send(data, secret):
            played.sent += data
            played.said_secretly += data if secret else b""
        case Mark(answer):
            played.marks.append(answer)
        case Nonce(size_bytes):
            return NONCE[:size_bytes]
        case StartTls():
            played.tls.append(step)
        case HangUp():
            played.hung_up = True
        case Redial(dial):
            played.dials.append(dial)
            script.hang_up()
    return b""


class _Script:
    def __init__(self, says: Sequence[bytes | Break], chunk: int | None) -> None:
        self._turns: list[bytes | Break] = []
        for said in says:
            if isinstance(said, bytes) and chunk and said:
                self._turns += [said[place : place + chunk] for place in range(0, len(said), chunk)]
            else:
                self._turns.append(said)
        self._buffer = bytearray()
        self._ended: Closed | None = None

    def hang_up(self) -> None:
        self._buffer.clear()
        self._ended = None

    def read(self, read: Read, within_s: float | None) -> bytes | Break:
        while True:
            try:
                size = read.complete(self._buffer, self._ended is not None)
            except Break as garbled:
                return garbled
            if size is not None:
                reply = bytes(self._buffer[:size])
                del self._buffer[:size]
                return reply
            if len(self._buffer) > read.bytes_max:
                return TooLong(bytes(self._buffer))
            if self._ended is not None:
                return Closed(bytes(self._buffer), reset=self._ended.reset)
            turn = self._turns.pop(0) if self._turns else Quiet(final=within_s is None)
            if isinstance(turn, Closed):
                self._ended = turn
            elif isinstance(turn, Break):
                return (
                    type(turn)(bytes(self._buffer))
                    if not isinstance(turn, Quiet)
                    else Quiet(bytes(self._buffer), final=turn.final)
                )
            else:
                self._buffer += turn
