"""gRPC: the health service that servers have for this (grpc.health.v1), over HTTP/2.

Without a path it asks for the server as a whole, else for the service named there. A server without a
health service is up: it has answered in gRPC. One that demands a login is up too, and says so.
https://github.com/grpc/grpc/blob/master/doc/health-checking.md and doc/statuscodes.md
"""

import base64
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Closed,
    Conversation,
    Garbled,
    StartTls,
    Step,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.http2 import ERRORS, Reply, Session
from trueup.probes.http_peer import Origin
from trueup.probes.probe import Probe, Scheme

CHECK: Final = "/grpc.health.v1.Health/Check"
ALPN: Final = ("h2", "http/1.1")
"""The second only so that a server without HTTP/2 shows itself, instead of failing the handshake."""

HEALTH: Final[dict[int, tuple[Cause | None, str]]] = {
    # HealthCheckResponse.ServingStatus.
    0: (Cause.ERROR_ANSWER, "UNKNOWN: it doesn't know whether it serves"),
    1: (None, "SERVING"),
    2: (Cause.ERROR_ANSWER, "NOT_SERVING: it says itself that it doesn't serve"),
    3: (Cause.WRONG_ANSWER, "SERVICE_UNKNOWN: it knows no service of that name"),
}
STATUSES: Final[dict[int, tuple[Cause | None, str]]] = {
    1: (Cause.ERROR_ANSWER, "CANCELLED: it gave up the call"),
    2: (Cause.ERROR_ANSWER, "UNKNOWN: the health service itself failed"),
    3: (Cause.ERROR_ANSWER, "INVALID_ARGUMENT: it doesn't like the question"),
    4: (Cause.BAD_UPSTREAM, "DEADLINE_EXCEEDED: what is behind it doesn't answer in time"),
    5: (Cause.WRONG_ANSWER, "NOT_FOUND: it knows no service of that name"),
    7: (None, "PERMISSION_DENIED: it demands a login"),
    8: (Cause.OVERLOADED, "RESOURCE_EXHAUSTED: it has no room now"),
    12: (None, "UNIMPLEMENTED: it has no health service"),
    13: (Cause.ERROR_ANSWER, "INTERNAL: the health service itself failed"),
    14: (Cause.BAD_UPSTREAM, "UNAVAILABLE: what is behind it doesn't serve"),
    16: (None, "UNAUTHENTICATED: it demands a login"),
}
DEMANDS_LOGIN: Final = frozenset({7, 16})
NO_HEALTH_SERVICE: Final = 12
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.ERROR_ANSWER: ("Read the server's log, and ask again by hand: grpc_health_probe -addr={place}",),
    Cause.BAD_UPSTREAM: ("Look at the backend of the gateway, whose log names the one that failed",),
}
_REFUSED_STREAM, _CALM = ERRORS.index("REFUSED_STREAM"), ERRORS.index("ENHANCE_YOUR_CALM")


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for gRPC. A ``login`` with a password alone is sent as Bearer."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None

    @property
    def service(self) -> str:
        """The name of the service in the address; empty for the whole server."""
        return self.address.part.partition("?")[0].strip("/")


def conversation(options: Options) -> Conversation:
    """Ask for the health; with a login, once more with it when gRPC has answered."""
    address, login = options.address, login_of(options.address, options.login)
    session = Session()
    try:
        if address.socket_path is not None and address.scheme == "grpcs":
            yield StartTls(options.tls or TlsSettings(server_name="localhost"), ALPN)
        reply = yield from _ask(session, options, None)
        if login is not None and _is_grpc(reply):
            reply = yield from _ask(session, options, login)
    except Garbled as garbled:
        return stranger(address.scheme, garbled.received)
    except Closed as closed:
        if closed.received[:5] == b"HTTP/":
            return stranger(address.scheme, closed.received)
        raise
    return _judge(reply, options, login=login)


def _ask(session: Session, options: Options, login: Login | None) -> Generator[Step, bytes, Reply]:
    address, secure = options.address, options.address.scheme == "grpcs"
    port = address.port or (443 if secure else 50051)
    headers = [
        (":method", "POST"),
        (":scheme", "https" if secure else "http"),
        (":path", CHECK),
        (":authority", Origin("https" if secure else "http", address.host, port).name),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "trueup"),
    ]
    if login is not None:
        headers.append(("authorization", _authorization(login)))
    name = options.service.encode()
    question = b"\x0a" + _varint(len(name)) + name if name else b""
    body = b"\0" + len(question).to_bytes(4, "big") + question
    return (yield from session.ask(headers, body, secret=login is not None))


def _authorization(login: Login) -> str:
    if login.user is None:
        return f"Bearer {login.password.reveal()}"
    word = f"{login.user}:{login.password.reveal()}".encode()
    return f"Basic {base64.b64encode(word).decode('ascii')}"


def _varint(number: int) -> bytes:
    """As protobuf writes whole numbers: seven bits a byte, the lowest first."""
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


# -- what it means ---------------------------------------------------------------------------------


def _is_grpc(reply: Reply) -> bool:
    return reply.headers.get(b"content-type", b"").startswith(b"application/grpc")


def _judge(reply: Reply, options: Options, *, login: Login | None) -> Answer:
    if (answer := _judge_connection(reply)) is not None:
        return answer
    if not _is_grpc(reply):
        return _judge_http(reply, options)
    status = reply.headers.get(b"grpc-status", b"").strip()
    if not status.isdigit() or len(status) > 3:
        return fails(Cause.ERROR_ANSWER, "it answers in gRPC, and without a status")
    if int(status):
        return _judge_status(int(status), _message_of(reply), options, login=login)
    serving = serving_status(reply.data)
    if serving is None:
        return fails(Cause.ERROR_ANSWER, "its answer is no health check's", seen=printable(reply.data, 60))
    cause, meaning = HEALTH.get(serving, (Cause.ERROR_ANSWER, f"{serving}, which isn't known"))
    whom = f"{printable(options.service)} is " if options.service else ""
    return (
        ready(f"{whom}{meaning}", health=meaning)
        if cause is None
        else fails(cause, f"{whom}{meaning}", health=meaning.partition(":")[0], code=serving)
    )


def _judge_connection(reply: Reply) -> Answer | None:
    """The server gave up the call or the connection before there was a whole reply."""
    if reply.reset is not None and b"grpc-status" not in reply.headers:
        cause = Cause.OVERLOADED if reply.reset in (_REFUSED_STREAM, _CALM) else Cause.ERROR_ANSWER
        return fails(cause, f"it gives up the call: {_name(reply.reset)}", code=_name(reply.reset))
    if reply.goaway is None or b"grpc-status" in reply.headers:
        return None
    said = printable(reply.debug, 120)
    words = f"{_name(reply.goaway)}{': ' + said if said else ''}"
    if reply.goaway == 0:
        return fails(
            Cause.STARTING_UP, f"it is shutting down: it takes no more calls ({words})", code="NO_ERROR"
        )
    cause = Cause.OVERLOADED if reply.goaway == _CALM else Cause.ERROR_ANSWER
    return fails(cause, f"it gives up the connection: {words}", code=_name(reply.goaway))


def _name(code: int) -> str:
    return ERRORS[code] if code < len(ERRORS) else f"error {code}"


def _judge_http(reply: Reply, options: Options) -> Answer:
    """HTTP/2 that isn't gRPC: a gateway without its backend, or another service."""
    shown = printable(reply.headers.get(b":status", b"no status"), 20)
    if shown in ("502", "503", "504"):
        return fails(
            Cause.BAD_UPSTREAM, f"HTTP {shown}: a gateway whose backend doesn't serve", status=int(shown)
        )
    if shown == "429":
        return fails(Cause.OVERLOADED, "HTTP 429: it limits the rate of calls", status=429)
    if shown in ("401", "403"):
        return ready(f"alive: HTTP {shown}: it demands a login", login="demanded", status=int(shown))
    kind = reply.headers.get(b"content-type", b"no type")
    return stranger(options.address.scheme, b"HTTP/2 " + shown.encode() + b", " + kind)


def _judge_status(status: int, message: str, options: Options, *, login: Login | None) -> Answer:
    cause, meaning = STATUSES.get(status, (Cause.ERROR_ANSWER, f"gRPC status {status}"))
    words = meaning + (f" ({message})" if message else "")
    facts: dict[str, Any] = {"grpc_status": status}
    if status in DEMANDS_LOGIN and login is not None:
        return fails(Cause.LOGIN_REFUSED, f"the login isn't accepted: {words}", **facts)
    if status in DEMANDS_LOGIN and options.service:
        return fails(Cause.LOGIN_REFUSED, f"{words}, and none is configured", **facts)
    if status in DEMANDS_LOGIN:
        return ready(f"alive: {words}", login="demanded", **facts)
    if status == NO_HEALTH_SERVICE and options.service:
        return fails(
            Cause.WRONG_ANSWER, f"{words}, so nothing is known of {printable(options.service)}", **facts
        )
    return ready(f"alive: {words}", **facts) if cause is None else fails(cause, words, **facts)


def _message_of(reply: Reply) -> str:
    return printable(reply.headers.get(b"grpc-message", b""), 120)


def serving_status(data: bytes) -> int | None:
    """The status in a HealthCheckResponse as gRPC frames it; None where it is none.

    The field is left out for its first value (protobuf's encoding, implicit presence).
    """
    if len(data) < 5 or data[0] != 0 or len(data) != 5 + int.from_bytes(data[1:5], "big"):
        return None
    message = data[5:]
    if not message:
        return 0
    return message[1] if len(message) >= 2 and message[0] == 0x08 and message[1] < 0x80 else None


def recognise(said: bytes) -> bool:
    """A SETTINGS frame, as nobody but HTTP/2 begins; servers that speak only that are gRPC's."""
    return len(said) >= 9 and said[:2] == b"\0\0" and said[2] % 6 == 0 and said[3:9] == b"\x04\0\0\0\0\0"


PROBE = Probe(
    name="grpc",
    title="gRPC",
    schemes={"grpc": Scheme(50051), "grpcs": Scheme(443, tls=True, alpn=ALPN)},
    options=Options,
    conversation=conversation,
    over_http=True,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
