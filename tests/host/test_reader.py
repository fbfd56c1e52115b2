import asyncio
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.beds.commands import stop
from tests.beds.deadline import wait_until
from tests.beds.namespaces import network
from tests.host.fake_reader import FakeClock, container
from trueup.host.containers import Containers, Engine
from trueup.host.facts import Container, ProcessState
from trueup.host.journal import Journal
from trueup.host.memory_kills import KernelLog
from trueup.host.reader import Reader, ThisMachine
from trueup.host.report import HostReport, Listener
from trueup.host.survey import Interests, Survey
from trueup.host.traces import MemoryKill
from trueup.host.unreadable import HostUnreadable, Reason

NEVER_ACCEPTS = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0), backlog=1)
print(listener.getsockname()[1], flush=True)
time.sleep(60)
"""


def taken(survey: Survey) -> HostReport:
    return asyncio.run(survey.take())


def test_this_machine_is_a_reader() -> None:
    reader: Reader = ThisMachine()
    reader.close()


def test_a_stopped_server_whose_queue_grows_is_seen_as_both() -> None:
    """All that a person needs to say: it's stopped by a signal, and clients wait in vain."""
    clock = FakeClock(datetime.now(UTC))
    survey = Survey(ThisMachine(), "here", clock)
    server = subprocess.Popen([sys.executable, "-c", NEVER_ACCEPTS], stdout=subprocess.PIPE, text=True)
    clients = []
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())

        def listener() -> tuple[HostReport, Listener]:
            report = taken(survey)
            (one,) = report.reached_at("127.0.0.1", port)
            return report, one

        report, one = listener()
        assert (one.owner.pid, one.socket.queue, one.queued_since) == (server.pid, 0, None)
        server.send_signal(signal.SIGSTOP)
        clients = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2)]
        wait_until(lambda: listener()[1].socket.queue == 2, "both wait")
        clock.pass_time(seconds=2)
        report, one = listener()
        assert one.socket.queue_max == 1
        assert one.queued_since is not None
        assert (clock.at - one.queued_since).total_seconds() >= 2
        process = report.process(server.pid)
        assert process is not None
        assert process.state is ProcessState.STOPPED
    finally:
        for client in clients:
            client.close()
        server.kill()
        stop(server)


def test_a_process_is_found_by_its_name_though_it_does_not_listen() -> None:
    sleeper = subprocess.Popen(["sleep", "60"], text=True)
    try:
        survey = Survey(ThisMachine(), "here", FakeClock(), Interests(processes=frozenset({"sleep"})))
        wait_until(lambda: taken(survey).process(sleeper.pid), "it's in the report")
    finally:
        sleeper.kill()
        stop(sleeper)


def test_sockets_of_another_network_are_read_through_a_process_in_it() -> None:
    with network("inner") as (inner,):
        server = inner.popen(sys.executable, "-c", NEVER_ACCEPTS, stdout=subprocess.PIPE)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        reader = ThisMachine()
        found = reader.inner_sockets(server.pid)
        assert found is not None
        assert [one.port for one in found] == [port]
        assert reader.inner_sockets(os.getpid()) is None


def test_a_closed_kernel_log_is_read_from_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: object) -> list[MemoryKill]:
        raise HostUnreadable("/dev/kmsg", "Operation not permitted", Reason.PERMISSION)

    kill = MemoryKill(5, "shop", datetime.now(UTC))

    async def told(_: object) -> list[MemoryKill]:
        return [kill]

    monkeypatch.setattr(KernelLog, "kills", denied)
    monkeypatch.setattr(Journal, "memory_kills", told)
    assert asyncio.run(ThisMachine().memory_kills()) == (kill,)


def test_a_log_is_sought_in_each_engine_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Two(ThisMachine):
        def engines(self) -> tuple[Engine, ...]:
            return (Engine("docker", "/a"), Engine("podman", "/b"), Engine("podman", "/c"))

    asked = []

    async def absent(self: Containers, one: Container, count: int) -> None:
        asked.append(self.engine.socket_path)
        raise HostUnreadable("podman", "answered 404", Reason.ABSENT)

    monkeypatch.setattr(Containers, "log", absent)
    with pytest.raises(HostUnreadable) as caught:
        asyncio.run(Two().container_log(container("web", engine="podman")))
    assert caught.value.reason is Reason.ABSENT
    assert asked == ["/b", "/c"]


def test_without_an_engine_there_are_no_containers() -> None:
    class Bare(ThisMachine):
        def engines(self) -> tuple[Engine, ...]:
            return ()

    assert asyncio.run(Bare().containers()) == ()
