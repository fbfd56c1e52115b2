"""A process that holds its port and answers nobody: stopped, frozen, hung, out of files, its disk full."""

import socket
from pathlib import Path

import pytest

from tests.beds.deadline import wait_until
from tests.host_ghosts.stage import Seen, Stage

PAUSED = ("down", "host", "paused")


def test_redis_stopped_by_a_signal(stage: Stage) -> None:
    stage.start("redis-server")
    inside = stage.machine.show("redis-server", "MainPID")["MainPID"]
    stage.pause(*stage.machine.pids("redis-server"))
    seen = stage.check("redis://127.0.0.1")
    assert seen.verdict == PAUSED
    assert seen.outside == ["silent"]
    assert seen.summary == f"redis-server (pid {inside}) is stopped by a signal"
    assert seen.next == [f"kill -CONT {inside}"]
    stage.go_on()
    assert stage.check("redis://127.0.0.1").state == "up"


def test_the_postmaster_stopped_by_a_signal(stage: Stage) -> None:
    stage.start("postgresql@15-main")
    stage.pause(_master(stage, "postgresql@15-main"))
    seen = stage.check("postgres://127.0.0.1")
    assert seen.verdict == PAUSED
    assert seen.summary.startswith("postgres (pid ")


def test_mariadb_stopped_by_a_signal(stage: Stage) -> None:
    stage.start("mariadb")
    stage.pause(*stage.machine.pids("mariadb"))
    assert stage.check("mysql://127.0.0.1").verdict == PAUSED


def test_the_workers_of_nginx_stopped_by_a_signal(stage: Stage) -> None:
    stage.start("nginx")
    workers = [pid for pid in stage.machine.pids("nginx") if pid != _master(stage, "nginx")]
    stage.pause(*workers)
    seen = stage.check("http://127.0.0.1")
    assert seen.verdict == PAUSED
    assert len(seen.todo.split()) == len(("kill", "-CONT", *workers))


def test_a_unit_that_is_frozen(stage: Stage) -> None:
    stage.start("redis-server")
    stage.machine.systemctl("freeze", "redis-server")
    seen = stage.check("redis://127.0.0.1")
    assert seen.verdict == PAUSED
    assert seen.next == ["systemctl thaw redis-server.service"]


def test_a_short_queue_that_nobody_empties(stage: Stage) -> None:
    stage.service("deaf.service", "waits.py", "127.0.0.1", 5999, 1)
    stage.wait_for_port(5999)
    causes = []
    for _ in range(3):
        seen = stage.check("redis://127.0.0.1:5999", timeout="1s")
        assert seen.verdict == ("down", "host", "hung")
        assert "accepts nothing" in seen.summary
        assert "systemctl restart deaf.service" in seen.next
        causes += seen.outside
    assert set(causes) <= {"silent", "no-answer"}
    assert causes[-1] == "no-answer"
    assert seen.facts["queue"] > seen.facts["queue_max"]


def test_out_of_file_descriptors(stage: Stage) -> None:
    stage.service("full.service", "hoards.py", 5999, options="LimitNOFILE=24\n")
    stage.wait_for_port(5999)
    with stage.machine.namespace.enter():
        clients = [socket.create_connection(("127.0.0.1", 5999), timeout=5) for _ in range(30)]
    try:
        seen = stage.check("redis://127.0.0.1:5999", timeout="1s")
    finally:
        for client in clients:
            client.close()
    assert seen.verdict == ("down", "service", "overloaded")
    assert "has 24 of 24 files open" in seen.summary
    assert "systemctl edit full.service" in seen.todo


@pytest.fixture
def small_disk(stage: Stage) -> str:
    """A file system of half a megabyte."""
    stage.machine.run("mkdir", "-p", "/small")
    stage.machine.run("mount", "-t", "tmpfs", "-o", "size=512k", "small", "/small")
    return "/small"


def test_a_full_disk_behind_an_error(stage: Stage, small_disk: str) -> None:
    stage.service("shop.service", "shop.py", "127.0.0.1", 5999, small_disk)
    stage.wait_for_port(5999)
    assert stage.check("http://127.0.0.1:5999").state == "up"
    stage.machine.run("sh", "-c", f"cat /dev/zero > {small_disk}/filler", check=False)
    try:
        seen = stage.check("http://127.0.0.1:5999")
        elsewhere = _with_another_disk(stage)
    finally:
        stage.machine.systemctl("stop", "shop")
        stage.machine.run("umount", small_disk)
    assert seen.verdict == ("down", "service", "disk-full")
    assert seen.outside == ["error-answer"]
    assert seen.summary.startswith("/small has no space left")
    assert seen.next[0] == "df -h /small; df -i /small"
    assert elsewhere.cause == "error-answer"


def _with_another_disk(stage: Stage) -> Seen:
    """An error of one who doesn't write to the disk that is full."""
    stage.write("/etc/nginx/conf.d/sorry.conf", "server { listen 5998; return 500; }\n")
    stage.start("nginx")
    return stage.check("http://127.0.0.1:5998")


def _master(stage: Stage, unit: str) -> int:
    """The main process, seen from here: the one whose parent is none of the unit's."""
    pids = stage.machine.pids(unit)
    return next(pid for pid in pids if _parent(pid) not in pids)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_waiting_is_over_when_it_goes_on(stage: Stage) -> None:
    stage.start("redis-server")
    stage.pause(*stage.machine.pids("redis-server"))
    assert stage.check("redis://127.0.0.1", timeout="1s").verdict == PAUSED
    stage.go_on()
    wait_until(lambda: stage.check("redis://127.0.0.1").state == "up", "redis goes on")
