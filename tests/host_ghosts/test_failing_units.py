"""A unit that fails: at its start, by a signal, again and again."""

import os
import signal

import pytest

from tests.beds.deadline import wait_until
from tests.host_ghosts.stage import Stage

CRASHED = ("down", "host", "crashed")


def test_redis_with_a_broken_configuration(stage: Stage) -> None:
    stage.write("/etc/redis/redis.conf", "no-such-directive yes\n")
    stage.fail("redis-server")
    seen = stage.check("redis://127.0.0.1")
    assert seen.verdict == CRASHED
    assert "exit status 1" in seen.summary
    assert ">>> 'no-such-directive yes' | Bad directive" in seen.summary
    assert seen.facts["exit_status"] == 1
    assert "journalctl -u redis-server.service" in seen.todo
    assert "systemctl reset-failed redis-server.service; systemctl start redis-server.service" in seen.todo


def test_nginx_with_a_broken_configuration(stage: Stage) -> None:
    stage.write("/etc/nginx/conf.d/broken.conf", "no_such_directive on;\n")
    stage.fail("nginx")
    seen = stage.check("http://127.0.0.1")
    assert seen.verdict == CRASHED
    assert 'unknown directive "no_such_directive" in /etc/nginx/conf.d/broken.conf:1' in seen.summary
    assert "nginx -t" in seen.next


def test_postgres_with_a_broken_configuration(stage: Stage) -> None:
    stage.write("/etc/postgresql/15/main/conf.d/broken.conf", "no_such_setting = 1\n")
    stage.fail("postgresql@15-main")
    seen = stage.check("postgres://127.0.0.1")
    assert seen.verdict == CRASHED
    assert 'unrecognized configuration parameter "no_such_setting"' in seen.summary


def test_mariadb_with_a_broken_configuration(stage: Stage) -> None:
    stage.write("/etc/mysql/mariadb.conf.d/99-broken.cnf", "[mysqld]\nno_such_variable=1\n")
    stage.fail("mariadb")
    seen = stage.check("mysql://127.0.0.1")
    assert seen.verdict == CRASHED
    assert "unknown variable 'no_such_variable=1'" in seen.summary


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ("WorkingDirectory=/no/such\nExecStart=/bin/sleep 9", 200, "No such file or directory"),
        ("ExecStart=/no/such/program", 203, "/no/such/program"),
        ("User=no-such-user\nExecStart=/bin/sleep 9", 217, "USER"),
    ],
)
def test_what_a_unit_needs_is_missing(stage: Stage, options: str, status: int, said: str) -> None:
    stage.unit("needy.service", f"[Service]\n{options}\n")
    stage.fail("needy")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: needy")["shop"]
    assert seen.verdict == CRASHED
    assert seen.facts["exit_status"] == status
    assert said in seen.summary
    assert "systemctl cat needy.service" in seen.next


def test_a_signal_is_named(stage: Stage) -> None:
    stage.service("sore.service", "waits.py", "127.0.0.1", 5999)
    stage.wait_for_port(5999)
    os.kill(stage.machine.pids("sore")[0], signal.SIGSEGV)
    stage.machine.wait_for("sore", ActiveState="failed")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: sore")["shop"]
    assert seen.verdict == CRASHED
    assert seen.facts["signal"] == "SIGSEGV"
    assert "killed by SIGSEGV" in seen.summary


def test_a_second_after_it_binds_it_dies_again_and_again(stage: Stage) -> None:
    options = "Restart=always\nRestartSec=0.3\n[Unit]\nStartLimitIntervalSec=0\n"
    stage.service("tired.service", "waits.py", "127.0.0.1", 5999, 128, 1, options=options)
    wait_until(lambda: int(stage.machine.show("tired", "NRestarts")["NRestarts"]) >= 3, "it has died 3 times")
    # Whether it's met between two runs, before it binds, or while it holds the port.
    for _ in range(4):
        seen = stage.check_configured(shop="at: redis://127.0.0.1:5999, unit: tired")["shop"]
        assert seen.verdict == ("down", "host", "crash-loop")
        assert "tired.service keeps dying" in seen.summary
        assert "last exit status 1" in seen.summary
        assert "tired of waiting on port 5999" in seen.summary


def test_a_loop_that_systemd_has_given_up_is_still_a_loop(stage: Stage) -> None:
    options = "Restart=always\nRestartSec=0.1\n"
    stage.service("tired.service", "waits.py", "127.0.0.1", 5999, 128, 0.6, options=options)
    stage.machine.wait_for("tired", ActiveState="failed")
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: tired")["shop"]
    assert seen.verdict == ("down", "host", "crash-loop")
    assert "systemd has given up" in seen.summary


def test_one_restart_is_no_loop(stage: Stage) -> None:
    options = "Restart=always\nRestartSec=0.1\n"
    stage.service("once.service", "waits.py", "127.0.0.1", 5999, options=options)
    stage.wait_for_port(5999)
    os.kill(stage.machine.pids("once")[0], signal.SIGKILL)
    stage.machine.wait_for("once", ActiveState="active", NRestarts="1")
    stage.wait_for_port(5999)
    assert stage.check_configured(shop="at: tcp://127.0.0.1:5999, unit: once")["shop"].state == "up"
    seen = stage.check_configured(shop="at: tcp://127.0.0.1:5998, unit: once")["shop"]
    assert seen.cause == "not-listening"
