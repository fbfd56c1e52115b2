import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.beds.commands import stop
from tests.beds.deadline import wait_until
from tests.host.as_user import NOBODY, as_nobody
from tests.host.sample import sample_bytes, sample_text
from trueup.host.facts import ProcessState
from trueup.host.processes import (
    RESTING_AGAIN_AFTER_S,
    WHOLE_AGAIN_AFTER_S,
    Processes,
    Stat,
    parse_command,
    parse_executable,
    parse_files_max,
    parse_stat,
    parse_status,
)
from trueup.host.unreadable import HostUnreadable, Reason


@contextlib.contextmanager
def child(*argv: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(argv or ["sleep", "60"], text=True)
    try:
        yield process
    finally:
        process.kill()
        stop(process)


def state_of(pid: int) -> ProcessState:
    return Processes().read(pid).state


# ---- parsers ----------------------------------------------------------------------------------------------


def test_stat_of_a_redis_server() -> None:
    stat = parse_stat(sample_text("proc_stat_redis.txt"))
    assert (stat.pid, stat.name, stat.state, stat.threads) == (
        16758,
        "redis-server",
        ProcessState.SLEEPING,
        5,
    )
    assert stat.parent_pid == 16756
    assert stat.start_ticks == 205632
    assert stat.resident_bytes == 2970 * os.sysconf("SC_PAGE_SIZE")


def test_a_name_may_hold_brackets_and_spaces() -> None:
    stat = parse_stat("7 (a) R (b) Z 1 " + "0 " * 15 + "3 0 99 0 5 0")
    assert (stat.name, stat.state, stat.parent_pid, stat.threads, stat.start_ticks) == (
        "a) R (b",
        ProcessState.ZOMBIE,
        1,
        3,
        99,
    )


@pytest.mark.parametrize("text", ["", "7", "7 (x", "7 (x) S", "7 (x) S 1 2", "x (y) S " + "0 " * 30])
def test_a_stat_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(HostUnreadable) as caught:
        parse_stat(text)
    assert caught.value.reason is Reason.MALFORMED


def test_status_has_the_effective_user_and_the_tracer() -> None:
    assert parse_status(sample_text("proc_status_redis.txt")) == (0, 0)
    assert parse_status("TracerPid:\t12\nUid:\t1000\t33\t0\t0\n") == (33, 12)
    with pytest.raises(HostUnreadable):
        parse_status("Name:\tx\n")
    with pytest.raises(HostUnreadable):
        parse_status("TracerPid:\tx\nUid:\t1\n")


def test_limits_have_the_soft_limit_of_files() -> None:
    assert parse_files_max(sample_text("proc_limits_redis.txt")) == 20000
    assert (
        parse_files_max("Max open files            unlimited            unlimited            files") is None
    )
    with pytest.raises(HostUnreadable):
        parse_files_max("Max cpu time   unlimited\n")


def test_commands_and_titles() -> None:
    assert parse_command(sample_bytes("proc_cmdline_redis.txt")) == ("redis-server 127.0.0.1:7001",)
    assert parse_command(b"nginx: worker process\0\0\0\0\0") == ("nginx: worker process",)
    assert parse_command(b"a\0-b\0c d\0") == ("a", "-b", "c d")
    assert parse_command(b"") == ()  # a kernel thread or a zombie


def test_an_upgraded_program_shows() -> None:
    assert parse_executable("/usr/bin/redis-check-rdb (deleted)") == ("/usr/bin/redis-check-rdb", True)
    assert parse_executable("/usr/sbin/nginx") == ("/usr/sbin/nginx", False)


# ---- the live kernel --------------------------------------------------------------------------------------


def test_this_process_is_described() -> None:
    me = Processes().read(os.getpid())
    assert me.executable == str(Path(sys.executable).resolve())
    assert me.executable_deleted is False
    assert me.command == tuple(Path("/proc/self/cmdline").read_text().rstrip("\0").split("\0"))
    assert (me.uid, me.parent_pid, me.state) == (os.geteuid(), os.getppid(), ProcessState.RUNNING)
    assert me.files_open is not None
    with Path("/dev/null").open():
        assert Processes().read(os.getpid()).files_open == me.files_open + 1
    assert me.place is not None
    assert me.place.cgroup.startswith("/")
    assert me.resident_bytes is not None


def test_the_start_is_told_on_the_wall_clock() -> None:
    before = datetime.now(UTC)
    with child() as process:
        started_at = Processes().read(process.pid).started_at
    tick = timedelta(milliseconds=20)
    assert before - tick <= started_at <= datetime.now(UTC) + tick


def test_a_stopped_process_is_stopped_and_goes_on() -> None:
    with child() as process:
        assert state_of(process.pid) in {ProcessState.SLEEPING, ProcessState.RUNNING}
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: state_of(process.pid) is ProcessState.STOPPED, "T after SIGSTOP")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: state_of(process.pid) is not ProcessState.STOPPED, "not T after SIGCONT")


def test_a_zombie_is_a_zombie_and_what_is_reaped_is_absent() -> None:
    with child("true") as process:
        wait_until(lambda: state_of(process.pid) is ProcessState.ZOMBIE, "Z before it's waited for")
        assert Processes().read(process.pid).command == ()
    with pytest.raises(HostUnreadable) as caught:
        Processes().read(process.pid)
    assert caught.value.reason is Reason.ABSENT


def test_a_program_that_was_replaced_is_told(tmp_path: Path) -> None:
    program = tmp_path / "server"
    shutil.copy2("/bin/sleep", program)
    with child(str(program), "60") as process:
        wait_until(lambda: Processes().read(process.pid).executable == str(program), "it runs")
        program.unlink()
        upgraded = Processes().read(process.pid)
        assert (upgraded.executable, upgraded.executable_deleted) == (str(program), True)


def test_a_process_at_its_limit_of_files() -> None:
    code = (
        "import os, resource, time\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "try:\n"
        "    while True: os.dup(0)\n"
        "except OSError: pass\n"
        "time.sleep(60)"
    )
    with child(sys.executable, "-c", code) as process:

        def files() -> tuple[int | None, int | None]:
            now = Processes().read(process.pid)
            return now.files_open, now.files_max

        wait_until(lambda: files() == (20, 20), "20 of 20 files are open")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_another_users_process_is_described_as_far_as_allowed() -> None:
    with child() as process:
        seen = as_nobody(lambda: Processes().read(process.pid))
        assert (seen.name, seen.uid, seen.command) == ("sleep", 0, ("sleep", "60"))
        assert (seen.executable, seen.executable_deleted) == (None, None)
        own = as_nobody(lambda: Processes().read(os.getpid()))
        assert own.uid == NOBODY


def test_a_stuck_process_is_not_asked_for_its_arguments(tmp_path: Path) -> None:
    """A hang on a dead file system holds the lock that reading the arguments takes: ps hangs on it too."""
    folder = tmp_path / "16758"
    folder.mkdir()
    (folder / "stat").write_text(sample_text("proc_stat_redis.txt").replace(" S ", " D ", 1))
    (folder / "status").write_text(sample_text("proc_status_redis.txt"))
    (folder / "wchan").write_text("nfs_wait_on_request")
    os.mkfifo(folder / "cmdline")  # would block whoever reads it to its end
    stuck = Processes(str(tmp_path)).read(16758)
    assert (stuck.state, stuck.command, stuck.waits_in) == (
        ProcessState.UNINTERRUPTIBLE,
        None,
        "nfs_wait_on_request",
    )


def test_pids_lists_this_one(tmp_path: Path) -> None:
    assert os.getpid() in Processes().pids()
    with pytest.raises(HostUnreadable):
        Processes(str(tmp_path / "none")).pids()


def test_time_goes_forward_between_starts() -> None:
    with child() as first:
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            with child() as second:
                older, younger = Processes().stat(first.pid), Processes().stat(second.pid)
                if younger.start_ticks > older.start_ticks:
                    return
    pytest.fail("two processes a second apart started in the same tick")


# ---- what is kept between looks ----------------------------------------------------------------------------


@pytest.fixture
def fake_proc(tmp_path: Path) -> Path:
    folder = tmp_path / "16758"
    folder.mkdir()
    for name in ("stat", "status", "limits", "cmdline"):
        (folder / name).write_bytes(sample_bytes(f"proc_{name}_redis.txt"))
    return folder


def test_what_seldom_changes_is_read_again_once_a_minute(fake_proc: Path) -> None:
    now_s = 0.0
    processes = Processes(str(fake_proc.parent), monotonic_s=lambda: now_s)
    assert processes.read(16758).command == ("redis-server 127.0.0.1:7001",)
    (fake_proc / "cmdline").write_text("redis-server\0--new")
    (fake_proc / "stat").write_text(sample_text("proc_stat_redis.txt").replace(" S ", " T ", 1))
    before = processes.read(16758)
    assert (before.command, before.state) == (("redis-server 127.0.0.1:7001",), ProcessState.STOPPED)
    now_s = WHOLE_AGAIN_AFTER_S + 1
    assert processes.read(16758).command == ("redis-server", "--new")


@pytest.mark.parametrize(("old", "new"), [("205632", "205633"), ("(redis-server)", "(valkey-server)")])
def test_another_process_or_program_under_the_number_is_read_whole(
    fake_proc: Path, old: str, new: str
) -> None:
    processes = Processes(str(fake_proc.parent), monotonic_s=lambda: 0.0)
    processes.read(16758)
    (fake_proc / "cmdline").write_text("other")
    (fake_proc / "stat").write_text(sample_text("proc_stat_redis.txt").replace(old, new))
    assert processes.read(16758).command == ("other",)


def test_a_process_that_gets_stuck_keeps_the_arguments_that_were_read_before(fake_proc: Path) -> None:
    now_s = 0.0
    processes = Processes(str(fake_proc.parent), monotonic_s=lambda: now_s)
    processes.read(16758)
    now_s = WHOLE_AGAIN_AFTER_S + 1
    (fake_proc / "cmdline").write_text("would hang")
    (fake_proc / "stat").write_text(sample_text("proc_stat_redis.txt").replace(" S ", " D ", 1))
    assert processes.read(16758).command == ("redis-server 127.0.0.1:7001",)


def test_processes_are_found_by_their_name_or_their_programs() -> None:
    with child("sleep", "60") as process:
        wait_until(lambda: process.pid in Processes().named({"sleep"}), "by its name")
    assert os.getpid() in Processes().named({Path(sys.executable).resolve().name})
    assert Processes().named({"no-such-process-here"}) == ()


def test_a_process_is_found_by_the_script_that_it_runs(tmp_path: Path) -> None:
    script = tmp_path / "shop-app.py"
    script.write_text("import time; time.sleep(60)")
    with child(sys.executable, "-u", str(script)) as process:
        wait_until(lambda: Processes().named({"shop-app.py"}) == (process.pid,), "by its script")


def test_who_has_not_run_is_the_same_object_and_its_stat_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = Processes()
    read: list[int] = []
    stat = Processes.stat

    def noted(self: Processes, pid: int) -> Stat:
        read.append(pid)
        return stat(self, pid)

    monkeypatch.setattr(Processes, "stat", noted)
    with child() as process:

        def at_rest() -> bool:
            before = processes.read(process.pid)
            read.clear()
            return processes.read(process.pid) is before and not read

        wait_until(at_rest, "it sleeps")
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: processes.read(process.pid).state is ProcessState.STOPPED, "T after SIGSTOP")
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: processes.read(process.pid).state is ProcessState.SLEEPING, "S after SIGCONT")
        process.kill()
        wait_until(
            lambda: processes.read(process.pid).state is ProcessState.ZOMBIE, "Z before it's waited for"
        )
        process.wait()
        with pytest.raises(HostUnreadable) as caught:
            processes.read(process.pid)
        assert caught.value.reason is Reason.ABSENT


def test_what_others_change_of_who_has_not_run_shows_later() -> None:
    now_s = 0.0
    processes = Processes(monotonic_s=lambda: now_s)
    with child() as process:
        wait_until(lambda: processes.read(process.pid) is processes.read(process.pid), "it sleeps")
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (123, 123))
        now_s = WHOLE_AGAIN_AFTER_S + 1
        assert processes.read(process.pid).files_max != 123
        now_s = RESTING_AGAIN_AFTER_S + 1
        assert processes.read(process.pid).files_max == 123


def test_a_program_that_is_replaced_while_it_sleeps_shows_at_the_next_look(tmp_path: Path) -> None:
    processes = Processes()
    program = tmp_path / "server"
    shutil.copy2("/bin/sleep", program)
    with child(str(program), "60") as process:
        wait_until(lambda: processes.read(process.pid).executable == str(program), "it runs")
        wait_until(lambda: processes.ran(process.pid) == processes.ran(process.pid), "it sleeps")
        time.sleep(0.05)  # longer than any tick: what it ran until then has been counted
        processes.read(process.pid)
        program.unlink()
        assert processes.read(process.pid).executable_deleted is True


def test_what_has_run_differs_for_every_thread_and_ours_is_never_at_rest() -> None:
    code = (
        "import sys, threading, time\n"
        "def wait():\n"
        "    for line in sys.stdin: print(line, end='', flush=True)\n"
        "threading.Thread(target=wait).start()\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    processes = Processes()
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: processes.ran(process.pid) == processes.ran(process.pid) is not None, "it sleeps")
        before = processes.ran(process.pid)
        process.stdin.write("on\n")
        process.stdin.flush()
        assert process.stdout.readline() == "on\n"
        assert processes.ran(process.pid) != before
        process.kill()
    assert processes.ran(process.pid) is None
    assert processes.ran(os.getpid()) is None
