import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.beds.commands import stop
from tests.beds.deadline import wait_until
from tests.host.as_user import as_nobody
from trueup.host import owners as module
from trueup.host.facts import Owner, OwnerUnknown, ProcessState
from trueup.host.owners import Owners
from trueup.host.processes import Processes, Stat

FORKING = """
import os, socket, sys, time
listener = socket.socket(fileno=int(sys.argv[1]))
for _ in range(2):
    if os.fork() == 0:
        time.sleep(60)
print("ready", flush=True)
time.sleep(60)
"""


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def inode_of(listener: socket.socket) -> int:
    return os.fstat(listener.fileno()).st_ino


@contextmanager
def given_to(
    listener: socket.socket, code: str, *, name: str | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A process, in a group of its own, that holds the listener."""
    process = subprocess.Popen(
        [name or sys.executable, "-c", code, str(listener.fileno())],
        executable=sys.executable,
        pass_fds=[listener.fileno()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        stop(process)


def test_the_process_that_listens_is_named() -> None:
    with listening() as listener:
        inode = inode_of(listener)
        assert Owners(Processes()).of([inode]) == {inode: Owner(os.getpid(), (os.getpid(),))}


def test_a_master_is_named_before_its_workers_who_are_all_listed() -> None:
    with listening() as listener:
        inode = inode_of(listener)
        with given_to(listener, FORKING) as master:
            listener.close()
            owner = Owners(Processes()).of([inode])[inode]
            assert owner.pid == master.pid
            assert len(owner.pids) == 3


def test_a_service_is_named_before_the_systemd_that_opened_its_socket() -> None:
    rename = 'import ctypes; ctypes.CDLL(None).prctl(15, b"systemd", 0, 0, 0)\n'
    code = rename + "import time; print('ready', flush=True); time.sleep(60)"
    with listening() as listener:
        inode = inode_of(listener)
        with given_to(listener, code) as init:
            both = Owners(Processes()).of([inode])[inode]
            assert (both.pid, both.by_init, set(both.pids)) == (os.getpid(), True, {os.getpid(), init.pid})
            listener.close()
            alone = Owners(Processes()).of([inode])[inode]
            assert alone == Owner(init.pid, (init.pid,), by_init=True)


def test_a_socket_that_is_gone_belongs_to_nobody_where_all_can_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everyone = Processes()
    # Whatever else runs on this machine may refuse even root: this very process never does.
    monkeypatch.setattr(everyone, "pids", lambda: (os.getpid(),))
    with listening() as listener:
        inode = inode_of(listener)
    assert Owners(everyone, trusted=True).of([inode])[inode] == Owner(None, unknown=OwnerUnknown.NOBODY)


def test_a_holder_that_lets_go_is_noticed_at_the_next_look() -> None:
    owners = Owners(Processes())
    with listening() as listener:
        inode = inode_of(listener)
        with given_to(listener, "import time; print('ready', flush=True); time.sleep(60)") as other:
            assert set(owners.of([inode])[inode].pids) == {os.getpid(), other.pid}
            listener.close()
            assert owners.of([inode])[inode] == Owner(other.pid, (other.pid,))
        wait_until(lambda: owners.of([inode])[inode].pid is None, "the owner that was killed is forgotten")


LETTING_GO = """
import socket, sys
kept = socket.socket(fileno=int(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
kept.close()
print("let go", flush=True)
sys.stdin.readline()
"""


def test_who_has_not_run_is_not_asked_and_who_has_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    still_held = Owners._still_held

    def noted(self: Owners, pid: int, *rest: Any) -> dict[int, str]:
        asked.append(pid)
        return still_held(self, pid, *rest)

    monkeypatch.setattr(Owners, "_still_held", noted)
    owners = Owners(Processes(), monotonic_s=lambda: 0.0)
    with listening() as listener:
        inode = inode_of(listener)
        with given_to(listener, LETTING_GO) as sleeping, given_to(listener, FORKING) as other:
            listener.close()

            def at_rest() -> bool:
                asked.clear()
                return owners.of([inode]) is owners.of([inode]) and not asked

            wait_until(at_rest, "they have come to rest")
            before = owners.of([inode])[inode]
            assert {sleeping.pid, other.pid} < set(before.pids)
            assert sleeping.stdin is not None
            assert sleeping.stdout is not None
            sleeping.stdin.write("\n")
            sleeping.stdin.flush()
            assert sleeping.stdout.readline() == "let go\n"
            now = owners.of([inode])[inode]
            assert set(asked) == {sleeping.pid}
            assert set(now.pids) == set(before.pids) - {sleeping.pid}


RENAMING = """
import ctypes, sys
print("ready", flush=True)
sys.stdin.readline()
ctypes.CDLL(None).prctl(15, b"systemd", 0, 0, 0)
print("renamed", flush=True)
sys.stdin.readline()
"""


def test_who_has_run_is_asked_for_its_name_again() -> None:
    owners = Owners(Processes(), monotonic_s=lambda: 0.0)
    with listening() as listener:
        inode = inode_of(listener)
        with given_to(listener, RENAMING) as other:
            listener.close()
            assert not owners.of([inode])[inode].by_init
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write("\n")
            other.stdin.flush()
            assert other.stdout.readline() == "renamed\n"
            assert owners.of([inode])[inode] == Owner(other.pid, (other.pid,), by_init=True)


def test_who_is_stopped_is_at_rest_and_holds_what_it_held() -> None:
    owners = Owners(Processes())
    with listening() as listener:
        inode = inode_of(listener)
        with given_to(listener, "import time; print('ready', flush=True); time.sleep(60)") as other:
            listener.close()
            for told in (signal.SIGSTOP, signal.SIGCONT):
                os.kill(other.pid, told)
                assert owners.of([inode])[inode] == Owner(other.pid, (other.pid,))


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Who was looked into since it was last cleared."""
    pids: list[int] = []
    look_into = Owners._look_into

    def noted(self: Owners, pid: int, ran: bytes | None) -> None:
        pids.append(pid)
        look_into(self, pid, ran)

    monkeypatch.setattr(Owners, "_look_into", noted)
    return pids


def among(pids: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> Processes:
    """A machine of these processes: whatever else runs on this one may begin and end as it likes."""
    processes = Processes()
    monkeypatch.setattr(processes, "pids", lambda: tuple(pids))
    return processes


SLEEPING = "import time; print('ready', flush=True); time.sleep(60)"
HANDED = """
import os, socket, sys
way = socket.socket(fileno=int(sys.argv[1]))
print("ready", flush=True)
held = socket.recv_fds(way, 1, 1)
print("got it", flush=True)
sys.stdin.readline()
"""


def test_a_new_inode_is_sought_in_all_and_a_known_one_only_in_new_processes(
    monkeypatch: pytest.MonkeyPatch, looked_into: list[int]
) -> None:
    pids = [os.getpid()]
    owners = Owners(among(pids, monkeypatch), monotonic_s=lambda: 0.0)
    with listening() as first, listening() as second:
        one, two = inode_of(first), inode_of(second)
        owners.of([one])
        assert looked_into == pids
        owners.of([one])
        assert looked_into == pids
        with given_to(first, SLEEPING) as heir:
            pids.append(heir.pid)
            assert set(owners.of([one])[one].pids) == set(pids)
            assert looked_into == pids
            looked_into.clear()
            owners.of([one, two])
            assert set(looked_into) == set(pids)


def test_a_socket_that_was_handed_over_is_found_later_in_who_has_run(
    monkeypatch: pytest.MonkeyPatch, looked_into: list[int]
) -> None:
    now_s = 0.0
    ours, theirs = socket.socketpair()
    with listening() as listener, ours, theirs:
        inode = inode_of(listener)
        with given_to(theirs, HANDED) as other, given_to(ours, SLEEPING) as sleeping:
            those = among([other.pid, sleeping.pid], monkeypatch)
            owners = Owners(those, monotonic_s=lambda: now_s)

            def walked() -> list[int]:
                nonlocal now_s
                now_s += module.WALK_AGAIN_AFTER_S + 1
                looked_into.clear()
                owners.of([inode])
                return looked_into

            wait_until(lambda: not walked(), "both have come to rest")
            socket.send_fds(ours, [b"!"], [listener.fileno()])
            assert other.stdout is not None
            assert other.stdout.readline() == "got it\n"
            assert owners.of([inode])[inode].pid is None
            assert walked() == [other.pid]
            assert owners.of([inode])[inode].pid == other.pid


def test_an_inode_that_stays_unknown_is_not_sought_at_each_look(
    monkeypatch: pytest.MonkeyPatch, looked_into: list[int]
) -> None:
    owners = Owners(among([os.getpid()], monkeypatch), monotonic_s=lambda: 0.0)
    with listening() as listener:
        inode = inode_of(listener)
        assert owners.of([4242, inode])[4242].pid is None
        for _ in range(3):
            assert owners.of([4242])[4242].pid is None
    assert looked_into == [os.getpid()]


def test_a_process_that_comes_again_under_its_number_is_a_new_one(
    monkeypatch: pytest.MonkeyPatch, looked_into: list[int]
) -> None:
    pids = [os.getpid()]
    owners = Owners(among(pids, monkeypatch), monotonic_s=lambda: 0.0)
    with listening() as listener:
        inode = inode_of(listener)
        assert owners.of([inode])[inode].pid == os.getpid()
        pids.clear()
        owners.of([inode])
        pids.append(os.getpid())
        looked_into.clear()
        owners.of([inode])
        assert looked_into == [os.getpid()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_without_permission_the_owner_is_unknown_never_another() -> None:
    with listening() as listener:
        inode = inode_of(listener)
        owner = as_nobody(lambda: Owners(Processes()).of([inode])[inode])
        # nobody's own fork holds the descriptor too; give it away and nothing is left to see
        assert owner.pid != os.getpid()

        def after_closing() -> Owner:
            listener.close()
            return Owners(Processes()).of([inode])[inode]

        assert as_nobody(after_closing) == Owner(None, unknown=OwnerUnknown.PERMISSION)


def test_inode_0_is_nobodys() -> None:
    assert Owners(Processes(), trusted=True).of([0])[0].pid is None


def test_a_master_with_a_higher_number_than_its_workers_is_named() -> None:
    """Numbers start over at their maximum."""

    def stat(pid: int, parent_pid: int, start_ticks: int, name: str = "nginx") -> Stat:
        return Stat(pid, name, ProcessState.SLEEPING, parent_pid, 1, start_ticks, 0)

    holders = {5: stat(5, 4000, 20), 6: stat(6, 4000, 21), 4000: stat(4000, 1, 10)}
    assert module._named(holders).pid == 4000
    # two that don't know each other share a socket: the older one made it
    assert module._named({5: stat(5, 1, 20), 4000: stat(4000, 1, 10)}).pid == 4000
