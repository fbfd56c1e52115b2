"""WebSocket: the upgrade, then a ping that must come back.

The upgrade shows that no proxy in between strips it, the ping that the application behind is alive. With
``send`` and ``expect`` a message is sent, and one that contains the expected text awaited.
https://www.rfc-editor.org/rfc/rfc6455
"""

import base64
import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from trueup.conversation import (
    Answer,
    Conversation,
    Garbled,
    Mark,
    Nonce,
    Quiet,
    Receive,
    Send,
    Step,
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
from trueup.probes.http_message import Response, target_of
from trueup.probes.http_page import wants_tls
from trueup.probes.http_peer import ALPN, Peer, basic, origin_of
from trueup.probes.http_request import harmless, hold_secrets, require_headers
from trueup.probes.http_status import judge_status, login_demanded, product
from trueup.probes.probe import Farewell, Probe, Scheme
from trueup.probes.websocket_frame import CLOSE, PING, PONG, TEXT, Message, a_frame, frame, parse

NO_UPGRADE: Final[dict[int, str]] = {
    # What is answered instead of 101, and what it means here.
    200: "it answers as to a page: a proxy in between strips the upgrade, or it is another page",
    400: "it refuses the upgrade: a proxy in between may strip its headers",
    404: "there is no such page: another site or another application may answer here",
    405: "it takes no upgrade here: a proxy in between may strip its headers",
    426: "it wants the upgrade that we asked for: a proxy in between strips it",
    505: "it isn't asked in HTTP/1.1: a proxy in between speaks HTTP/1.0 to it, and strips the upgrade",
}
CLOSE_CODES: Final[dict[int, tuple[Cause, str]]] = {
    # RFC 6455, 7.4.1 and IANA's registry of WebSocket close codes.
    1000: (Cause.CLOSES, "it closes at once, without a reason"),
    1001: (Cause.STARTING_UP, "it is going away: shutting down"),
    1002: (Cause.ERROR_ANSWER, "it takes offence at the protocol"),
    1003: (Cause.ERROR_ANSWER, "it takes no such messages"),
    1008: (Cause.ERROR_ANSWER, "it closes for its policy: often a login or an origin is missing"),
    1009: (Cause.ERROR_ANSWER, "the message is too big for it"),
    1011: (Cause.ERROR_ANSWER, "the application failed"),
    1012: (Cause.STARTING_UP, "it is restarting"),
    1013: (Cause.OVERLOADED, "it has no room now: try again later"),
    1014: (Cause.BAD_UPSTREAM, "a gateway whose backend fails"),
    3000: (Cause.LOGIN_REFUSED, "it wants a login"),
    3003: (Cause.LOGIN_REFUSED, "this user may not"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.WRONG_ANSWER: (
        "Let nginx pass it on, by proxy_http_version 1.1 and the headers Upgrade and Connection",
    ),
}
FRAMES_MAX: Final = 200
"""How many other messages may come before the one that is awaited."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Saying:
    """``headers`` go with the upgrade, ``text`` is a message to send after it, which must be answered."""

    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: a header that can't be sent."""
        require_headers(self.headers)


@dataclass(frozen=True, slots=True)
class Expect:
    """``contains``: text that a message has."""

    contains: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for a WebSocket."""

    address: Address
    login: Login | None = None
    send: Saying = field(default_factory=Saying)
    expect: Expect = field(default_factory=Expect)
    tls: TlsSettings | None = None

    @property
    def exchanges(self) -> bool:
        """Whether more is wanted than the upgrade and a ping."""
        return self.send.text is not None or self.expect.contains is not None


def conversation(options: Options) -> Conversation:
    """Upgrade, ping, exchange what is configured, and say goodbye."""
    address = options.address
    peer = Peer(origin_of(address, tls=address.scheme == "wss"), options.tls)
    try:
        if address.socket_path is not None and address.scheme == "wss":
            yield from peer.secure()
        key = base64.b64encode((yield Nonce(16)))
        response = yield from _upgrade(peer, options, key)
    except Garbled as garbled:
        return stranger(address.scheme, garbled.received)
    if (answer := _judge_upgrade(response, options, key)) is not None:
        return answer
    try:
        return (yield from _talk(options, response))
    except Garbled as garbled:
        said = printable(garbled.received, 60)
        return fails(Cause.ERROR_ANSWER, f"it upgrades, and then says what is no WebSocket frame: {said!r}")


# -- the upgrade -----------------------------------------------------------------------------------


def _upgrade(peer: Peer, options: Options, key: bytes) -> Generator[Step, bytes, Response]:
    """Ask for the upgrade; with secrets, only after it has answered a request without them."""
    target, given = target_of(options.address.path), options.send.headers
    login = login_of(options.address, options.login)
    secret = login is not None or hold_secrets(given)
    if secret:
        first = yield from peer.ask("GET", target, harmless(given), keep=True)
        if first.broken is not None:
            return first
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key.decode("ascii"),
        "Sec-WebSocket-Version": "13",
        **(basic(login) if login is not None else {}),
        **given,
    }
    return (yield from peer.ask("GET", target, headers, secret=secret))


def _judge_upgrade(response: Response, options: Options, key: bytes) -> Answer | None:
    """Why there is no WebSocket; None when there is."""
    status = response.status
    if response.broken is not None:
        return judge_status(response)
    if status == 101:
        return _judge_switch(response, key)
    if wants_tls(response):
        words = f"it wants TLS here ({response.line}): wss"
        return fails(Cause.WRONG_SERVICE, words, expected=options.address.scheme, found="wss", status=status)
    if status in (401, 403):
        return _refused(response, options)
    if status < 400 or status in NO_UPGRADE:
        leads = response.header(b"location")
        meaning = f"it leads to {leads}" if leads else NO_UPGRADE.get(status, NO_UPGRADE[200])
        words = f"{response.line} instead of an upgrade: {meaning}"
        return fails(Cause.WRONG_ANSWER, words, status=status, **product(response))
    return judge_status(response)


def _judge_switch(response: Response, key: bytes) -> Answer | None:
    # SHA-1 proves only that the handshake was read, not who read it (RFC 6455, 1.3).
    proof = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    upgrade = response.headers.get(b"upgrade", b"").lower()
    if upgrade != b"websocket" or response.headers.get(b"sec-websocket-accept", b"").strip() != proof:
        words = f"{response.line}, but not to our WebSocket: its proof of the handshake is wrong"
        return fails(Cause.WRONG_ANSWER, words, status=101, **product(response))
    return None


def _refused(response: Response, options: Options) -> Answer:
    login = login_of(options.address, options.login)
    if login is None and not hold_secrets(options.send.headers) and not options.exchanges:
        return login_demanded(response)
    if login is None and not hold_secrets(options.send.headers):
        words = "it asks for a login, and none is configured"
    else:
        words = "the login isn't accepted" if response.status == 401 else "this user, or this origin, may not"
    return fails(
        Cause.LOGIN_REFUSED,
        f"{response.line}: {words}",
        status=response.status,
        login="demanded",
        **product(response),
    )


# -- after the upgrade -----------------------------------------------------------------------------


def _talk(options: Options, response: Response) -> Generator[Step, bytes, Answer]:
    answer = yield from _ping(response)
    if answer.cause is None and options.exchanges:
        yield Mark(answer)
        answer = yield from _exchange(options)
    if answer.cause is None:
        yield Send(frame(CLOSE, (1000).to_bytes(2, "big"), (yield Nonce(4))))
    return answer


def _ping(response: Response) -> Generator[Step, bytes, Answer]:
    nonce = yield Nonce(12)
    payload = nonce[:8]
    yield Send(frame(PING, payload, nonce[8:]))
    try:
        for _ in range(FRAMES_MAX):
            said = yield from _hear()
            if isinstance(said, Answer):
                return said
            if said.opcode == PONG and said.payload == payload:
                protocol = response.header(b"sec-websocket-protocol") or None
                return ready("upgrades, and answers a ping", subprotocol=protocol, **product(response))
    except Quiet:
        return fails(Cause.SILENT, "it upgrades, and answers no ping", **product(response))
    return fails(
        Cause.ERROR_ANSWER, f"it sends {FRAMES_MAX} messages and answers no ping", **product(response)
    )


def _exchange(options: Options) -> Generator[Step, bytes, Answer]:
    if options.send.text is not None:
        yield Send(frame(TEXT, options.send.text.encode(), (yield Nonce(4))))
    wanted = (options.expect.contains or "").encode()
    message = b""
    try:
        for _ in range(FRAMES_MAX):
            said = yield from _hear()
            if isinstance(said, Answer):
                return Answer(said.outcome, said.cause, said.detail, said.facts, Layer.FUNCTION)
            if said.opcode >= CLOSE:
                continue
            message = (message if said.opcode == 0 else b"") + said.payload
            if wanted in message:
                return ready("a message came as expected", layer=Layer.FUNCTION)
    except Quiet:
        pass
    words = f"no message contains {options.expect.contains!r}" if wanted else "no message came"
    if message:
        words += f"; the last is {printable(message, 80)!r}"
    return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION)


def _hear() -> Generator[Step, bytes, Message | Answer]:
    """The next frame; its pings are answered, and its goodbye is an answer."""
    said = parse((yield Receive(a_frame())))
    if said.opcode == PING:
        yield Send(frame(PONG, said.payload, (yield Nonce(4))))
    return _closed(said.payload) if said.opcode == CLOSE else said


def _closed(payload: bytes) -> Answer:
    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1000
    cause, meaning = CLOSE_CODES.get(code, (Cause.ERROR_ANSWER, "it closes for a reason of its own"))
    reason = printable(payload[2:], 120)
    return fails(cause, f"{meaning} ({code}{': ' + reason if reason else ''})", code=code)


def recognise(said: bytes) -> bool:
    """How it upgrades, or what it says to a request without an upgrade (RFC 9110, 15.5.22)."""
    if not said.startswith(b"HTTP/1.") or said[9:12] not in (b"101", b"400", b"426", b"505"):
        return False
    words = said[:1024].lower()
    return b"websocket" in words or (said[9:12] == b"426" and b"\nupgrade:" not in words)


PROBE = Probe(
    name="ws",
    title="WebSocket",
    schemes={"ws": Scheme(80), "wss": Scheme(443, tls=True, alpn=ALPN)},
    options=Options,
    conversation=conversation,
    over_http=True,
    farewell=Farewell.POLITE,
    recognise=recognise,
    next_steps=NEXT,
)
