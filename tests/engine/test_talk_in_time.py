"""A conversation being performed: in time, or not, and whose fault that is."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from tests.engine.conversations import answer_of, ask, at, at_datagrams, begun, block, hear, perform
from tests.engine.peers import Handler, answers, peer, says, silent
from trueup.conversation import (
    Ask,
    Conversation,
    Datagram,
    Line,
    Mark,
    Nonce,
    Quiet,
    Receive,
    Send,
    fails,
    ready,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript

MARGIN = 3.0
"""How much longer than its timeout a conversation may take on a busy machine, as a factor."""


def within(transcript: Transcript, timeout_s: float) -> bool:
    return timeout_s * 1000 * 0.9 <= transcript.total_ms <= timeout_s * 1000 * MARGIN


# -- the deadline ----------------------------------------------------------------------------------


def drips(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("handler", "received"), [(silent, False), (drips, True)], ids=["silent", "a byte now and then"]
)
def test_one_deadline_holds_for_all(handler: Handler, received: bool) -> None:
    with peer(handler) as known:
        transcript = perform(at(known), hear(), 0.4)
    assert transcript.fault is not None
    assert (transcript.fault.layer, transcript.fault.cause) == (Layer.SERVICE, Cause.SILENT)
    assert within(transcript, 0.4)
    assert (transcript.received_bytes > 0) is received
    assert (transcript.unacked_bytes, transcript.retransmits) == (0, 0)


def test_many_steps_share_the_deadline() -> None:
    def talk() -> Conversation:
        for _ in range(100):
            yield Ask(b"more\n", Line())
            yield Receive(Line(), within_s=10)
        return ready("all")

    def slowly(connection: socket.socket) -> None:
        while connection.recv(100):
            time.sleep(0.05)
            connection.sendall(b"a\nb\n")

    with peer(slowly) as known:
        transcript = perform(at(known), talk(), 0.4)
    assert transcript.fault is not None
    assert transcript.fault.cause is Cause.SILENT
    assert within(transcript, 0.4)


def test_at_the_deadline_a_conversation_may_still_say_what_it_means() -> None:
    def talk() -> Conversation:
        try:
            yield Receive(Line())
        except Quiet as quiet:
            yield Send(b"QUIT\r\n")
            yield Mark(ready("marked"))
            nonce = yield Nonce(4)
            return fails(Cause.OVERLOADED, f"{quiet.received!r} {quiet.final} {len(nonce)}")
        return ready("not reached")

    with peer(says(b"220-wait")) as known:
        transcript = perform(at(known), talk(), 0.3, polite=True)
        assert answer_of(transcript).detail == "b'220-wait' True 4"
        assert [mark.detail for mark, _ in transcript.marks] == ["marked"]
        deadline_s = time.monotonic() + 5
        while known.all_heard != b"QUIT\r\n":
            assert time.monotonic() < deadline_s
            time.sleep(0.01)


@pytest.mark.parametrize("step", [Ask(b"x", Line()), Receive(Line(), within_s=1)])
def test_at_the_deadline_nothing_new_begins(step: Any) -> None:
    def talk() -> Conversation:
        try:
            yield Receive(Line())
        except Quiet:
            yield step
        return ready("not reached")

    with peer(silent) as known:
        transcript = perform(at(known), talk(), 0.3)
    assert transcript.fault is not None
    assert transcript.fault.cause is Cause.SILENT
    assert within(transcript, 0.3)


def test_a_bug_at_the_deadline_is_unknown() -> None:
    def talk() -> Conversation:
        try:
            yield Receive(Line())
        except Quiet:
            raise ZeroDivisionError from None
        return ready("not reached")

    with peer(silent) as known:
        fault = perform(at(known), talk(), 0.2).fault
    assert fault is not None
    assert fault.outcome is Outcome.UNKNOWN


# -- within_s and again_s --------------------------------------------------------------------------


def test_a_read_may_have_less_time_and_talk_goes_on() -> None:
    def talk() -> Conversation:
        try:
            yield Receive(Line(), within_s=0.1)
        except Quiet as quiet:
            return ready((yield Ask(b"hello?\n", Line())).decode() + str(quiet.final))
        return ready("not reached")

    with peer(answers(b"yes\n")) as known:
        assert answer_of(perform(at(known), talk())).detail == "yes\nFalse"


def test_the_timer_of_a_read_that_is_over_disturbs_no_other() -> None:
    def talk() -> Conversation:
        yield Ask(b"1\n", Line(), within_s=0.1)
        return ready((yield Receive(Line())).decode())

    def serve(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(b"one\n")
        time.sleep(0.3)
        connection.sendall(b"two\n")
        silent(connection)

    with peer(serve) as known:
        assert answer_of(perform(at(known), talk())).detail == "two\n"


def test_a_datagram_is_sent_once_more() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def talk() -> Conversation:
            yield Ask(b"ping", Datagram(), again_s=0.05)
            return ready("not reached")

        transcript = perform(at_datagrams(server), talk(), 0.4)
        assert transcript.fault is not None
        assert transcript.fault.cause is Cause.SILENT
        server.settimeout(1)
        assert [server.recv(10) for _ in range(2)] == [b"ping", b"ping"]
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.recv(10)


def test_a_secret_that_is_sent_again_stays_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def talk() -> Conversation:
            yield Ask(b"canary", Datagram(), secret=True, again_s=0.05)
            return ready("not reached")

        transcript = perform(at_datagrams(server), talk(), 0.2)
    assert [said.data for said in transcript.said] == [b"***", b"***"]


def test_a_read_that_gives_up_before_it_would_ask_again_gives_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def talk() -> Conversation:
            try:
                yield Ask(b"ping", Datagram(), within_s=0.1, again_s=0.2)
            except Quiet:
                return ready("gave up")
            return ready("not reached")

        transcript = perform(at_datagrams(server), talk(), 2)
    assert answer_of(transcript).detail == "gave up"
    assert transcript.sent_bytes == 4
    assert transcript.total_ms < 1000


# -- our own troubles ------------------------------------------------------------------------------


def runners() -> list[Callable[[Any], Transcript]]:
    return [asyncio.run, uvloop.run]


@pytest.mark.parametrize("run", runners(), ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("handler", [silent, answers(b"in time\n")], ids=["silent", "in time"])
def test_a_loop_blocked_past_the_deadline_cant_judge(
    handler: Handler, run: Callable[[Any], Transcript]
) -> None:
    """Nor may it turn an answer that came in time into a failure."""

    async def once() -> Transcript:
        async with Engine() as engine:
            future = asyncio.ensure_future(engine.perform(at(known), ask(b"hello\n"), 0.5))
            await begun(engine, future)
            await asyncio.sleep(0.1 if handler is silent else 0)
            block(1.0)
            return await future

    with peer(handler) as known:
        transcript = run(once())
    assert transcript.lag_ms > 100
    if transcript.fault is not None:
        assert (transcript.fault.outcome, transcript.fault.cause) == (Outcome.UNKNOWN, Cause.MONITOR_STARVED)
    else:
        assert handler is not silent


def test_a_loop_blocked_late_in_a_long_conversation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun alone, long ago: the meter must not have fallen asleep."""
    monkeypatch.setattr("trueup.engine.lag.IDLE_TICKS_MAX", 2)

    async def once() -> Transcript:
        async with Engine() as engine:
            future = asyncio.ensure_future(engine.perform(at(known), hear(), 1.0))
            await asyncio.sleep(0.6)
            block(0.7)
            return await future

    with peer(silent) as known:
        fault = asyncio.run(once()).fault
    assert fault is not None
    assert fault.cause is Cause.MONITOR_STARVED


def test_a_suspended_process_cant_judge() -> None:
    """SIGSTOP, a laptop's lid, a paused virtual machine."""
    script = (
        "import sys; from tests.engine.conversations import hear, perform; "
        "from trueup.conversation import Dial; print('begun', flush=True); "
        "print(perform(Dial('127.0.0.1', int(sys.argv[1])), hear(), 0.6).fault.cause)"
    )
    with peer(silent) as known:
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(known.port)],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path)),
        )
        assert child.stdout is not None
        child.stdout.readline()
        while not known.heard:  # it's connected
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(1.2)
        os.kill(child.pid, signal.SIGCONT)
        said, _ = child.communicate(timeout=20)
    assert said.strip() == "monitor-starved"


def test_a_quick_conversation_pays_nothing_for_the_meter() -> None:
    with peer(says(b"hello\n")) as known:
        assert perform(at(known), hear()).lag_ms == 0.0
