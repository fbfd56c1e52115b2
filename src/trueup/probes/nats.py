"""NATS.

The server speaks first: ``INFO`` and its state in JSON. ``CONNECT`` and ``PING`` then show that there is room
for one more client, which ``INFO`` alone doesn't. Where a login is demanded and none is configured, the
service is up and says so. With ``roundtrip: true`` it subscribes to a subject of its own and must receive
what it publishes there.

https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Closed,
    Conversation,
    Exactly,
    Garbled,
    Line,
    Mark,
    Nonce,
    Quiet,
    Receive,
    StartTls,
    Step,
    TooLong,
    degraded,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.probe import Probe, Scheme

ERRORS: Final[dict[str, tuple[Cause, str]]] = {
    # How the text of -ERR begins, in lower case (nats-server, client.go and errors.go).
    "maximum connections exceeded": (Cause.OVERLOADED, "takes no more clients (max_connections)"),
    "maximum account active connections": (Cause.OVERLOADED, "takes no more clients of this account"),
    "maximum subscriptions exceeded": (Cause.OVERLOADED, "takes no more subscriptions"),
    "slow consumer": (Cause.OVERLOADED, "drops clients that read too slowly"),
    "authorization violation": (Cause.LOGIN_REFUSED, "the login is not accepted"),
    "authorization timeout": (Cause.LOGIN_REFUSED, "it waited for a login"),
    "authentication timeout": (Cause.LOGIN_REFUSED, "it waited for a login"),
    "user authentication expired": (Cause.LOGIN_REFUSED, "the user's credentials have expired"),
    "user authentication revoked": (Cause.LOGIN_REFUSED, "the user's credentials are revoked"),
    "account authentication expired": (Cause.LOGIN_REFUSED, "the account's credentials have expired"),
    "permissions violation": (Cause.LOGIN_REFUSED, "this user may not use a subject of trueup's own"),
    "secure connection - tls required": (Cause.ERROR_ANSWER, "takes clients over TLS only"),
    "stale connection": (Cause.ERROR_ANSWER, "gave the connection up as stale"),
    "server shutdown": (Cause.STARTING_UP, "shutting down"),
    "attempted to connect to": (Cause.ERROR_ANSWER, "this is a port for servers, not for clients"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        "See who holds the connections, at its monitoring port: curl -s 'http://{host}:8222/connz?sort=idle'",
    ),
    Cause.STARTING_UP: (
        "See whether it is draining, at its monitoring port: curl -s http://{host}:8222/healthz",
    ),
}
INFO_BYTES_MAX: Final = 65_536
LINES_MAX: Final = 32
"""What else a server may say before the answer: INFO, PING, +OK."""

REFUSAL_S: Final = 0.1
"""A refusal comes right behind INFO, in the same breath."""


@dataclass(frozen=True, slots=True)
class Options:
    """``login`` with a password alone is a token. ``roundtrip`` publishes to a subject of its own."""

    address: Address
    login: Login | None = None
    roundtrip: bool = False
    tls: TlsSettings | None = None


def conversation(options: Options) -> Conversation:
    """INFO, CONNECT, PING."""
    try:
        return (yield from _converse(options))
    except (Garbled, TooLong) as broken:
        return stranger("nats", broken.received)


def _converse(options: Options) -> Conversation:
    info = _info((yield from _first_line()))
    login = login_of(options.address, options.login)
    plain = yield from _secure(options, info, login)
    if plain is not None:
        return plain
    facts = _facts(info)
    if info.get("auth_required") and login is None:
        return (yield from _without_login(options, facts))
    refused = yield from _connect(login)
    if refused is not None:
        return refused
    if info.get("ldm"):
        return degraded(Cause.STARTING_UP, "answers, and is shutting down (lame duck mode)", **facts)
    answer = ready("answers PING", **facts)
    if not options.roundtrip:
        return answer
    yield Mark(answer)
    return (yield from _round_trip())


def _first_line() -> Generator[Step, bytes, bytes]:
    try:
        return (yield Receive(Line(INFO_BYTES_MAX)))
    except Closed as closed:
        if closed.received:
            raise Garbled(closed.received) from None
        raise


def _info(line: bytes) -> dict[str, Any]:
    """The server's state. Raises: Garbled."""
    if not line.startswith(b"INFO "):
        raise Garbled(line)
    try:
        info = json.loads(line[5:])
    except (ValueError, RecursionError):
        raise Garbled(line) from None
    if not isinstance(info, dict) or "server_id" not in info:
        raise Garbled(line)
    return info


def _facts(info: dict[str, Any]) -> dict[str, Any]:
    version, jetstream = info.get("version"), info.get("jetstream")
    return {
        "version": printable(version) if isinstance(version, str) else None,
        "jetstream": jetstream if isinstance(jetstream, bool) else None,
    }


def _secure(
    options: Options, info: dict[str, Any], login: Login | None
) -> Generator[Step, bytes, Answer | None]:
    """TLS where the server or the configuration demands it, and before a login where it's offered."""
    offered = info.get("tls_required") or info.get("tls_available")
    if info.get("tls_required") or (offered and (login or options.tls)):
        yield StartTls(options.tls)
    elif options.tls is not None:
        return fails(Cause.TLS_FAILED, "TLS is configured, and it offers none", layer=Layer.TLS)
    return None


def _without_login(options: Options, facts: dict[str, Any]) -> Conversation:
    """Without CONNECT, which it would log as a violation: only whether there's room."""
    try:
        return _error((yield Receive(Line(), within_s=REFUSAL_S)))
    except Quiet:
        pass
    if options.roundtrip:
        return fails(Cause.LOGIN_REFUSED, "it asks for a login and none is configured", login="demanded")
    return ready("alive, and asks for a login", login="demanded", **facts)


def _connect(login: Login | None) -> Generator[Step, bytes, Answer | None]:
    """None once it has answered PING."""
    words: dict[str, Any] = {"verbose": False, "pedantic": False, "name": "trueup", "lang": "python"}
    if login is not None and login.user is None:
        words["auth_token"] = login.password.reveal()
    elif login is not None:
        words |= {"user": login.user, "pass": login.password.reveal()}
    connect = b"CONNECT %b\r\n" % json.dumps(words | {"version": "1", "protocol": 1}).encode()
    try:
        said = yield from _line_like((b"PONG",), Ask(connect + b"PING\r\n", Line(), secret=login is not None))
    except Closed as closed:
        if not closed.received:
            raise
        return _error(closed.received)
    return None if said.startswith(b"PONG") else _error(said)


def _line_like(words: tuple[bytes, ...], step: Step) -> Generator[Step, bytes, bytes]:
    """The next line that begins with one of these, or an error; what is none of our business is passed over.

    Raises:
        Garbled: a line that no NATS server sends.
    """
    for _ in range(LINES_MAX):
        line = yield step
        if line.startswith((*words, b"-ERR")):
            return line
        if not line.startswith((b"INFO ", b"PING", b"PONG", b"+OK")):
            raise Garbled(line)
        step = Receive(Line(INFO_BYTES_MAX))
    raise Garbled(line)


def _error(line: bytes, layer: Layer = Layer.SERVICE) -> Answer:
    """The table's word for an error. Raises: Garbled, where it's none."""
    if not line.startswith(b"-ERR"):
        raise Garbled(line)
    said = printable(line[4:].strip().strip(b"'"))
    for words, (cause, meaning) in ERRORS.items():
        if said.lower().startswith(words):
            return fails(cause, f"{meaning}: {said}", layer=layer, error=said)
    return fails(Cause.ERROR_ANSWER, f"answers with an error: {said}", layer=layer, error=said)


def _round_trip() -> Generator[Step, bytes, Answer]:
    token = (yield Nonce(8)).hex().encode()
    subject = b"trueup.probe." + token
    said = b"SUB %b 1\r\nPUB %b %d\r\n%b\r\n" % (subject, subject, len(token), token)
    try:
        line = yield from _line_like((b"MSG ",), Ask(said, Line()))
        if line.startswith(b"-ERR"):
            return _error(line, Layer.FUNCTION)
        body = yield Receive(Exactly(len(token) + 2))
    except Quiet:
        return fails(Cause.WRONG_ANSWER, "what was published never came back", layer=Layer.FUNCTION)
    if line.split()[1:2] != [subject] or body != token + b"\r\n":
        return fails(Cause.WRONG_ANSWER, "what was published isn't what came", layer=Layer.FUNCTION)
    return ready("received what it published", layer=Layer.FUNCTION)


def recognise(said: bytes) -> bool:
    """INFO and an object, or an error in quotes, as it has for a request in HTTP."""
    return said.startswith((b"INFO {", b"-ERR 'Unknown Protocol", b"-ERR 'Authorization Violation"))


PROBE = Probe(
    name="nats",
    title="NATS",
    schemes={"nats": Scheme(4222)},
    options=Options,
    conversation=conversation,
    recognise=recognise,
    next_steps=NEXT,
)
