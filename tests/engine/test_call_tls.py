"""The line to a peer through TLS: from the start, and in the middle of the talk."""

import socket
import ssl
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.engine.conversations import answer_of, ask, at, connected, hear, perform
from tests.engine.peers import answers, closes, peer, resets, says, silent
from tests.engine.secured import server_context, trusting
from trueup.conversation import (
    Ask,
    Conversation,
    Line,
    StartTls,
    ToEnd,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings


def test_tls_carries_the_conversation(authority: Authority) -> None:
    with peer(answers(b"hello\n"), tls=server_context(authority)) as known:
        transcript = perform(at(known, tls=trusting(authority)), ask(b"hi\n"))
    assert answer_of(transcript).detail == "hello\n"
    assert known.all_heard == b"hi\n"
    assert transcript.tls_verified
    assert transcript.tls_ms is not None
    assert transcript.tls["tls_version"] == "TLSv1.3"
    assert transcript.tls["expires_at_s"] > 0


def test_alpn_is_offered_and_its_choice_a_fact(authority: Authority) -> None:
    with peer(answers(b"hello\n"), tls=server_context(authority, "h2")) as known:
        dial = at(known, tls=trusting(authority), alpn=("h2", "http/1.1"))
        transcript = perform(dial, ask(b"hi\n"))
    assert transcript.tls["alpn"] == "h2"


def test_much_through_tls(authority: Authority) -> None:
    """More than a record, and more than a chunk of ours."""

    def swap(connection: socket.socket) -> None:
        size = 0
        while size < 300_000:
            size += len(connection.recv(65_536))
        connection.sendall(b"x" * 200_000)

    with peer(swap, tls=server_context(authority)) as known:
        transcript = perform(at(known, tls=trusting(authority)), ask(b"y" * 300_000, ToEnd()))
    assert len(answer_of(transcript).detail) == 200_000


def test_a_greeting_that_comes_with_the_end_of_the_handshake(authority: Authority) -> None:
    with peer(says(b"hello\n"), tls=server_context(authority)) as known:
        transcript = perform(at(known, tls=trusting(authority)), hear())
    assert answer_of(transcript).detail == "hello\n"


def test_a_name_of_ones_own_is_asked_for_and_expected(authority: Authority) -> None:
    with peer(says(b"hello\n"), tls=server_context(authority)) as known:
        settings = trusting(authority, server_name="elsewhere.example")
        fault = perform(at(known, tls=settings), hear()).fault
    assert fault is not None
    assert fault.cause is Cause.TLS_NAME_MISMATCH


def test_a_client_certificate_that_is_missing(authority: Authority) -> None:
    """In TLS 1.3 the refusal comes after the handshake, in the conversation."""
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    with peer(answers(b"hello\n"), tls=context) as known:
        without = perform(at(known, tls=trusting(authority)), ask(b"hi\n")).fault
        assert without is not None
        assert (without.layer, without.cause) == (Layer.TLS, Cause.TLS_FAILED)
        assert "certificate required" in without.detail
        own = authority.client()
        settings = trusting(authority, cert=str(own.certificate), key=str(own.key))
        assert answer_of(perform(at(known, tls=settings), ask(b"hi\n"))).detail == "hello\n"


@pytest.mark.parametrize("broken", ["missing", "empty"])
@pytest.mark.parametrize("which", ["ca", "cert"])
def test_our_own_files_blame_nobody(which: str, broken: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    if broken == "empty":
        path.touch()
    with peer(silent) as known:
        settings = TlsSettings(**{which: str(path)})  # type: ignore[arg-type]  # a field by name
        fault = perform(at(known, tls=settings), connected()).fault
    assert fault is not None
    assert (fault.outcome, fault.cause) == (Outcome.UNKNOWN, None)
    assert "TLS settings" in fault.detail


@pytest.mark.parametrize("handler", [closes, resets], ids=["closes", "resets"])
def test_closing_at_our_hello(handler: object) -> None:
    with peer(handler) as known:  # type: ignore[arg-type]  # a handler
        fault = perform(at(known, tls=TlsSettings()), connected()).fault
    assert fault is not None
    assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.CLOSES)


def starts_tls(settings: TlsSettings | None) -> Conversation:
    yield Ask(b"STARTTLS\r\n", Line())
    yield StartTls(settings)
    return ready((yield Ask(b"EHLO\r\n", Line())).decode())


def upgrading(context: ssl.SSLContext, reply: bytes) -> object:
    def serve(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(reply)
        raw = connection._connection  # type: ignore[attr-defined]  # behind its ear
        with context.wrap_socket(raw, server_side=True) as inside:
            inside.recv(100)
            inside.sendall(b"250 inside\r\n")
            silent(inside)

    return serve


def test_starttls_and_what_was_injected_before_it(authority: Authority) -> None:
    """RFC 3207, 6; CVE-2011-0411: what came in the clear isn't taken for what comes inside."""
    serve = upgrading(server_context(authority), b"220 go\r\n250 injected\r\n")
    with peer(serve) as known:  # type: ignore[arg-type]  # a handler
        transcript = perform(at(known), starts_tls(trusting(authority)))
    assert answer_of(transcript).detail == "250 inside\r\n"
    assert transcript.tls_verified


def test_tls_in_passing_is_not_verified(authority: Authority) -> None:
    serve = upgrading(server_context(authority), b"220 go\r\n")
    with peer(serve) as known:  # type: ignore[arg-type]  # a handler
        transcript = perform(at(known), starts_tls(None))
    assert answer_of(transcript).detail == "250 inside\r\n"
    assert not transcript.tls_verified
    assert transcript.tls["certificate"][:1] == b"\x30"


def test_a_session_that_is_cut_without_a_farewell_has_ended(authority: Authority) -> None:
    with peer(answers(b"half", then=closes), tls=server_context(authority)) as known:
        transcript = perform(at(known, tls=trusting(authority)), ask(b"hi\n"))
    assert transcript.fault is not None
    assert transcript.fault.cause is Cause.CLOSES
