"""memcached, in its text protocol; a server that speaks only the binary one is told by that.

``version`` and the no-op of the meta commands in one write. A server at its limit of connections says so
unasked and closes, or with ``no_maxconns_fast`` accepts nobody and is silent. With ``login`` (an
``auth_file``) it logs in; with ``roundtrip: true`` it writes a key of its own that expires, reads it back
and deletes it. With ``tls`` the conversation begins with the handshake.
https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from trueup.conversation import (
    Answer,
    Ask,
    Closed,
    Conversation,
    Frame,
    Garbled,
    Line,
    Mark,
    Nonce,
    Redial,
    StartTls,
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
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.probe import Farewell, Probe, Scheme

ERRORS: Final[dict[bytes, tuple[Cause | None, str]]] = {
    # How a line begins, the longer before the shorter (memcached.c, proto_text.c).
    b"ERROR Too many open connections": (Cause.OVERLOADED, "takes no more clients (its -c)"),
    b"CLIENT_ERROR unauthenticated": (None, "alive, and asks for a login"),
    b"CLIENT_ERROR authentication failure": (Cause.LOGIN_REFUSED, "the login is not accepted"),
    b"SERVER_ERROR out of memory": (Cause.OVERLOADED, "out of memory, and evicts nothing"),
    b"SERVER_ERROR": (Cause.ERROR_ANSWER, "answers with an error"),
    b"CLIENT_ERROR": (Cause.ERROR_ANSWER, "doesn't take our request"),
    b"ERROR": (Cause.ERROR_ANSWER, "doesn't know our request"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        "From here, see curr_connections and bytes: printf 'stats\\r\\nquit\\r\\n' | nc {host} {port}",
    ),
    Cause.SILENT: (
        (
            "It may be at its connection limit with no_maxconns_fast; {there}, compare with its -c: "
            "ss -Htn state established 'sport = :{port}' | wc -l"
        ),
    ),
}
REPLY_BYTES_MAX: Final = 8192
QUESTION: Final = b"version\r\n" + b"mn\r\n" * 4
"""No shorter than a header of the binary protocol: a server that expects one waits for all of it, and then
hangs up at once."""

BINARY_VERSION: Final = b"\x80\x0b" + bytes(22)
"""The request of that name (https://github.com/memcached/memcached/wiki/BinaryProtocolRevamped)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for memcached. ``roundtrip`` writes, reads and deletes a key of its own."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None
    roundtrip: bool = False


def conversation(options: Options) -> Conversation:
    """Ask for the version and a no-op; log in where that's demanded."""
    try:
        if options.tls is not None:
            yield StartTls(options.tls)
        answer = yield from _ask(options)
        if not options.roundtrip or answer.outcome is not Outcome.PASS:
            return answer
        yield Mark(answer)
        return (yield from _round_trip())
    except (Garbled, TooLong) as strange:
        return stranger("memcached", strange.received)


def _ask(options: Options) -> Generator[Step, bytes, Answer]:
    login = login_of(options.address, options.login)
    try:
        said = yield Ask(QUESTION, VERSION)
    except Closed as closed:
        if closed.received:
            raise Garbled(closed.received) from None
        return (yield from _ask_in_binary(options, needs_text=login is not None or options.roundtrip))
    if said.startswith(b"CLIENT_ERROR unauthenticated"):
        if login is None:
            return _no_login(needs_login=options.roundtrip)
        refused = yield from _log_in(login)
        if refused is not None:
            return refused
        said = yield Ask(QUESTION, VERSION)
    if not said.startswith(b"VERSION "):
        return _error_answer(said)
    return ready("answers", version=_version(said.split(b"\r\n")[0][8:]))


def _version_end(received: bytearray) -> int | None:
    """A version and a line for each no-op, which a server before 1.6 makes an error; or an error alone."""
    beginning = bytes(received[:8])
    if not any(word.startswith(beginning) or beginning.startswith(word) for word in BEGINNINGS):
        raise Garbled(bytes(received))
    if not beginning.startswith(b"VERSION "):
        return received.find(b"\n") + 1 or None
    return received.rfind(b"\n") + 1 if received.count(b"\n") >= QUESTION.count(b"\n") else None


BEGINNINGS: Final = (b"VERSION ", b"ERROR", b"CLIENT_E", b"SERVER_E")
VERSION: Final = Frame(_version_end, REPLY_BYTES_MAX)


def _version(said: bytes) -> str:
    return printable(said.strip(), 60)


def _no_login(*, needs_login: bool) -> Answer:
    if needs_login:
        return fails(Cause.LOGIN_REFUSED, "it asks for a login and none is configured", login="demanded")
    return ready("alive, and asks for a login", login="demanded")


def _log_in(login: Login) -> Generator[Step, bytes, Answer | None]:
    """User and password travel as the value of a key that is never stored (protocol.txt, Authentication)."""
    word = f"{login.user or ''} {login.password.reveal()}".encode()
    said = yield Ask(b"set trueup 0 0 %d\r\n%b\r\n" % (len(word), word), Line(), secret=True)
    if said.startswith(b"STORED"):
        return None
    if said.startswith(b"CLIENT_ERROR"):
        return fails(Cause.LOGIN_REFUSED, f"the login is not accepted: {printable(said.strip())}")
    return _error_answer(said)


def _ask_in_binary(options: Options, *, needs_text: bool) -> Generator[Step, bytes, Answer]:
    """A server that speaks binary only, as with SASL, hangs up on text."""
    yield Redial(PROBE.dial(options.address, None))
    if options.tls is not None:
        yield StartTls(options.tls)
    said = yield Ask(BINARY_VERSION, Frame(_binary_end, REPLY_BYTES_MAX))
    if needs_text:
        words = "it speaks the binary protocol only, in which trueup can't log in or write"
        return Answer(Outcome.UNKNOWN, None, words)
    if said[6:8] != b"\0\0":
        return fails(Cause.ERROR_ANSWER, f"answers with status {int.from_bytes(said[6:8], 'big')} in binary")
    return ready("answers, in the binary protocol", version=_version(said[24:]))


def _binary_end(received: bytearray) -> int | None:
    if bytes(received[:2]) not in (b"", b"\x81", b"\x81\x0b"):
        raise Garbled(bytes(received))
    size = 24 + int.from_bytes(received[8:12], "big")
    if len(received) < 24:
        return None
    if size > REPLY_BYTES_MAX:
        raise Garbled(bytes(received))
    return size if len(received) >= size else None


def _round_trip() -> Generator[Step, bytes, Answer]:
    token = (yield Nonce(8)).hex().encode()
    key = b"trueup:probe:" + token
    written = yield Ask(b"set %b 0 60 %d\r\n%b\r\n" % (key, len(token), token), Line())
    if not written.startswith(b"STORED"):
        refused = _error_answer(written)
        cause = refused.cause or Cause.LOGIN_REFUSED
        return fails(cause, f"a write is refused: {refused.detail}", layer=Layer.FUNCTION)
    read = yield Ask(b"get %b\r\n" % key, Frame(_value_end, REPLY_BYTES_MAX))
    yield Ask(b"delete %b\r\n" % key, Line())
    if read != b"VALUE %b 0 %d\r\n%b\r\nEND\r\n" % (key, len(token), token):
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    return ready("wrote, read and deleted a key", layer=Layer.FUNCTION)


def _value_end(received: bytearray) -> int | None:
    """``END`` closes what was found; an error stands alone."""
    if not received.endswith(b"\r\n"):
        return None
    return len(received) if received.endswith(b"END\r\n") or not received.startswith(b"VALUE ") else None


def _error_answer(said: bytes) -> Answer:
    """The table's word for a line. One in the dialect proves who it is."""
    for beginning, (cause, meaning) in ERRORS.items():
        if said.startswith(beginning):
            shown = printable(said.strip())
            return fails(cause or Cause.LOGIN_REFUSED, f"{meaning}: {shown}")
    raise Garbled(said)


def recognise(said: bytes) -> bool:
    """An error of its own; ``ERROR`` alone is what it says to an empty line."""
    return said.startswith(
        (b"ERROR\r\n", b"VERSION ", b"ERROR Too many open", b"CLIENT_ERROR ", b"SERVER_ERROR ")
    )


PROBE = Probe(
    name="memcached",
    title="memcached",
    schemes={"memcached": Scheme(11211)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.RESET,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
