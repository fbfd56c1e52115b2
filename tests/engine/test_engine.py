"""Thousands at a time, never more than allowed, and none forgotten."""

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from tests.beds.namespaces import network
from tests.engine.conversations import answer_of, ask, at, block, connected, hear, until
from tests.engine.peers import Peer, answers, peer, says, silent
from trueup.conversation import Conversation, Dial, Line, Receive, Send, Transport, ready
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.engine import engine as engine_module
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript

MANY = 2000


@contextlib.contextmanager
def gathering(together: int) -> Iterator[Peer]:
    """An asyncio server that answers nobody before that many are connected at once."""
    known = Peer("127.0.0.1", 0)
    started, stopping = threading.Event(), threading.Event()

    async def serve() -> None:
        everybody = asyncio.Event()
        present = 0

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal present
            present += 1
            if present >= together:
                everybody.set()
            with contextlib.suppress(OSError):
                await everybody.wait()
                writer.write(b"hello\n")
                await reader.read()
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=4096)
        known.port = server.sockets[0].getsockname()[1]
        started.set()
        await until(stopping.is_set, 100)
        everybody.set()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait(5)
    try:
        yield known
    finally:
        stopping.set()
        thread.join(10)


def test_two_thousand_at_once() -> None:
    async def all_of_them() -> list[Transcript]:
        async with Engine(MANY) as engine:
            return list(await asyncio.gather(*(engine.perform(at(known), hear(), 60) for _ in range(MANY))))

    with gathering(MANY) as known:
        transcripts = uvloop.run(all_of_them())
    assert {answer_of(transcript).detail for transcript in transcripts} == {"hello\n"}


def test_no_more_than_allowed_are_under_way() -> None:
    most = 0

    async def all_of_them() -> list[Transcript]:
        nonlocal most
        async with Engine(in_flight_max=3) as engine:
            tasks = [asyncio.ensure_future(engine.perform(at(known), hear(), 5)) for _ in range(20)]
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0.001)
                most = max(most, engine.in_flight)
            return [task.result() for task in tasks]

    with peer(says(b"hello\n")) as known:
        transcripts = asyncio.run(all_of_them())
    assert [answer_of(transcript).detail for transcript in transcripts] == ["hello\n"] * 20
    assert most <= 3


def test_time_counts_from_when_ones_turn_comes() -> None:
    def serve(connection: socket.socket) -> None:
        time.sleep(0.15)
        connection.sendall(b"hello\n")
        silent(connection)

    async def all_of_them() -> list[Transcript]:
        async with Engine(in_flight_max=1) as engine:
            return list(await asyncio.gather(*(engine.perform(at(known), hear(), 0.6) for _ in range(8))))

    with peer(serve) as known:
        transcripts = asyncio.run(all_of_them())
    assert [answer_of(transcript).detail for transcript in transcripts] == ["hello\n"] * 8


@pytest.mark.parametrize("in_flight_max", [1, 10])
def test_thousands_that_fail_at_once_dont_pile_up(in_flight_max: int, tmp_path: Path) -> None:
    """A lost network: each ends as it begins, and begins the next."""
    nobody = Dial(str(tmp_path / "none"), transport=Transport.UNIX)

    async def all_of_them() -> list[Transcript]:
        async with Engine(in_flight_max) as engine:
            first = [
                asyncio.ensure_future(engine.perform(at(known), hear(), 5)) for _ in range(in_flight_max)
            ]
            waiting = [asyncio.ensure_future(engine.perform(nobody, hear(), 5)) for _ in range(3000)]
            await asyncio.gather(*first)
            return list(await asyncio.wait_for(asyncio.gather(*waiting), 20))

    with peer(says(b"hello\n")) as known:
        transcripts = asyncio.run(all_of_them())
    for transcript in transcripts:
        assert transcript.fault is not None
        assert transcript.fault.cause is Cause.REFUSED


def test_one_that_is_cancelled_closes_its_connection_and_makes_room() -> None:
    async def both(known: Peer) -> Transcript:
        async with Engine(in_flight_max=1) as engine:
            first = asyncio.ensure_future(engine.perform(at(known), hear(), 30))
            waiting = asyncio.ensure_future(engine.perform(at(known), hear(), 30))
            last = asyncio.ensure_future(engine.perform(at(known), ask(b"hi\n"), 30))
            await until(lambda: known.heard)
            waiting.cancel()
            first.cancel()
            return await last

    with peer(answers(b"hello\n")) as known:
        assert answer_of(asyncio.run(both(known))).detail == "hello\n"
        deadline_s = time.monotonic() + 5
        while "reset" not in known.ended and time.monotonic() < deadline_s:
            time.sleep(0.01)
    assert known.ended[0] == "reset"
    assert len(known.heard) == 2, "the one that waited never began"


def test_a_generator_is_closed_with_its_conversation() -> None:
    ended: list[str] = []

    def talk() -> Conversation:
        try:
            yield Receive(Line())
        finally:
            ended.append("closed")
        return ready("not reached")

    async def cancelled(known: Peer) -> None:
        async with Engine() as engine:
            task = asyncio.ensure_future(engine.perform(at(known), talk(), 30))
            await until(lambda: known.heard)
            task.cancel()

    with peer(silent) as known:
        asyncio.run(cancelled(known))
    assert ended == ["closed"]


@pytest.mark.parametrize("in_flight_max", [1, 100])
def test_nobody_waits_for_an_engine_that_is_gone(in_flight_max: int) -> None:
    """Stopping is an answer, too: unknown."""

    async def stop_it(known: Peer) -> list[Transcript]:
        engine = Engine(in_flight_max)
        tasks = [asyncio.ensure_future(engine.perform(at(known), hear(), 30)) for _ in range(5)]
        tasks.append(asyncio.ensure_future(engine.perform(Dial("hangs.invalid", 1), hear(), 30)))
        await until(lambda: known.heard)
        engine.close()
        return list(await asyncio.wait_for(asyncio.gather(*tasks), 5))

    with peer(silent) as known, pytest.MonkeyPatch.context() as patch:
        patch.setattr("trueup.engine.resolve.look_up", lambda *_: time.sleep(0.3))
        for transcript in asyncio.run(stop_it(known)):
            assert transcript.fault is not None
            assert transcript.fault.outcome is Outcome.UNKNOWN
            assert transcript.fault.cause is None


def test_nothing_is_left_open() -> None:
    script = (
        "import asyncio, os, sys\n"
        "from tests.engine.conversations import ask, hear\n"
        "from trueup.conversation import Dial, Send, ready\n"
        "from trueup.engine.engine import Engine\n"
        "dial = Dial('127.0.0.1', int(sys.argv[1]))\n"
        "def quits():\n"
        "    yield Send(b'QUIT')\n"
        "    return ready('bye')\n"
        "async def main():\n"
        "    async with Engine() as engine:\n"
        "        for polite in (False, True):\n"
        "            calls = (engine.perform(dial, quits(), 5, polite=polite) for _ in range(50))\n"
        "            await asyncio.gather(*calls)\n"
        "        await asyncio.gather(*(engine.perform(dial, hear(), 0.1) for _ in range(50)))\n"
        "        abandoned = [asyncio.ensure_future(engine.perform(dial, hear(), 30)) for _ in range(50)]\n"
        "        await asyncio.sleep(0.05)\n"
        "        for task in abandoned: task.cancel()\n"
        "asyncio.run(main())\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "asyncio.run(main())\n"
        "print(len(os.listdir('/proc/self/fd')) - before)\n"
    )
    with peer(silent) as known:
        assert _child(script, str(known.port)) == "0"


def test_a_polite_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "LINGER_S", 0.1)

    def quits() -> Conversation:
        yield Send(b"QUIT\n")
        return ready("bye")

    async def once(known: Peer) -> float:
        async with Engine() as engine:
            await engine.perform(at(known), quits(), 5, polite=True)
            began_s = time.monotonic()
            await until(lambda: known.ended)
            return time.monotonic() - began_s

    with peer(silent) as known:
        assert asyncio.run(once(known)) > 0.05
        assert known.ended == ["closed"]


def test_timers_come_in_their_order_and_only_when_due() -> None:
    async def race(known: Peer) -> list[int]:
        done: list[int] = []
        async with Engine() as engine:

            async def one(number: int) -> None:
                await engine.perform(at(known), hear(), number / 10)
                done.append(number)

            await asyncio.gather(*(one(number) for number in (5, 2, 4, 1, 3)))
        return done

    with peer(silent) as known:
        assert asyncio.run(race(known)) == [1, 2, 3, 4, 5]


def test_one_that_begins_as_another_ends_delays_no_deadline() -> None:
    """The next in the queue sets its own alarm while the present one rings."""

    async def queue(known: Peer) -> list[float]:
        async with Engine(in_flight_max=2) as engine:
            tasks = [
                asyncio.ensure_future(engine.perform(at(known), hear(), timeout_s))
                for timeout_s in (0.1, 0.3, 5)
            ]
            for task in tasks[:2]:
                await task
            tasks[2].cancel()
            return [task.result().total_ms for task in tasks[:2]]

    with peer(silent) as known:
        assert all(total_ms < 2000 for total_ms in asyncio.run(queue(known)))


def test_the_limit_of_files_is_raised_as_far_as_it_goes() -> None:
    script = (
        "import asyncio, resource\n"
        "from trueup.engine.engine import Engine\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 512))\n"
        "async def main():\n"
        "    async with Engine() as engine:\n"
        "        print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], engine._in_flight_max)\n"
        "asyncio.run(main())\n"
    )
    assert _child(script) == "512 448"


def test_without_a_file_left_it_cant_judge() -> None:
    """Ghost 32. A healthy peer must not look down."""
    script = (
        "import asyncio, os, resource, sys\n"
        "from tests.engine.conversations import hear\n"
        "from trueup.conversation import Dial\n"
        "from trueup.engine.engine import Engine\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "async def main():\n"
        "    async with Engine() as engine:\n"
        "        taken = []\n"
        "        try:\n"
        "            while True: taken.append(os.dup(0))\n"
        "        except OSError: pass\n"
        "        for dial in (Dial('127.0.0.1', int(sys.argv[1])), Dial('localhost', int(sys.argv[1]))):\n"
        "            fault = (await engine.perform(dial, hear(), 5)).fault\n"
        "            print(fault.outcome.value, fault.cause and fault.cause.value)\n"
        "        os.close(taken.pop())\n"
        "        dial = Dial('127.0.0.1', int(sys.argv[1]))\n"
        "        print((await engine.perform(dial, hear(), 5)).answer.detail)\n"
        "asyncio.run(main())\n"
    )
    with peer(says(b"hello\n")) as known:
        said = _child(script, str(known.port)).split("\n")
    assert said[0] == "unknown monitor-starved"
    assert said[1].startswith("unknown "), "the resolver has none, either"
    assert said[2] == "hello"


def _child(script: str, *arguments: str) -> str:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are root's")
def test_without_a_port_left_it_cant_judge() -> None:
    """Ghost 32: four local ports for one address, all taken."""
    with network("monitor") as (monitor,), monitor.enter():
        monitor.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40003")

        async def several(known: Peer) -> list[Transcript]:
            async with Engine() as engine:
                tasks = [asyncio.ensure_future(engine.perform(at(known), hear(), 30)) for _ in range(10)]
                await until(lambda: len(known.heard) + sum(task.done() for task in tasks) >= len(tasks))
                ended = [task.result() for task in tasks if task.done()]
                for task in tasks:
                    task.cancel()
                return ended

        with peer(silent) as known:
            transcripts = asyncio.run(several(known))
    assert len(transcripts) >= 6
    for transcript in transcripts:
        assert transcript.fault is not None
        assert (transcript.fault.outcome, transcript.fault.cause) == (Outcome.UNKNOWN, Cause.MONITOR_STARVED)


def test_others_go_on_while_one_is_slow() -> None:
    """A hundred silent peers and one that answers."""

    async def race(known: Peer, mute: Peer) -> float:
        async with Engine() as engine:
            slow = [asyncio.ensure_future(engine.perform(at(mute), hear(), 30)) for _ in range(100)]
            await asyncio.sleep(0)
            transcript = await engine.perform(at(known), hear(), 30)
            for task in slow:
                task.cancel()
            return transcript.total_ms

    with peer(says(b"hello\n")) as known, peer(silent) as mute:
        assert asyncio.run(race(known, mute)) < 5000


def test_a_burst_after_a_pause_is_read_to_its_end() -> None:
    """More sockets ready than one wake takes: edge-triggered, each is told once."""
    count = engine_module.EVENTS_MAX + 200

    async def all_of_them(known: Peer) -> list[Transcript]:
        async with Engine(count) as engine:
            tasks = [asyncio.ensure_future(engine.perform(at(known), hear(), 30)) for _ in range(count)]
            await asyncio.sleep(0.05)
            block(0.5)
            return list(await asyncio.gather(*tasks))

    with gathering(1) as known:
        transcripts = asyncio.run(all_of_them(known))
    assert {answer_of(transcript).detail for transcript in transcripts} == {"hello\n"}


def test_memory_goes_with_the_conversations() -> None:
    """Ten thousand of them, one after another, leave little behind."""

    async def many(nobody: Dial) -> int:
        async with Engine() as engine:
            for _ in range(200):
                await asyncio.gather(*(engine.perform(nobody, connected(), 0.5) for _ in range(10)))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(800):
                await asyncio.gather(*(engine.perform(nobody, connected(), 0.5) for _ in range(10)))
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    grown_kb = asyncio.run(many(Dial("/nonexistent", transport=Transport.UNIX)))
    assert grown_kb < 20_000
