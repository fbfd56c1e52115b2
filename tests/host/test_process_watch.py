import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from tests.beds.commands import stop
from tests.host.soon import until
from trueup.host import process_watch as module
from trueup.host.facts import Process
from trueup.host.process_watch import ProcessExits
from trueup.host.processes import Processes
from trueup.host.unreadable import HostUnreadable, Reason


def sleeping() -> "subprocess.Popen[str]":
    return subprocess.Popen(["sleep", "60"], text=True)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
def test_a_kill_is_told_before_anybody_waits_for_it(run_loop: Callable[..., None]) -> None:
    processes = Processes()

    async def run() -> None:
        exited: list[Process] = []
        watch = ProcessExits(processes, exited.append)
        children = [sleeping() for _ in range(2)]
        try:
            watch.watch(processes.read(child.pid) for child in children)
            os.kill(children[1].pid, signal.SIGKILL)
            await until(lambda: bool(exited))
            assert [one.pid for one in exited] == [children[1].pid]
        finally:
            watch.close()
            for child in children:
                stop(child)

    run_loop(run())


def test_those_no_longer_watched_end_unsaid_and_leave_no_descriptor() -> None:
    processes = Processes()

    async def run() -> None:
        exited: list[Process] = []
        watch = ProcessExits(processes, exited.append)
        before = descriptors()
        child = sleeping()
        watch.watch([processes.read(child.pid)])
        assert descriptors() == before + 1
        watch.watch([])
        stop(child)
        await asyncio.sleep(0.05)
        assert exited == []
        assert descriptors() == before

    asyncio.run(run())


def test_one_that_ended_before_and_one_whose_number_is_anothers_are_told() -> None:
    processes = Processes()

    async def run() -> list[int]:
        exited: list[Process] = []
        watch = ProcessExits(processes, exited.append)
        child = sleeping()
        was = processes.read(child.pid)
        stop(child)
        me = processes.read(os.getpid())
        watch.watch([was, replace(me, start_ticks=me.start_ticks - 1)])
        watch.close()
        return [one.pid - os.getpid() for one in exited if one.pid == os.getpid()] + [len(exited)]

    assert asyncio.run(run()) == [0, 2]


def test_it_watches_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCHED_MAX", 1)
    processes = Processes()

    async def run() -> list[Process]:
        exited: list[Process] = []
        watch = ProcessExits(processes, exited.append)
        children = [sleeping() for _ in range(2)]
        watch.watch(processes.read(child.pid) for child in children)
        for child in children:
            stop(child)
        await asyncio.sleep(0.05)
        watch.close()
        return exited

    assert len(asyncio.run(run())) == 1


def test_an_old_kernel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", missing)

    async def run() -> None:
        ProcessExits(Processes(), lambda _: None).watch([Processes().read(os.getpid())])

    with pytest.raises(HostUnreadable) as caught:
        asyncio.run(run())
    assert caught.value.reason is Reason.UNSUPPORTED
