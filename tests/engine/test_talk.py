"""A conversation being performed: its bounds, its breaks, and what it may not do to us."""

import socket
import time
from typing import Any

import pytest

from tests.engine.conversations import answer_of, ask, at, at_datagrams, hear, perform
from tests.engine.peers import Handler, answers, closes, peer, resets, says, silent
from tests.probes.performing import perform as look
from trueup.conversation import (
    Ask,
    Closed,
    Conversation,
    Datagram,
    Exactly,
    Frame,
    Garbled,
    Line,
    Mark,
    Nonce,
    Receive,
    Redial,
    Send,
    Some,
    ToEnd,
    TooLong,
    Transport,
    Until,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.engine import talk as talk_module
from trueup.engine.talk import TOTAL_BYTES_MAX
from trueup.engine.wire import CHUNK_BYTES
from trueup.probes.wording import Expect

# -- bounds ----------------------------------------------------------------------------------------


def floods(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 65_536)


@pytest.mark.parametrize(
    "read", [Line(1000), Until(b"\0", 1000), ToEnd(1000), Frame(lambda _received: None, 1000)]
)
def test_a_read_ends_at_its_bound(read: Any) -> None:
    def talk() -> Conversation:
        try:
            yield Receive(read)
        except TooLong as long:
            return ready(str(len(long.received)))
        return ready("not reached")

    with peer(floods) as known:
        transcript = perform(at(known), talk())
    assert 1000 < int(answer_of(transcript).detail) <= 1000 + CHUNK_BYTES
    assert transcript.received_bytes <= 1000 + 2 * CHUNK_BYTES


def test_a_conversation_ends_at_its_bound_however_it_reads() -> None:
    def talk() -> Conversation:
        while True:
            yield Receive(Some(100))

    with peer(floods) as known:
        transcript = perform(at(known), talk(), 20)
    assert transcript.fault is not None
    assert transcript.fault.cause is Cause.WRONG_SERVICE
    assert transcript.received_bytes <= TOTAL_BYTES_MAX + 2 * CHUNK_BYTES


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_replies_are_cut_as_the_reads_say_and_not_as_they_come(chunk: int) -> None:
    said = b"line one\r\n12345until-here!rest"

    def talk() -> Conversation:
        parts = []
        for read in (Line(), Exactly(5), Until(b"!"), ToEnd()):
            parts.append((yield Receive(read)))  # noqa: PERF401 - nothing yields in a comprehension
        return ready(repr(parts))

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(said), chunk):
            connection.sendall(said[place : place + chunk])
            time.sleep(0.001)

    with peer(serve) as known:
        transcript = perform(at(known), talk())
    assert answer_of(transcript).detail == repr([b"line one\r\n", b"12345", b"until-here!", b"rest"])


# -- breaks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("handler", [closes, resets], ids=["closes", "resets"])
def test_accepting_and_closing(handler: Handler) -> None:
    """Ghost 19."""
    with peer(handler) as known:
        fault = perform(at(known), ask(b"hello\n")).fault
    assert fault is not None
    assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.CLOSES)


def test_what_was_said_before_a_close_is_there() -> None:
    def talk() -> Conversation:
        try:
            yield Ask(b"x" * 1_000_000, Exactly(100))
        except Closed as closed:
            return ready(closed.received.decode())
        return ready("not reached")

    with peer(says(b"-ERR max number of clients reached\r\n", then=closes)) as known:
        assert answer_of(perform(at(known), talk())).detail == "-ERR max number of clients reached\r\n"


def test_garbage_is_thrown_in_where_it_was_read() -> None:
    def measure(received: bytearray) -> int | None:
        raise Garbled(bytes(received))

    def talk() -> Conversation:
        try:
            yield Receive(Frame(measure))
        except Garbled as garbled:
            return ready(garbled.received.decode())
        return ready("not reached")

    with peer(says(b"?")) as known:
        assert answer_of(perform(at(known), talk())).detail in ("", "?")


def test_much_is_sent_while_the_peer_takes_its_time() -> None:
    data = bytes(range(256)) * 20_000

    def slowly(connection: socket.socket) -> None:
        time.sleep(0.1)
        size = 0
        while size < len(data):
            size += len(connection.recv(65_536))
        connection.sendall(b"%d\n" % size)

    with peer(slowly) as known:
        transcript = perform(at(known), ask(data))
        assert answer_of(transcript).detail == f"{len(data)}\n"
        assert known.all_heard == data


# -- our own bugs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, RecursionError, AssertionError, OSError, KeyError])
def test_a_probes_bug_is_our_own_trouble(error: type[Exception]) -> None:
    def at_once() -> Conversation:
        if known.port:
            raise error
        yield Receive(Line())
        return ready("not reached")

    def later() -> Conversation:
        yield Receive(Line())
        raise error

    def measuring(received: bytearray) -> int | None:
        raise error

    with peer(says(b"hello\n")) as known:
        for conversation in (at_once(), later(), hear(Frame(measuring))):
            fault = perform(at(known), conversation).fault
            assert fault is not None
            assert fault.outcome is Outcome.UNKNOWN
            assert fault.detail.startswith("trueup failed to look")


def test_a_conversation_that_never_waits_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stop everybody else's."""
    monkeypatch.setattr(talk_module, "STEPS_MAX", 1000)

    def talk() -> Conversation:
        while True:
            try:
                yield Receive(Line())
            except Closed:
                continue

    with peer(closes) as known:
        fault = perform(at(known), talk(), 5).fault
    assert fault is not None
    assert fault.outcome is Outcome.UNKNOWN
    assert "doesn't end" in fault.detail


def test_something_else_than_a_step_is_a_bug() -> None:
    def talk() -> Conversation:
        yield "hello"  # type: ignore[misc]  # that's the point
        return ready("not reached")

    with peer(silent) as known:
        fault = perform(at(known), talk(), 0.3).fault
    assert fault is not None
    assert fault.outcome is Outcome.UNKNOWN


# -- steps and the record --------------------------------------------------------------------------


def test_the_record_says_who_said_what_and_hides_secrets() -> None:
    def talk() -> Conversation:
        yield Ask(b"USER monitor\r\n", Line())
        yield Ask(b"PASS canary\r\n", Line(), secret=True)
        yield Send(b"ALSO canary\r\n", secret=True)
        yield Mark(ready("in"))
        nonces = (yield Nonce(16)), (yield Nonce(16))
        assert nonces[0] != nonces[1]
        assert all(len(nonce) == 16 for nonce in nonces)
        return ready("done", facts_too=1)

    with peer(answers(b"331\n", b"230\n")) as known:
        transcript = perform(at(known), talk())
    assert [(said.who, said.data) for said in transcript.said] == [
        ("us", b"USER monitor\r\n"),
        ("peer", b"331\n"),
        ("us", b"***"),
        ("peer", b"230\n"),
        ("us", b"***"),
    ]
    assert transcript.sent_bytes == len(b"USER monitor\r\nPASS canary\r\nALSO canary\r\n")
    assert transcript.first_byte_ms is not None
    assert transcript.connect_ms is not None
    assert transcript.connect_ms <= transcript.first_byte_ms <= transcript.total_ms
    (mark, reached_ms) = transcript.marks[0]
    assert mark.detail == "in"
    assert transcript.first_byte_ms <= reached_ms <= transcript.total_ms


def test_a_datagram_stands_for_itself() -> None:
    """What came before it isn't glued to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def talk() -> Conversation:
            yield Send(b"hello")
            _, client = server.recvfrom(10)
            for datagram in (b"one", b"two"):
                server.sendto(datagram, client)
            second = yield Receive(Frame(lambda got: len(got) if got == b"two" else None))
            return ready(second.decode())

        assert answer_of(perform(at_datagrams(server), talk())).detail == "two"


def test_udp_that_nobody_takes_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        dial = at_datagrams(server)
    fault = perform(dial, ask(b"x", Datagram())).fault
    assert fault is not None
    assert (fault.layer, fault.cause) == (Layer.PORT, Cause.REFUSED)


def test_from_udp_to_tcp() -> None:
    """As a truncated DNS answer asks for."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        peer(answers(b"whole\n")) as known,
    ):
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def talk() -> Conversation:
            yield Send(b"?")
            said, client = server.recvfrom(10)
            server.sendto(said, client)
            yield Receive(Datagram())
            yield Redial(at(known))
            return ready((yield Ask(b"?", Line())).decode())

        transcript = perform(at_datagrams(server), talk())
    assert answer_of(transcript).detail == "whole\n"
    assert transcript.dial.transport is Transport.TCP
    assert transcript.connect_ms is not None


def test_a_whole_probe_through_the_engine() -> None:
    with peer(answers(b"hello\n")) as known:
        transcript = look(f"tcp://127.0.0.1:{known.port}", send=r"hi\n", expect=Expect(starts="hello"))
        assert answer_of(transcript).outcome is Outcome.PASS
        assert known.all_heard == b"hi\n"
