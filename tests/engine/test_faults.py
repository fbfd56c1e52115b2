"""The bridge from exceptions to values is complete, and doubt is never a failure of the target."""

import errno
import socket
import ssl

import pytest

from trueup.conversation import Closed, Garbled, Quiet, TooLong, Transport
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.engine.faults import (
    OS_ERRORS,
    RESOLVER_ERRORS,
    UNIX_ERRORS,
    VERIFY_CODES,
    Fault,
    Stage,
    break_fault,
    deadline_fault,
    endless_fault,
    fault_of,
    handshake_fault,
    opening_fault,
    settings_fault,
    starved_fault,
    stopped_fault,
)

NAMES = sorted(errno.errorcode.values())
OURS = {Cause.MONITOR_STARVED, Cause.MONITOR_OFFLINE, None}

OUR_MISTAKES = {
    # Documented in socket(2), connect(2), send(2), recv(2), epoll_ctl(2); only a bug of ours can bring them.
    "EALREADY", "EBADF", "EDESTADDRREQ", "EEXIST", "EFAULT", "EINPROGRESS", "EINTR", "EISCONN", "ELOOP",
    "ENOENT", "ENOTSOCK", "EPROTOTYPE",
}  # fmt: skip
FROM_THE_NETWORK = {
    # connect(2), tcp(7), ip(7), udp(7), and what ICMP and ICMPv6 are turned into (icmp_err_convert in
    # net/ipv4/icmp.c, tab_unreach in net/ipv6/icmp.c).
    "EACCES", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTDOWN", "EHOSTUNREACH", "EINVAL", "EMSGSIZE",
    "ENETDOWN", "ENETUNREACH", "ENONET", "ENOPROTOOPT", "ENOTCONN", "EOPNOTSUPP", "EPERM", "EPIPE", "EPROTO",
    "ESHUTDOWN", "ETIMEDOUT",
}  # fmt: skip
OF_THIS_MACHINE = {
    "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EAGAIN", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM",
    "ENOSPC", "EPROTONOSUPPORT",
}  # fmt: skip


def os_error(name: str) -> OSError:
    number: int = getattr(errno, name)
    return OSError(number, name)


def is_sound(fault: Fault) -> bool:
    """A failure has a cause that belongs to its layer; what we don't know blames nobody."""
    if fault.outcome is Outcome.FAIL:
        return fault.cause is not None and fault.layer in fault.cause.layers
    return fault.outcome is Outcome.UNKNOWN and fault.cause in OURS


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("stage", Stage)
def test_every_error_that_exists_has_a_value(stage: Stage, transport: Transport) -> None:
    for name in NAMES:
        fault = fault_of(os_error(name), stage, transport)
        assert is_sound(fault), (name, fault)
        assert fault.facts["errno"] in (name, "EAGAIN", "EOPNOTSUPP", "EDEADLK"), "some have two names"
        assert fault.detail


def test_the_tables_hold_what_the_manuals_name() -> None:
    assert set(OS_ERRORS) == {getattr(errno, name) for name in FROM_THE_NETWORK | OF_THIS_MACHINE}


@pytest.mark.parametrize("name", NAMES)
def test_only_the_network_can_fail_a_target(name: str) -> None:
    """A TCP connection attempt: what it blames the target for is exactly the list above."""
    fault = fault_of(os_error(name), Stage.CONNECTING)
    number = getattr(errno, name)
    if number in {getattr(errno, one) for one in FROM_THE_NETWORK}:
        assert (fault.outcome, fault.cause in OURS) == (Outcome.FAIL, False)
    elif number in {getattr(errno, one) for one in OF_THIS_MACHINE}:
        assert (fault.outcome, fault.cause in OURS - {None}) == (Outcome.UNKNOWN, True)
    else:
        assert (fault.outcome, fault.cause) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize("name", sorted(OUR_MISTAKES))
@pytest.mark.parametrize("stage", Stage)
def test_a_mistake_of_ours_is_unknown(name: str, stage: Stage) -> None:
    assert fault_of(os_error(name), stage).outcome is Outcome.UNKNOWN


def test_an_error_without_a_number_is_unknown() -> None:
    for error in (OSError("odd"), OSError(), TimeoutError(), OSError(99999, "new")):
        assert fault_of(error, Stage.CONNECTING).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("stage", [Stage.HANDSHAKING, Stage.TALKING])
@pytest.mark.parametrize("name", ["ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN"])
def test_a_path_that_dies_under_an_open_connection_is_silence(name: str, stage: Stage) -> None:
    """The port had answered."""
    fault = fault_of(os_error(name), stage)
    assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.SILENT)


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.ICMP])
@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("ECONNREFUSED", Cause.REFUSED),
        ("EHOSTUNREACH", Cause.UNREACHABLE),
        ("ENETUNREACH", Cause.UNREACHABLE),
        ("EACCES", Cause.UNREACHABLE),
        ("EPERM", Cause.UNREACHABLE),
        ("EINVAL", None),
    ],
)
def test_a_datagram_has_no_connection_to_die(name: str, cause: Cause | None, transport: Transport) -> None:
    fault = fault_of(os_error(name), Stage.TALKING, transport)
    assert (fault.layer, fault.cause) == (Layer.PORT, cause)


@pytest.mark.parametrize("number", sorted(UNIX_ERRORS))
def test_a_unix_socket_has_its_own_words(number: int) -> None:
    fault = fault_of(OSError(number, "x"), Stage.CONNECTING, Transport.UNIX)
    row, words = UNIX_ERRORS[number]
    assert ((fault.layer, fault.outcome, fault.cause), fault.detail) == (row, words)
    assert is_sound(fault)


def test_a_permission_is_our_own_trouble() -> None:
    """Not even a unix socket's: it says nothing of who listens."""
    for name in ("EACCES", "EPERM"):
        assert fault_of(os_error(name), Stage.CONNECTING, Transport.UNIX).outcome is Outcome.UNKNOWN
    assert "CAP_NET_RAW" in opening_fault(os_error("EPERM"), Transport.ICMP).detail


@pytest.mark.parametrize("name", NAMES)
def test_a_socket_that_cant_be_opened_is_never_the_targets_fault(name: str) -> None:
    for transport in Transport:
        fault = opening_fault(os_error(name), transport)
        assert (fault.outcome, fault.cause in OURS) == (Outcome.UNKNOWN, True)


RESOLVER_NAMES = sorted(name for name in vars(socket) if name.startswith("EAI_"))


@pytest.mark.parametrize("name", RESOLVER_NAMES)
def test_every_resolver_error_has_a_value(name: str) -> None:
    number = getattr(socket, name)
    fault = fault_of(socket.gaierror(number, name), Stage.RESOLVING)
    assert is_sound(fault)
    if number in RESOLVER_ERRORS:
        assert (fault.layer, fault.outcome, fault.cause) == RESOLVER_ERRORS[number][0]
    else:  # EAI_BADFLAGS and its like: we asked wrongly
        assert (fault.outcome, fault.cause) == (Outcome.UNKNOWN, None)
    assert fault.facts == {"resolver": name}


def test_what_a_name_server_can_say_has_a_row() -> None:
    """getaddrinfo(3): every error but those of a wrong question."""
    wrong_question = {
        "EAI_BADFLAGS", "EAI_FAMILY", "EAI_SERVICE", "EAI_SOCKTYPE", "EAI_OVERFLOW", "EAI_BADHINTS",
        "EAI_PROTOCOL", "EAI_MAX",
    }  # fmt: skip
    rows = {name for name in RESOLVER_NAMES if getattr(socket, name) in RESOLVER_ERRORS}
    assert rows == set(RESOLVER_NAMES) - wrong_question


@pytest.mark.parametrize("error", [UnicodeError("label too long"), ValueError("embedded null byte")])
def test_a_name_that_cant_be_one_is_unresolved(error: Exception) -> None:
    assert fault_of(error, Stage.RESOLVING).cause is Cause.UNRESOLVED
    assert fault_of(error, Stage.TALKING).outcome is Outcome.UNKNOWN


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    error.verify_message = "as OpenSSL says it"
    return error


@pytest.mark.parametrize("code", range(1, 101))
def test_every_verification_error_has_its_cause(code: int) -> None:
    """x509_vfy.h has codes up to 94 in OpenSSL 3."""
    fault = handshake_fault(verification(code), b"\x16\x03\x03", ended=False)
    expected = VERIFY_CODES[code][0] if code in VERIFY_CODES else Cause.TLS_UNTRUSTED
    assert (fault.layer, fault.outcome, fault.cause) == (Layer.TLS, Outcome.FAIL, expected)
    assert is_sound(fault)
    assert fault.facts["verify_code"] == code


@pytest.mark.parametrize(
    "kind",
    [
        ssl.SSLError,
        ssl.SSLZeroReturnError,
        ssl.SSLWantReadError,
        ssl.SSLWantWriteError,
        ssl.SSLSyscallError,
        ssl.SSLEOFError,
    ],
)
@pytest.mark.parametrize("stage", [Stage.HANDSHAKING, Stage.TALKING])
def test_every_tls_error_has_a_value(kind: type[ssl.SSLError], stage: Stage) -> None:
    fault = fault_of(kind(1, "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] words"), stage)
    assert (fault.layer, fault.cause) == (Layer.TLS, Cause.TLS_FAILED)
    assert ("handshake" if stage is Stage.HANDSHAKING else "session") in fault.detail


def test_every_tls_error_class_of_this_python_is_covered() -> None:
    classes = {
        name for name, kind in vars(ssl).items() if isinstance(kind, type) and issubclass(kind, OSError)
    }
    assert classes == {
        "SSLError", "SSLZeroReturnError", "SSLWantReadError", "SSLWantWriteError", "SSLSyscallError",
        "SSLEOFError", "SSLCertVerificationError", "CertificateError", "socket_error",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first_bytes", "ended", "expected"),
    [
        (b"SSH-2.0-x", False, (Layer.SERVICE, Cause.WRONG_SERVICE)),
        (b"HTTP/1.1 400", True, (Layer.SERVICE, Cause.WRONG_SERVICE)),
        (b"\x15\x03\x01\x00\x02\x02\x28", False, (Layer.TLS, Cause.TLS_FAILED)),
        (b"\x16\x03\x03", True, (Layer.TLS, Cause.TLS_FAILED)),
        (b"", True, (Layer.SERVICE, Cause.CLOSES)),
    ],
)
def test_a_handshake_is_judged_by_how_the_peer_began(
    first_bytes: bytes, ended: bool, expected: tuple[Layer, Cause]
) -> None:
    fault = handshake_fault(ssl.SSLError(1, "words"), first_bytes, ended=ended)
    assert (fault.layer, fault.cause) == expected
    assert is_sound(fault)
    if fault.cause is Cause.WRONG_SERVICE:
        assert fault.facts["expected"] == "tls"


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError(1), AssertionError(), RecursionError()])
@pytest.mark.parametrize("stage", [Stage.CONNECTING, Stage.TALKING])
def test_a_bug_of_ours_is_unknown_and_named(error: Exception, stage: Stage) -> None:
    fault = fault_of(error, stage)
    assert (fault.outcome, fault.cause) == (Outcome.UNKNOWN, None)
    assert fault.detail == f"trueup failed to look: {type(error).__name__}"


@pytest.mark.parametrize("received", [0, 5])
@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("stage", Stage)
def test_every_deadline_has_a_value(stage: Stage, transport: Transport, received: int) -> None:
    fault = deadline_fault(stage, 3.0, transport, received)
    assert is_sound(fault)
    assert "within 3 s" in fault.detail


@pytest.mark.parametrize(
    ("stage", "transport", "received", "expected"),
    [
        (Stage.RESOLVING, Transport.TCP, 0, (Layer.PORT, Outcome.UNKNOWN, Cause.MONITOR_OFFLINE)),
        (Stage.CONNECTING, Transport.TCP, 0, (Layer.PORT, Outcome.FAIL, Cause.NO_ANSWER)),
        (Stage.HANDSHAKING, Transport.TCP, 0, (Layer.SERVICE, Outcome.FAIL, Cause.SILENT)),
        (Stage.HANDSHAKING, Transport.TCP, 9, (Layer.TLS, Outcome.FAIL, Cause.TLS_FAILED)),
        (Stage.TALKING, Transport.TCP, 0, (Layer.SERVICE, Outcome.FAIL, Cause.SILENT)),
        (Stage.TALKING, Transport.TCP, 9, (Layer.SERVICE, Outcome.FAIL, Cause.SILENT)),
        (Stage.TALKING, Transport.UDP, 0, (Layer.SERVICE, Outcome.FAIL, Cause.SILENT)),
        (Stage.TALKING, Transport.ICMP, 0, (Layer.PORT, Outcome.FAIL, Cause.NO_ANSWER)),
    ],
)
def test_a_deadline_is_named_by_how_far_we_had_come(
    stage: Stage, transport: Transport, received: int, expected: tuple[Layer, Outcome, Cause]
) -> None:
    fault = deadline_fault(stage, 3.0, transport, received)
    assert (fault.layer, fault.outcome, fault.cause) == expected


@pytest.mark.parametrize(
    ("turn", "cause"),
    [
        (Closed(), Cause.CLOSES),
        (Closed(b"x", reset=True), Cause.CLOSES),
        (Quiet(), Cause.SILENT),
        (Quiet(final=True), Cause.SILENT),
        (TooLong(b"x"), Cause.WRONG_SERVICE),
        (Garbled(b"x"), Cause.WRONG_SERVICE),
    ],
)
def test_every_break_left_to_the_engine_has_a_value(
    turn: Closed | Quiet | TooLong | Garbled, cause: Cause
) -> None:
    fault = break_fault(turn, Stage.TALKING, 3.0, Transport.TCP, 1)
    assert (fault.layer, fault.cause) == (Layer.SERVICE, cause)
    assert is_sound(fault)


def test_our_own_troubles_are_unknown() -> None:
    for fault in (
        settings_fault(FileNotFoundError(errno.ENOENT, "no such file")),
        settings_fault(ssl.SSLError(1, "no certificate in it")),
        stopped_fault(Stage.CONNECTING),
        endless_fault(Stage.TALKING),
    ):
        assert (fault.outcome, fault.cause) == (Outcome.UNKNOWN, None)
    starved = starved_fault(Stage.TALKING, 812.4)
    assert (starved.outcome, starved.cause) == (Outcome.UNKNOWN, Cause.MONITOR_STARVED)
    assert starved.facts == {"lag_ms": 812}
