"""The line to a peer: connecting, redialling, hanging up."""

import contextlib
import errno
import os
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.engine.conversations import answer_of, at, connected, hear, perform
from tests.engine.peers import Peer, answers, closes, peer, resets, says, silent
from tests.engine.secured import server_context, trusting
from trueup.conversation import (
    Ask,
    Closed,
    Conversation,
    Dial,
    HangUp,
    Line,
    Receive,
    Redial,
    Send,
    ToEnd,
    Transport,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings
from trueup.engine.faults import Stage


def gone(known: Peer, how: str) -> bool:
    deadline_s = time.monotonic() + 5
    while how not in known.ended:
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.005)
    return True


# -- connecting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"]
)
def test_a_connection(family: socket.AddressFamily, host: str) -> None:
    with peer(silent, family=family, host=host) as known:
        transcript = perform(at(known), connected())
    assert answer_of(transcript).outcome is Outcome.PASS
    assert transcript.peer == host
    assert transcript.connect_ms is not None
    assert 0 <= transcript.resolve_ms <= transcript.total_ms
    assert transcript.first_byte_ms is None


def test_a_name_is_resolved_and_its_first_address_taken() -> None:
    with peer(silent) as known:
        transcript = perform(Dial("localhost", known.port), connected())
    if transcript.peer == "127.0.0.1":
        assert answer_of(transcript).outcome is Outcome.PASS
    else:  # no happy eyeballs: half up isn't up
        assert transcript.fault is not None
        assert transcript.addresses


def test_nobody_listens() -> None:
    with peer(silent) as known:
        pass
    fault = perform(at(known), connected()).fault
    assert fault is not None
    assert (fault.stage, fault.layer, fault.cause) == (Stage.CONNECTING, Layer.PORT, Cause.REFUSED)
    assert fault.facts == {"errno": "ECONNREFUSED"}


def test_a_full_accept_queue_meets_silence() -> None:
    """SYNs are dropped (ghost 6); one that accepts nothing, with a backlog of none."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            waiting.append(client)
        transcript = perform(Dial(*listener.getsockname()), connected(), 0.3)
        for client in waiting:
            client.close()
    assert transcript.fault is not None
    assert (transcript.fault.layer, transcript.fault.cause) == (Layer.PORT, Cause.NO_ANSWER)


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_a_port_that_is_none_is_our_own_mistake(port: int) -> None:
    """A redirect or a PASV reply may say such a thing."""
    fault = perform(Dial("127.0.0.1", port), connected()).fault
    assert fault is not None
    assert fault.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("host", ["a\0b", "x" * 70 + ".example", "a..b"])
def test_a_name_that_is_none_is_unresolved(host: str) -> None:
    fault = perform(Dial(host, 80), connected()).fault
    assert fault is not None
    assert (fault.layer, fault.cause) == (Layer.PORT, Cause.UNRESOLVED)


# -- unix sockets ----------------------------------------------------------------------------------


def unix(path: Path) -> Dial:
    return Dial(str(path), transport=Transport.UNIX)


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                says(b"hello\n")(connection)

        serving = threading.Thread(target=serve)
        serving.start()
        transcript = perform(unix(path), hear())
        serving.join(5)
    assert answer_of(transcript).detail == "hello\n"
    assert transcript.connect_ms is not None


def test_a_unix_socket_that_nobody_serves(tmp_path: Path) -> None:
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stale))
    plain = tmp_path / "plain"
    plain.touch()
    for path, name in (
        (stale, "ECONNREFUSED"),
        (tmp_path / "none", "ENOENT"),
        (plain / "below", "ENOTDIR"),
        (plain, "ECONNREFUSED"),
    ):
        fault = perform(unix(path), connected()).fault
        assert fault is not None
        assert (fault.layer, fault.cause, fault.facts["errno"]) == (Layer.PORT, Cause.REFUSED, name)
    # To whoever calls, the kernel says of a file that is no socket what it says of one that nobody serves.
    words = {perform(unix(path), connected()).fault.detail for path in (stale, plain)}  # type: ignore[union-attr]
    assert words == {"nothing listens there: a stale socket, or a file that is none"}


def test_a_path_too_long_for_a_unix_socket() -> None:
    """Python refuses it before the kernel is asked: nothing is known of anybody."""
    fault = perform(unix(Path("/" + "x" * 200)), connected()).fault
    assert fault is not None
    assert fault.outcome is Outcome.UNKNOWN


def test_a_unix_socket_whose_queue_is_full(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(path))
            fault = perform(unix(path), connected()).fault
    assert fault is not None
    assert (fault.cause, fault.facts["errno"]) == (Cause.NO_ANSWER, errno.errorcode[errno.EAGAIN])


@pytest.mark.skipif(os.geteuid() != 0, reason="root may give up its rights, and get them back")
def test_a_unix_socket_that_we_may_not_open(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0o600)
        os.seteuid(65_534)
        try:
            fault = perform(unix(path), connected()).fault
        finally:
            os.seteuid(0)
    assert fault is not None
    assert fault.outcome is Outcome.UNKNOWN, "we couldn't look"


# -- edges: each readiness is told once -------------------------------------------------------------


@pytest.mark.parametrize("then", [silent, closes], ids=["stays", "closes"])
def test_a_greeting_that_comes_with_the_connection(then: object) -> None:
    with peer(says(b"hello\n", then=then)) as known:  # type: ignore[arg-type]  # a handler
        transcript = perform(at(known), hear(), meanwhile=lambda: time.sleep(0.1))
    assert answer_of(transcript).detail == "hello\n"


def test_half_a_greeting_and_the_end_that_comes_with_it() -> None:
    """One event tells of both: the end must not be missed until the deadline."""
    with peer(says(b"half", then=closes)) as known:
        transcript = perform(at(known), hear(), 5.0, meanwhile=lambda: time.sleep(0.1))
    assert transcript.fault is not None
    assert (transcript.fault.cause, transcript.received_bytes) == (Cause.CLOSES, 4)
    assert transcript.total_ms < 2500


def test_a_reply_and_the_end_that_comes_with_it() -> None:
    def talk() -> Conversation:
        reply = yield Ask(b"quit\n", Line())
        time.sleep(0.1)  # both have come before we look again
        rest = yield Receive(ToEnd())
        return ready((reply + rest).decode())

    with peer(answers(b"bye\nand more", then=closes)) as known:
        transcript = perform(at(known), talk(), 5.0)
    assert answer_of(transcript).detail == "bye\nand more"
    assert transcript.total_ms < 2500


def test_a_banner_on_a_tls_port_that_comes_with_the_connection() -> None:
    with peer(says(b"SSH-2.0-OpenSSH_9.2\r\n")) as known:
        transcript = perform(
            at(known, tls=TlsSettings()), connected(), 5.0, meanwhile=lambda: time.sleep(0.1)
        )
    assert transcript.fault is not None
    assert transcript.fault.cause is Cause.WRONG_SERVICE
    assert transcript.total_ms < 2500


# -- hanging up ------------------------------------------------------------------------------------


def test_a_harmless_connection_is_given_up_by_a_reset() -> None:
    with peer(silent) as known:
        perform(at(known), connected())
        assert gone(known, "reset")


def test_a_polite_one_lets_the_peer_close_first() -> None:
    closed_first: list[bool] = []

    def serve(connection: socket.socket) -> None:
        connection.recv(100)
        connection.settimeout(0.15)
        try:
            connection.recv(1)
        except TimeoutError:
            closed_first.append(True)

    def quits() -> Conversation:
        yield Send(b"QUIT\r\n")
        return ready("said goodbye")

    with peer(serve) as known:
        transcript = perform(at(known), quits(), polite=True)
        assert answer_of(transcript).detail == "said goodbye"
        deadline_s = time.monotonic() + 5
        while not closed_first and not known.ended and time.monotonic() < deadline_s:
            time.sleep(0.01)
    assert closed_first == [True]
    assert not known.ended, "it neither closed nor reset before the peer did"


def test_a_polite_one_that_the_peer_floods_is_closed() -> None:
    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"x" * 65_536)

    with peer(flood) as known:
        transcript = perform(at(known), connected(), polite=True)
    assert answer_of(transcript).outcome is Outcome.PASS


@pytest.mark.parametrize("inside_tls", [False, True])
def test_hanging_up_tells_the_peer_and_still_hears_it(inside_tls: bool, authority: Authority) -> None:
    """Half-closed: what a server that waits for us takes as the end."""

    def serve(connection: socket.socket) -> None:
        while connection.recv(100):
            pass
        with contextlib.suppress(ssl.SSLError):  # its own end of the session has been said
            connection.sendall(b"goodbye\n")

    def talk() -> Conversation:
        yield Send(b"hello\n")
        yield HangUp()
        return ready((yield Receive(ToEnd())).decode())

    context = server_context(authority) if inside_tls else None
    settings = trusting(authority) if inside_tls else None
    with peer(serve, tls=context) as known:
        transcript = perform(at(known, tls=settings), talk(), polite=True)
        assert gone(known, "closed")
    assert known.all_heard == b"hello\n"
    assert inside_tls or answer_of(transcript).detail == "goodbye\n"
    assert answer_of(transcript).outcome is Outcome.PASS


# -- redialling ------------------------------------------------------------------------------------


def test_a_redial_goes_on_elsewhere(authority: Authority) -> None:
    with (
        peer(answers(b"go there\n")) as first,
        peer(answers(b"here\n"), tls=server_context(authority)) as second,
    ):

        def talk() -> Conversation:
            yield Ask(b"one\n", Line())
            yield Redial(at(second, tls=trusting(authority)))
            return ready((yield Ask(b"two\n", Line())).decode())

        transcript = perform(at(first), talk())
        assert gone(first, "reset")
    assert answer_of(transcript).detail == "here\n"
    assert (first.all_heard, second.all_heard) == (b"one\n", b"two\n")
    assert (transcript.redials, transcript.dial.port) == (1, second.port)
    assert transcript.tls_verified


def test_a_redial_that_fails() -> None:
    with peer(silent) as nobody:
        pass
    with peer(answers(b"go there\n")) as first:

        def talk() -> Conversation:
            yield Ask(b"one\n", Line())
            yield Redial(at(nobody))
            return ready("not reached")

        fault = perform(at(first), talk()).fault
    assert fault is not None
    assert fault.cause is Cause.REFUSED


def test_what_the_first_peer_left_unread_is_not_the_seconds() -> None:
    with peer(says(b"one\nleft over\n")) as first, peer(says(b"two\n")) as second:

        def talk() -> Conversation:
            yield Receive(Line())
            yield Redial(at(second))
            return ready((yield Receive(Line())).decode())

        assert answer_of(perform(at(first), talk())).detail == "two\n"


def test_closing_and_resetting_are_told_apart() -> None:
    def talk() -> Conversation:
        try:
            yield Send(b"hello\n")  # one that is reset before it's used was never connected
            yield Receive(Line())
        except Closed as closed:
            return ready("reset" if closed.reset else "closed")
        return ready("neither")

    for handler, how in ((closes, "closed"), (resets, "reset")):
        with peer(answers(b"", then=handler)) as known:
            assert answer_of(perform(at(known), talk())).detail == how
