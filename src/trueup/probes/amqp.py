"""AMQP 0-9-1: RabbitMQ.

The protocol header and the server's ``Connection.Start``, which proves who it is. A login is always demanded;
with one, the virtual host of the path (``/`` without a path) and a channel are opened. All of that works
under a memory or disk alarm too, which only a publisher gets to feel: with ``roundtrip: true`` a message goes
through a queue of its own, confirmed and consumed, and an alarm shows as ``overloaded``. With ``queue`` it
asks how much waits in that queue and how many consume it, and changes nothing.
"""

import struct
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Break,
    Closed,
    Conversation,
    Garbled,
    Mark,
    Nonce,
    Quiet,
    Receive,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes import amqpwire as wire
from trueup.probes.credentials import login_of, not_spoken
from trueup.probes.probe import Probe, Scheme
from trueup.probes.queue_expect import QueueExpect, judge_queue, refuse_without_queue

CODES: Final[dict[int, tuple[Cause, str]]] = {
    # Reply codes of Connection.Close and Channel.Close (AMQP 0-9-1, 1.2; RabbitMQ's additions).
    311: (Cause.ERROR_ANSWER, "content too large"),
    312: (Cause.ERROR_ANSWER, "no route to the queue"),
    313: (Cause.ERROR_ANSWER, "no consumers"),
    320: (Cause.STARTING_UP, "closes its connections: shutting down, or told to by an operator"),
    402: (Cause.ERROR_ANSWER, "the virtual host has no valid name"),
    403: (Cause.LOGIN_REFUSED, "the login or what it wants is not permitted"),
    404: (Cause.ERROR_ANSWER, "no such thing there"),
    405: (Cause.ERROR_ANSWER, "locked by another client"),
    406: (Cause.ERROR_ANSWER, "a precondition isn't met"),
    501: (Cause.ERROR_ANSWER, "frame error"),
    502: (Cause.ERROR_ANSWER, "syntax error"),
    503: (Cause.ERROR_ANSWER, "command invalid"),
    504: (Cause.ERROR_ANSWER, "channel error"),
    505: (Cause.ERROR_ANSWER, "unexpected frame"),
    506: (Cause.OVERLOADED, "not enough resources"),
    530: (Cause.ERROR_ANSWER, "not allowed"),
    540: (Cause.ERROR_ANSWER, "not implemented"),
    541: (Cause.ERROR_ANSWER, "internal error"),
}
MESSAGES: Final[dict[bytes, tuple[Cause, str]]] = {
    # Words within the text of 530 and 541, more exact than the code (rabbit_reader.erl). The first counts.
    b"limit": (Cause.OVERLOADED, "takes no more connections"),
    b"not found": (Cause.ERROR_ANSWER, "has no such virtual host"),
    b"refused for user": (Cause.LOGIN_REFUSED, "this user may not use the virtual host"),
    b"is down": (Cause.STARTING_UP, "the virtual host isn't running"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        "See alarms and memory: rabbitmq-diagnostics alarms; rabbitmq-diagnostics memory_breakdown",
    ),
    Cause.DISK_FULL: ("See its limit and free space: rabbitmq-diagnostics status; df -h /var/lib/rabbitmq",),
    Cause.LOGIN_REFUSED: ("See the user's rights: rabbitmqctl list_user_permissions USER",),
    Cause.STARTING_UP: (
        "See how far it is: rabbitmq-diagnostics status; journalctl -u rabbitmq-server -n 20",
    ),
}
CLIENT: Final = {
    "product": "trueup",
    "capabilities": {
        "connection.blocked": True,  # else an alarm is silence
        "authentication_failure_close": True,  # else a refused login is silence
        "publisher_confirms": True,
        "basic.nack": True,
        "consumer_cancel_notify": True,
    },
}
CHANNEL: Final = 1
LOW_ON_DISK: Final = "low on disk"
"""The other reasons to block have memory in them (rabbit_reader.erl, format_blocked_by)."""

FRAMES_MAX: Final = 32
FAREWELL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for RabbitMQ. The virtual host is the address's path.

    ``queue`` is one to look at. ``roundtrip`` publishes to a queue of its own, which goes with the
    connection.
    """

    address: Address
    login: Login | None = None
    queue: str | None = None
    expect: QueueExpect = field(default_factory=QueueExpect)
    roundtrip: bool = False

    def __post_init__(self) -> None:
        """Raises: ValueError where something is expected of no queue."""
        refuse_without_queue(self.queue, self.expect)


class _CloseSaid(Exception):  # noqa: N818 - a turn of the talk, caught within this file
    """The server closes the connection or the channel, and says why."""

    def __init__(self, code: int, text: bytes) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


class _BlockedSaid(Exception):  # noqa: N818 - as above
    """The server reads no more from those who publish, and says why."""

    def __init__(self, reason: bytes) -> None:
        super().__init__(reason)
        self.reason = reason


def conversation(options: Options) -> Conversation:
    """Start, and with a login Tune, Open and a channel."""
    try:
        said = yield from _start()
    except (Garbled, TooLong) as broken:
        return stranger("amqp", broken.received)
    if isinstance(said, Answer):
        return said
    try:
        return (yield from _after_start(options, said))
    except _CloseSaid as close:
        return _closed(close)
    except _BlockedSaid as blocked:
        reason = printable(blocked.reason)
        cause = Cause.DISK_FULL if reason == LOW_ON_DISK else Cause.OVERLOADED
        return fails(cause, f"blocks publishers: {reason}", layer=Layer.FUNCTION, blocked=reason)
    except (Garbled, TooLong) as broken:
        return fails(Cause.ERROR_ANSWER, f"breaks the protocol: '{printable(broken.received, 80)}'")


def _start() -> Generator[Step, bytes, dict[str, Any] | Answer]:
    """What the server says of itself, or the answer where it isn't RabbitMQ's dialect."""
    said = yield Ask(wire.HEADER, wire.GREETING)
    if said.startswith(wire.HEADER[:4]) and said != wire.HEADER:
        detail = f"it speaks AMQP {'.'.join(str(number) for number in said[5:8])}, not 0-9-1"
        return fails(Cause.WRONG_SERVICE, detail, expected="amqp", seen=printable(said))
    frame = wire.parse(said)
    if frame.method != wire.START:
        raise Garbled(said)
    arguments = wire.Arguments(frame.rest)
    arguments.take(2)
    return arguments.table() | {"mechanisms": arguments.long_text().split()}


def _after_start(options: Options, properties: dict[str, Any]) -> Conversation:
    facts: dict[str, Any] = {
        name: _text(properties.get(name)) for name in ("product", "version", "cluster_name")
    }
    login = login_of(options.address, options.login)
    if login is None:
        if options.roundtrip or options.queue is not None:
            return fails(Cause.LOGIN_REFUSED, "it asks for a login and none is configured", login="demanded")
        return ready("alive, and asks for a login", login="demanded", **facts)
    if b"PLAIN" not in properties["mechanisms"]:
        offered = printable(b" ".join(properties["mechanisms"]))
        return not_spoken(offered, "add PLAIN to its auth_mechanisms", **facts)
    yield from _open(options, login, properties)
    answer = ready("opens a channel", **facts)
    if options.queue is not None:
        yield Mark(answer)
        answer = yield from _look_at_queue(options.queue, options.expect)
    if options.roundtrip and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        answer = yield from _round_trip()
    if answer.cause is None:
        yield from _say_goodbye()
    return answer


def _text(value: Any) -> str | None:
    return printable(value) if isinstance(value, bytes) else None


def _open(options: Options, login: Login, properties: dict[str, Any]) -> Generator[Step, bytes, None]:
    """Log in and open the virtual host and a channel."""
    response = f"\0{login.user or 'guest'}\0{login.password.reveal()}".encode()
    start_ok = (
        wire.table(CLIENT) + wire.short_text("PLAIN") + wire.long_text(response) + wire.short_text("en_US")
    )
    try:
        tune = yield from _ask(wire.method(wire.START_OK, start_ok), wire.TUNE, secret=True)
    except Closed:
        capabilities = properties.get("capabilities")
        if isinstance(capabilities, dict) and capabilities.get("authentication_failure_close"):
            raise
        # What AMQP 0-9-1 demands of a server that can't say more (4.9.1).
        raise _CloseSaid(403, b"closed at the login") from None
    offered = wire.Arguments(tune.rest)
    channels, frame_bytes = offered.number(2), offered.number(4)
    agreed = struct.pack("!HIH", channels, min(frame_bytes or wire.FRAME_BYTES_MAX, wire.FRAME_BYTES_MAX), 0)
    host = wire.short_text(options.address.part or "/") + b"\0\0"
    yield from _ask(wire.method(wire.TUNE_OK, agreed) + wire.method(wire.OPEN, host), wire.OPEN_OK)
    yield from _ask(wire.method(wire.CHANNEL_OPEN, b"\0", CHANNEL), wire.CHANNEL_OPEN_OK)


def _ask(data: bytes, *wanted: wire.Method | int, secret: bool = False) -> Generator[Step, bytes, wire.Said]:
    """Send, and read on until one of these methods or kinds of frame comes. Raises: as ``_read``."""
    return (yield from _read(Ask(data, wire.FRAME, secret=secret), *wanted))


def _read(step: Step, *wanted: wire.Method | int) -> Generator[Step, bytes, wire.Said]:
    """The next frame that is one of these.

    Raises:
        _CloseSaid: the server closed instead.
        _BlockedSaid: it's under an alarm.
        Garbled: it says something else all the time.
    """
    for _ in range(FRAMES_MAX):
        said = yield step
        frame = wire.parse(said)
        if (frame.method or frame.kind) in wanted:
            return frame
        if frame.method in (wire.CLOSE, wire.CHANNEL_CLOSE):
            arguments = wire.Arguments(frame.rest)
            raise _CloseSaid(arguments.number(2), arguments.short_text())
        if frame.method == wire.BLOCKED:
            raise _BlockedSaid(wire.Arguments(frame.rest).short_text())
        step = Receive(wire.FRAME)
    raise Garbled(said)


def _closed(close: _CloseSaid, layer: Layer = Layer.SERVICE) -> Answer:
    """The tables' word for it."""
    cause, meaning = CODES.get(close.code, (Cause.ERROR_ANSWER, "closes with an error"))
    for words, row in MESSAGES.items():
        if close.code in (530, 541) and words in close.text:
            cause, meaning = row
            break
    layer = layer if layer in cause.layers else Layer.SERVICE
    detail = f"{meaning}: {close.code} {printable(close.text)}".rstrip()
    return fails(cause, detail, layer=layer, code=close.code)


def _look_at_queue(queue: str, expect: QueueExpect) -> Generator[Step, bytes, Answer]:
    """The function layer's answer. A passive declaration makes nothing, and tells what waits (1.7.2.1)."""
    passive = bytes([0b00001])
    declare = b"\0\0" + wire.short_text(queue) + passive + wire.table({})
    try:
        seen = yield from _ask(wire.method(wire.DECLARE, declare, CHANNEL), wire.DECLARE_OK)
    except _CloseSaid as close:
        return _closed(close, Layer.FUNCTION)
    told = wire.Arguments(seen.rest)
    told.short_text()
    return judge_queue(queue, told.number(4), told.number(4), expect)


def _round_trip() -> Generator[Step, bytes, Answer]:
    """Through a queue that only this connection has, and that goes with it."""
    token = (yield Nonce(8)).hex().encode()
    try:
        return (yield from _there_and_back(token))
    except _CloseSaid as close:
        return _closed(close, Layer.FUNCTION)
    except Quiet:
        words = "what was published never came back"
        return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION)


def _there_and_back(token: bytes) -> Generator[Step, bytes, Answer]:
    queue = wire.short_text(b"trueup.probe." + token)
    exclusive_auto_delete = bytes([0b01100])
    yield from _ask(wire.method(wire.CONFIRM_SELECT, b"\0", CHANNEL), wire.CONFIRM_SELECT_OK)
    declare = b"\0\0" + queue + exclusive_auto_delete + wire.table({})
    yield from _ask(wire.method(wire.DECLARE, declare, CHANNEL), wire.DECLARE_OK)
    mandatory = b"\1"
    publish = wire.method(wire.PUBLISH, b"\0\0" + wire.short_text("") + queue + mandatory, CHANNEL)
    message = publish + wire.content(token, CHANNEL)
    seen = yield from _ask(message, wire.ACK, wire.NACK, wire.RETURN)
    if seen.method != wire.ACK:
        how = "returned" if seen.method == wire.RETURN else "refused"
        return fails(Cause.ERROR_ANSWER, f"the message was {how}", layer=Layer.FUNCTION)
    no_ack = bytes([0b00010])
    consume = b"\0\0" + queue + wire.short_text("") + no_ack + wire.table({})
    yield from _ask(wire.method(wire.CONSUME, consume, CHANNEL), wire.CONSUME_OK)
    came = yield from _read(Receive(wire.FRAME), wire.BODY)
    if came.rest != token:
        return fails(Cause.WRONG_ANSWER, "what was published isn't what came", layer=Layer.FUNCTION)
    return ready("published and consumed a message", layer=Layer.FUNCTION)


def _say_goodbye() -> Generator[Step, bytes, None]:
    """Without it the server writes a warning for each look."""
    close = wire.method(wire.CLOSE, struct.pack("!H", 200) + wire.short_text("goodbye") + bytes(4))
    with suppress(Break):
        yield Ask(close, wire.FRAME, within_s=FAREWELL_S)


def recognise(said: bytes) -> bool:
    """Connection.Start, or the header of the version that it speaks, its answer to anything else."""
    return said.startswith(b"AMQP\x00") or (said[:1] == b"\x01" and said[7:13] == b"\x00\x0a\x00\x0a\x00\x09")


PROBE = Probe(
    name="amqp",
    title="RabbitMQ",
    schemes={"amqp": Scheme(5672), "amqps": Scheme(5671, tls=True)},
    options=Options,
    conversation=conversation,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
