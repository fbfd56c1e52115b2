"""A connection beside the first: what it brings, how it fails, and how it ends with the first."""

import asyncio
import socket
from typing import Any

import pytest

from tests.beds.certificates import Authority
from tests.beds.server import free_port
from tests.engine.conversations import answer_of, at, perform, until
from tests.engine.peers import Peer, answers, closes, peer, resets, says, silent
from tests.engine.secured import server_context
from trueup.conversation import (
    Ask,
    Astray,
    Beside,
    Conversation,
    Dial,
    Line,
    Read,
    Receive,
    Some,
    StartTls,
    ToEnd,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript

TO_END = ToEnd()
CONTROL = answers(b"go\r\n", b"bye\r\n")


def both(
    dial: Dial, *, data: bytes = b"", read: Read | None = TO_END, secured: StartTls | None = None
) -> Conversation:
    """Talk here, there, and here again."""
    if secured is not None:
        yield secured
    yield Ask(b"may I\r\n", Line())
    try:
        heard = yield Beside(dial, data, read, secured)
    except Astray as astray:
        return ready(astray.detail, cause=astray.cause.value)
    last = yield Ask(b"thanks\r\n", Line())
    return ready(last.decode(), heard=heard.decode())


def collects(connection: socket.socket) -> None:
    """Hear all to the end of the other side, and close."""
    silent(connection)


def test_it_reads_while_the_first_stays_open() -> None:
    with peer(CONTROL) as first, peer(says(b"a file", then=closes)) as other:
        transcript = perform(at(first), both(at(other)))
        assert answer_of(transcript).facts == {"heard": "a file"}
        assert answer_of(transcript).detail == "bye\r\n"
    assert [said.data for said in transcript.said if said.who == "peer"] == [b"go\r\n", b"a file", b"bye\r\n"]
    assert transcript.peer == first.host
    assert transcript.redials == 0


def test_it_says_all_and_ends_it() -> None:
    data = b"x" * 300_000
    with peer(CONTROL) as first, peer(collects) as other:
        assert answer_of(perform(at(first), both(at(other), data=data))).facts == {"heard": ""}
    assert other.all_heard == data
    assert other.ended == ["closed"], "no reset, which would throw away what is under way"


def test_it_need_not_read_to_the_end() -> None:
    with peer(CONTROL) as first, peer(says(b"a list that goes on")) as other:
        assert answer_of(perform(at(first), both(at(other), read=Some(6)))).facts == {"heard": "a list"}


def test_a_connection_and_no_more() -> None:
    with peer(CONTROL) as first, peer(silent) as other:
        answer = answer_of(perform(at(first), both(at(other), read=None)))
    assert answer.facts == {"heard": ""}
    assert other.ended == ["closed"]


@pytest.mark.parametrize(
    ("handler", "cause"),
    [(resets, Cause.CLOSES), (silent, Cause.SILENT), (says(b"x" * 5000), Cause.WRONG_SERVICE)],
)
def test_what_fails_there_is_told_here(handler: Any, cause: Cause) -> None:
    with peer(CONTROL) as first, peer(handler) as other:
        read = ToEnd(100)
        answer = answer_of(perform(at(first), both(at(other), read=read), timeout_s=3.0))
    assert answer.facts["cause"] == cause.value


def test_refused_there_is_told_here() -> None:
    with peer(CONTROL) as first:
        answer = answer_of(perform(at(first), both(Dial("127.0.0.1", free_port()))))
    assert answer.facts["cause"] == "refused"


def test_our_own_trouble_there_is_our_own_trouble() -> None:
    with peer(CONTROL) as first:
        transcript = perform(at(first), both(Dial("127.0.0.1", -1)))  # no port at all
    assert transcript.answer is None
    assert transcript.fault is not None
    assert transcript.fault.outcome is Outcome.UNKNOWN


def test_it_ends_with_the_first() -> None:
    """Cancelled, or with the engine."""

    async def begin(first: Peer, other: Peer, *, cancel: bool) -> int:
        async with Engine() as engine:
            talk = asyncio.ensure_future(engine.perform(at(first), both(at(other)), 5.0))
            await until(lambda: other.heard)
            assert engine.in_flight == 2
            if cancel:
                talk.cancel()
                await asyncio.wait([talk])
                return engine.in_flight
        transcript = await talk
        assert transcript.fault is not None
        return engine.in_flight

    for cancel in (True, False):
        with peer(CONTROL) as first, peer(silent) as other:
            assert asyncio.run(begin(first, other, cancel=cancel)) == 0
        assert len(other.ended) == 1


def test_it_needs_no_room_of_its_own() -> None:
    """Else those under way could all wait for room that none of them gives up."""

    async def many(first: Peer, other: Peer) -> list[Transcript]:
        async with Engine(8) as engine:
            return await asyncio.gather(*(engine.perform(at(first), both(at(other)), 5.0) for _ in range(16)))

    with peer(CONTROL) as first, peer(says(b"a file", then=closes)) as other:
        transcripts = asyncio.run(many(first, other))
    assert all(answer_of(one).facts == {"heard": "a file"} for one in transcripts)


def test_it_goes_on_with_the_session_of_the_first(authority: Authority) -> None:
    context = server_context(authority)
    reused: list[bool] = []

    def upload(connection: Any) -> None:
        reused.append(connection.session_reused)
        silent(connection)

    with peer(CONTROL, tls=context) as first, peer(upload, tls=context) as other:
        answer = answer_of(perform(at(first), both(at(other), data=b"secret", secured=StartTls())))
    assert answer.facts == {"heard": ""}
    assert other.all_heard == b"secret"
    assert reused == [True]


def test_time_is_left_to_tell() -> None:
    def conversation(dial: Dial) -> Conversation:
        try:
            yield Beside(dial)
        except Astray as astray:
            said = yield Ask(b"still there?\r\n", Line())
            return ready(said.decode(), cause=astray.cause.value)
        return ready((yield Receive(Line())).decode())

    with peer(CONTROL) as first, peer(silent) as other:
        answer = answer_of(perform(at(first), conversation(at(other)), timeout_s=4.0))
    assert (answer.detail, answer.facts["cause"]) == ("go\r\n", "silent")
