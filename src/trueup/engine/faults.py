"""The one place where an exception becomes a value.

Every ``OSError``, ``ssl`` and resolver error that performing a conversation can raise has a row here,
or falls into the row of what we don't know, which is ``unknown``: never a failure of the target.
"""

import errno
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from trueup.conversation import SEEN_CHARS_MAX, Break, Closed, Quiet, Transport
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome


class Stage(StrEnum):
    """How far a conversation had come."""

    RESOLVING = "resolving"
    CONNECTING = "connecting"
    HANDSHAKING = "handshaking"
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class Fault:
    """A conversation that came to no answer: the layer, what it means, and the words for it."""

    stage: Stage
    layer: Layer
    outcome: Outcome
    cause: Cause | None
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)


_REFUSED: Final = (Layer.PORT, Outcome.FAIL, Cause.REFUSED)
_NO_ANSWER: Final = (Layer.PORT, Outcome.FAIL, Cause.NO_ANSWER)
_UNREACHABLE: Final = (Layer.PORT, Outcome.FAIL, Cause.UNREACHABLE)
_CLOSES: Final = (Layer.SERVICE, Outcome.FAIL, Cause.CLOSES)
_STARVED: Final = (Layer.PORT, Outcome.UNKNOWN, Cause.MONITOR_STARVED)
_OFFLINE: Final = (Layer.PORT, Outcome.UNKNOWN, Cause.MONITOR_OFFLINE)
_UNKNOWN: Final = (Layer.PORT, Outcome.UNKNOWN, None)

_Row = tuple[Layer, Outcome, Cause | None]

OS_ERRORS: Final[dict[int, tuple[_Row, str]]] = {
    errno.ECONNREFUSED: (_REFUSED, "connection refused"),
    errno.ETIMEDOUT: (_NO_ANSWER, "the connection attempt met silence"),
    errno.EHOSTDOWN: (_NO_ANSWER, "the host is down"),
    errno.EHOSTUNREACH: (_UNREACHABLE, "no route to the host, or a firewall says so"),
    errno.ENETUNREACH: (_UNREACHABLE, "the network is unreachable"),
    errno.ENETDOWN: (_UNREACHABLE, "the network is down"),
    errno.ENONET: (_UNREACHABLE, "this machine has no network"),
    errno.EACCES: (_UNREACHABLE, "a prohibit route or a firewall forbids the way"),  # ip-route(8); ICMPv6 1.1
    errno.EPERM: (_UNREACHABLE, "a firewall on this machine forbids the way"),  # connect(2)
    errno.EINVAL: (_UNREACHABLE, "a blackhole route swallows the way"),  # ip-route(8), type blackhole
    errno.EPROTO: (_UNREACHABLE, "the network reports a protocol error"),  # tcp(7), ICMP parameter problem
    errno.ENOPROTOOPT: (_REFUSED, "the host doesn't know the protocol"),  # ICMP protocol unreachable
    errno.EMSGSIZE: (_UNREACHABLE, "the path takes no packet of this size"),  # ICMP fragmentation needed
    errno.EOPNOTSUPP: (_UNREACHABLE, "the network reports the way as unsupported"),
    errno.ECONNRESET: (_CLOSES, "connection reset"),
    errno.EPIPE: (_CLOSES, "connection closed while we were sending"),
    errno.ECONNABORTED: (_CLOSES, "connection aborted"),
    errno.ESHUTDOWN: (_CLOSES, "connection shut down"),
    errno.ENOTCONN: (_CLOSES, "connection closed"),
    errno.EADDRNOTAVAIL: (_STARVED, "this machine has no local port left for that address"),
    errno.EMFILE: (_STARVED, "trueup has no file descriptor left"),
    errno.ENFILE: (_STARVED, "this machine has no file descriptor left"),
    errno.ENOBUFS: (_STARVED, "this machine has no socket buffer left"),
    errno.ENOMEM: (_STARVED, "this machine has no memory left"),
    errno.EAGAIN: (_STARVED, "this machine has no local port or routing entry left"),  # connect(2)
    errno.EADDRINUSE: (_STARVED, "this machine has no local port left"),
    errno.ENOSPC: (_STARVED, "trueup may watch no more sockets"),  # epoll_ctl(2)
    errno.EAFNOSUPPORT: (_OFFLINE, "this machine doesn't speak that address family"),
    errno.EPROTONOSUPPORT: (_OFFLINE, "this machine doesn't speak that protocol"),
}

UNIX_ERRORS: Final[dict[int, tuple[_Row, str]]] = {
    errno.ENOENT: (_REFUSED, "there is no such socket"),
    errno.ECONNREFUSED: (_REFUSED, "nothing listens there: a stale socket, or a file that is none"),
    errno.EPROTOTYPE: (_REFUSED, "the socket is of another type"),
    errno.ENOTDIR: (_REFUSED, "there is no such socket"),
    errno.ENOTSOCK: (_REFUSED, "the file is no socket"),
    errno.ENAMETOOLONG: (_REFUSED, "the path is too long for a socket"),
    errno.ELOOP: (_REFUSED, "the path is a loop of links"),
    errno.EAGAIN: (_NO_ANSWER, "the accept queue is full"),  # unix(7)
    errno.EACCES: (_UNKNOWN, "trueup may not open the socket (permission)"),
    errno.EPERM: (_UNKNOWN, "trueup may not open the socket (permission)"),
}

RESOLVER_ERRORS: Final[dict[int, tuple[_Row, str]]] = {
    socket.EAI_NONAME: ((Layer.PORT, Outcome.FAIL, Cause.UNRESOLVED), "the name has no address"),
    socket.EAI_NODATA: ((Layer.PORT, Outcome.FAIL, Cause.UNRESOLVED), "the name exists and has no address"),
    socket.EAI_ADDRFAMILY: ((Layer.PORT, Outcome.FAIL, Cause.UNRESOLVED), "the name has no such address"),
    socket.EAI_FAIL: ((Layer.PORT, Outcome.FAIL, Cause.UNRESOLVED), "the name server answers with a failure"),
    socket.EAI_AGAIN: (_OFFLINE, "no name server answered"),
    socket.EAI_MEMORY: (_STARVED, "no memory to resolve the name"),
    socket.EAI_SYSTEM: (_STARVED, "this machine could not ask for the name"),
}

_ROUTE_ERRORS: Final = frozenset({errno.EINVAL, errno.EACCES, errno.EPERM})
"""Errors that speak of the way to the peer, or of our own call: it depends on which call it was."""

_OPEN: Final = (Stage.HANDSHAKING, Stage.TALKING)

VERIFY_CODES: Final[dict[int, tuple[Cause, str]]] = {
    9: (Cause.TLS_NOT_YET_VALID, "the certificate isn't valid yet"),
    10: (Cause.TLS_EXPIRED, "the certificate has expired"),
    18: (Cause.TLS_UNTRUSTED, "the certificate is self-signed"),
    19: (Cause.TLS_UNTRUSTED, "the chain ends in a self-signed certificate that isn't trusted here"),
    20: (Cause.TLS_UNTRUSTED, "the issuer isn't known here: a private authority or a missing intermediate"),
    21: (Cause.TLS_UNTRUSTED, "the issuer isn't known here: a private authority or a missing intermediate"),
    62: (Cause.TLS_NAME_MISMATCH, "the certificate is for another name"),
    63: (Cause.TLS_NAME_MISMATCH, "the certificate is for another e-mail address"),
    64: (Cause.TLS_NAME_MISMATCH, "the certificate is for another address"),
}
"""OpenSSL's verification errors (x509_vfy.h); any other is ``tls-untrusted``."""

TLS_RECORD_TYPES: Final = frozenset({20, 21, 22, 23})
"""The first byte of every TLS record (RFC 8446, 5.1)."""


def fault_of(error: BaseException, stage: Stage, transport: Transport = Transport.TCP) -> Fault:
    """The value for ``error``: total over ``OSError``, ``ssl.SSLError`` and resolver errors."""
    if isinstance(error, ssl.SSLError):
        return _tls_fault(error, stage)
    if isinstance(error, socket.gaierror):
        row, words = RESOLVER_ERRORS.get(
            error.errno or 0, (_UNKNOWN, f"the name could not be looked up ({error})")
        )
        return _fault(stage, row, words, {"resolver": error.strerror or str(error)})
    if stage is Stage.RESOLVING and isinstance(error, ValueError):  # IDNA, or a NUL in it: nothing was asked
        return _fault(stage, (Layer.PORT, Outcome.FAIL, Cause.UNRESOLVED), "that can't be a host's name", {})
    if isinstance(error, OSError):
        return _os_fault(error, stage, transport)
    return _fault(stage, _UNKNOWN, f"trueup failed to look: {type(error).__name__}", {})


def _os_fault(error: OSError, stage: Stage, transport: Transport) -> Fault:
    number = error.errno or 0
    unexplained = (_UNKNOWN, f"trueup failed to look: {error.strerror or error}")
    if transport is Transport.UNIX and number in UNIX_ERRORS:
        row, words = UNIX_ERRORS[number]
    elif number in _ROUTE_ERRORS and _speaks_of_us(number, stage, transport):
        row, words = unexplained
    else:
        row, words = OS_ERRORS.get(number, unexplained)
    if stage in _OPEN and transport is Transport.TCP and row in (_NO_ANSWER, _UNREACHABLE, _REFUSED):
        # The path died under an open connection: the port had answered.
        row = (Layer.SERVICE, Outcome.FAIL, Cause.SILENT)
    name = errno.errorcode.get(number)
    return _fault(stage, row, words, {"errno": name} if name else {})


def _speaks_of_us(number: int, stage: Stage, transport: Transport) -> bool:
    """Whether it isn't about the way: a packet can be forbidden on its way out, a stream's bytes can't."""
    if stage not in _OPEN:
        return transport is Transport.UNIX
    return number == errno.EINVAL or transport not in (Transport.UDP, Transport.ICMP)


def opening_fault(error: OSError, transport: Transport) -> Fault:
    """The value for a socket that this machine doesn't give us: nothing is known of the peer."""
    row, words = OS_ERRORS.get(error.errno or 0, (_UNKNOWN, ""))
    if row not in (_STARVED, _OFFLINE):
        row, words = _UNKNOWN, f"trueup can't open such a socket: {error.strerror or error}"
        if transport is Transport.ICMP and isinstance(error, PermissionError):
            words += "; it needs CAP_NET_RAW, or its group in net.ipv4.ping_group_range"
    return _fault(Stage.CONNECTING, row, words, {"errno": errno.errorcode.get(error.errno or 0)})


def _tls_fault(error: ssl.SSLError, stage: Stage) -> Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        cause, words = VERIFY_CODES.get(
            error.verify_code,
            (Cause.TLS_UNTRUSTED, f"the certificate isn't accepted: {error.verify_message}"),
        )
        facts = {"verify_code": error.verify_code, "verify_message": error.verify_message}
        return Fault(stage, Layer.TLS, Outcome.FAIL, cause, words, facts)
    reason = getattr(error, "reason", None) or type(error).__name__  # the C code sets it, Python's doesn't
    what = "session" if stage is Stage.TALKING else "handshake"
    words = f"the TLS {what} fails: {reason.replace('_', ' ').lower()}"
    return Fault(stage, Layer.TLS, Outcome.FAIL, Cause.TLS_FAILED, words, {"tls_reason": reason})


def _fault(stage: Stage, row: _Row, words: str, facts: dict[str, Any]) -> Fault:
    layer, outcome, cause = row
    return Fault(stage, layer, outcome, cause, words, facts)


def deadline_fault(stage: Stage, timeout_s: float, transport: Transport, received_bytes: int) -> Fault:
    """The value for a deadline that passed at ``stage``."""
    within = f"within {timeout_s:g} s"
    if stage is Stage.RESOLVING:
        return _fault(stage, _OFFLINE, f"no name server answered {within}", {})
    if stage is Stage.CONNECTING or transport is Transport.ICMP:
        return _fault(stage, _NO_ANSWER, f"no answer {within}", {})
    if stage is Stage.HANDSHAKING and received_bytes:
        return Fault(
            stage, Layer.TLS, Outcome.FAIL, Cause.TLS_FAILED, f"the TLS handshake isn't finished {within}"
        )
    silent = (Layer.SERVICE, Outcome.FAIL, Cause.SILENT)
    if transport is Transport.UDP:
        return _fault(stage, silent, f"no answer {within}", {})
    if received_bytes:
        return _fault(
            stage,
            silent,
            f"accepted, then stopped in the middle of an answer: {received_bytes} bytes {within}",
            {},
        )
    return _fault(stage, silent, f"accepted, then nothing {within}", {})


def handshake_fault(error: OSError, first_bytes: bytes, *, ended: bool) -> Fault:
    """The value for a handshake that failed; ``first_bytes`` is what the peer said in it."""
    stage = Stage.HANDSHAKING
    if first_bytes and first_bytes[0] not in TLS_RECORD_TYPES:
        seen = printable(first_bytes, SEEN_CHARS_MAX)
        row = (Layer.SERVICE, Outcome.FAIL, Cause.WRONG_SERVICE)
        return _fault(stage, row, f"not TLS: it said '{seen}'", {"expected": "tls", "seen": seen})
    if ended and not first_bytes:
        return _fault(stage, _CLOSES, "it closed the connection at our first TLS message", {"reset": False})
    return fault_of(error, stage)


def settings_fault(error: Exception) -> Fault:
    """The value for TLS settings that can't be used: our own files, so nothing is known of the peer."""
    words = f"the TLS settings can't be used: {error}"
    return Fault(Stage.HANDSHAKING, Layer.TLS, Outcome.UNKNOWN, None, words)


def break_fault(
    turn: Break, stage: Stage, timeout_s: float, transport: Transport, received_bytes: int
) -> Fault:
    """The value for a break that the conversation left to us."""
    if isinstance(turn, Quiet):
        return deadline_fault(stage, timeout_s, transport, received_bytes)
    if isinstance(turn, Closed):
        how = "reset" if turn.reset else "closed"
        after = f"after {received_bytes} bytes" if received_bytes else "without a word"
        return _fault(stage, _CLOSES, f"it {how} the connection {after}", {"reset": turn.reset})
    row = (Layer.SERVICE, Outcome.FAIL, Cause.WRONG_SERVICE)
    return _fault(stage, row, "it says what this protocol doesn't allow", {})


def stopped_fault(stage: Stage) -> Fault:
    """The value for a conversation that our own end cut short."""
    return _fault(stage, _UNKNOWN, "trueup stopped before it had an answer", {})


def endless_fault(stage: Stage) -> Fault:
    """The value for a conversation that goes on and on by itself: a bug of ours."""
    return _fault(stage, _UNKNOWN, "trueup failed to look: its conversation doesn't end", {})


def starved_fault(stage: Stage, lag_ms: float) -> Fault:
    """The value for a deadline that passed while our own loop was late."""
    return _fault(
        stage, _STARVED, f"trueup itself was {lag_ms:.0f} ms late and can't judge", {"lag_ms": round(lag_ms)}
    )
