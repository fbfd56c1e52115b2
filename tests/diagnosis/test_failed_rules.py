"""A unit that failed: each rule, and what only looks like it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.diagnosis.hosts import (
    REDIS,
    asked_of,
    before,
    cause_by,
    down_unit,
    failed,
    failed_unit,
    log,
    process,
    report,
    target,
    unit,
)
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.failed_rules import crash_loop, crashed, out_of_memory, socket_given_up
from trueup.diagnosis.judge import judge
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, State
from trueup.host.facts import SocketListen, Unit
from trueup.host.report import Counter
from trueup.host.traces import MemoryKill
from trueup.host.unreadable import Reason, Unreadable

NO_ENGINE = (Unreadable("/run/docker.sock", "Permission denied", Reason.PERMISSION),)


# ---- out of memory ----------------------------------------------------------------------------------------


def killed(**said: Any) -> MemoryKill:
    plain = MemoryKill(812, "redis-server", before(minutes=1), cgroup="/system.slice/redis-server.service")
    return replace(plain, **said)


def test_systemd_s_own_word_for_memory() -> None:
    found = asked_of(out_of_memory, report(failed_unit(result="oom-kill", exit_signal="SIGKILL")))
    assert found is not None
    assert (found.state, found.layer, found.cause) == (State.DOWN, Layer.HOST, Cause.OUT_OF_MEMORY)
    assert "killed by the kernel for want of memory" in found.summary
    assert f"systemctl start {REDIS}" in found.next


def test_the_kernel_s_word_about_the_unit_s_cgroup() -> None:
    host = report(failed_unit(exit_signal="SIGKILL", result="signal"), memory_kills=(killed(),))
    assert cause_by(host) is Cause.OUT_OF_MEMORY


@pytest.mark.parametrize(
    "other",
    [
        killed(cgroup="/system.slice/other.service"),
        killed(cgroup="/system.slice/redis-server.service.d"),
        killed(cgroup=None),
        killed(at=before(hours=2)),
        killed(at=before(minutes=20)),  # the unit's last run ended later
    ],
)
def test_a_kill_that_is_not_the_unit_s_end(other: MemoryKill) -> None:
    assert cause_by(report(failed_unit(), memory_kills=(other,))) is Cause.CRASHED


def test_the_kernel_s_word_about_a_process_by_its_name() -> None:
    host = report(memory_kills=(killed(cgroup=None),))
    assert cause_by(host, target(process="redis-server")) is Cause.OUT_OF_MEMORY
    assert cause_by(host, target(process="another")) is Cause.NOT_RUNNING
    again = report(memory_kills=(killed(cgroup=None),), processes=(process(9, "redis-server"),))
    assert cause_by(again, target(process="redis-server")) is Cause.NOT_LISTENING


# ---- crash loop -------------------------------------------------------------------------------------------


def looping(**said: Any) -> Unit:
    """Between its runs, the last of which took a second."""
    plain: dict[str, Any] = {
        "active_state": "activating",
        "sub_state": "auto-restart",
        "restarts": 5,
        "started_at": before(seconds=3),
        "active_since": before(seconds=3),
        "exited_at": before(seconds=2),
    }
    return failed_unit(REDIS, **(plain | said))


def test_it_keeps_dying() -> None:
    host = report(looping(), logs=(log(REDIS, "systemd: Started it.", "no licence"),))
    found = asked_of(crash_loop, host)
    assert found is not None
    assert found.summary == f"{REDIS} keeps dying: 5 restarts, last exit status 1; it said: no licence"
    assert found.facts["restarts"] == 5


def test_while_it_runs_for_a_moment_its_journal_tells_how_it_ended() -> None:
    young = looping(active_state="active", sub_state="running", exit_status=None, exited_at=None)
    line = f"systemd: {REDIS}: Main process exited, code=killed, status=11/SEGV"
    found = asked_of(crash_loop, report(young, logs=(log(REDIS, "systemd: Started it.", line),)))
    assert found is not None
    assert "last killed by SIGSEGV" in found.summary
    assert cause_by(report(young)) is Cause.CRASH_LOOP


@pytest.mark.parametrize(
    "near",
    [
        looping(restarts=1),
        looping(started_at=before(hours=1)),  # it ran for an hour before it died
        looping(active_state="active", sub_state="running", started_at=before(hours=1), exited_at=None),
        looping(restarts=2),  # twice, and nobody saw how close together
    ],
)
def test_restarts_that_are_no_loop(near: Unit) -> None:
    assert asked_of(crash_loop, report(near)) is None


def test_two_restarts_are_a_loop_when_they_were_seen_close_together() -> None:
    counted = Counter(REDIS, "restarts", 2, 0, before(minutes=5))
    assert asked_of(crash_loop, report(looping(restarts=2), counters=(counted,))) is not None
    lines = [f"systemd: {REDIS}: Scheduled restart job, restart counter is at {n}." for n in (1, 2)]
    lately = report(looping(restarts=2), logs=(log(REDIS, *lines),))
    assert asked_of(crash_loop, lately) is not None
    long_ago = report(looping(restarts=2), logs=(log(REDIS, *lines, at=before(days=2)),))
    assert asked_of(crash_loop, long_ago) is None


def test_a_loop_that_was_given_up() -> None:
    dead = looping(active_state="failed", sub_state="failed")
    found = asked_of(crash_loop, report(dead))
    assert found is not None
    assert "systemd has given up" in found.summary
    assert found.next[-1] == f"systemctl reset-failed {REDIS}; systemctl start {REDIS}"


@pytest.mark.parametrize(
    "dead",
    [
        {"active_since": None},  # it never came up
        {"exited_at": before(seconds=2.9)},  # it ended as soon as it was started
    ],
)
def test_a_start_that_fails_each_time_is_a_crash(dead: dict[str, Any]) -> None:
    host = report(looping(active_state="failed", sub_state="failed", **dead))
    found = asked_of(crashed, host)
    assert found is not None
    assert f"{REDIS} failed 6 times" in found.summary
    assert f"systemctl reset-failed {REDIS}; systemctl start {REDIS}" in found.next
    assert cause_by(host) is Cause.CRASHED


def test_a_loop_of_kills_for_memory_is_named_for_the_memory() -> None:
    unit_ = looping(exit_signal="SIGKILL", exit_status=None)
    host = report(unit_, memory_kills=(killed(at=before(seconds=2)),))
    assert cause_by(host) is Cause.OUT_OF_MEMORY


def test_a_loop_that_answers_wrongly_is_not_explained_by_it() -> None:
    assert asked_of(crash_loop, report(looping()), seen=failed(Cause.LOGIN_REFUSED)) is None


# ---- while something changes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changing",
    [
        failed_unit(job="start"),
        down_unit(job="restart"),
        unit(REDIS, active_state="activating", sub_state="start"),
        unit(REDIS, active_state="deactivating", sub_state="stop-sigterm"),
        unit(REDIS, active_state="reloading", sub_state="reload"),
        looping(restarts=0),
    ],
)
def test_nothing_is_said_of_a_unit_that_is_changing(changing: Unit) -> None:
    assert cause_by(report(changing)) is None


@pytest.mark.parametrize(
    ("changing", "said"),
    [
        (
            unit(REDIS, active_state="deactivating", sub_state="stop-sigterm"),
            "is deactivating (stop-sigterm)",
        ),
        (unit(REDIS, changed_at=before(seconds=-1)), "has become active since"),
        (
            looping(restarts=0, exit_signal="SIGKILL", exit_status=None),
            "is activating (auto-restart), after it ended: killed by SIGKILL",
        ),
    ],
)
def test_that_it_is_changing_is_told_beside_what_is_seen(changing: Unit, said: str) -> None:
    verdict = judge(Evidence(target(), (failed(),), report(changing)))
    assert (verdict.layer, verdict.cause) == (Layer.PORT, Cause.REFUSED)
    assert verdict.summary.endswith(f"; {REDIS} {said}")
    assert verdict.next[0] == f"journalctl -u {REDIS} -n 30 --no-pager"


# ---- sockets that systemd has closed ----------------------------------------------------------------------


def closed_socket(**said: Any) -> Unit:
    plain: dict[str, Any] = {
        "active_state": "failed",
        "sub_state": "failed",
        "result": "service-start-limit-hit",
        "listens": (SocketListen("Stream", "127.0.0.1:6379"),),
        "triggers": ("held.service",),
    }
    return unit("held.socket", **(plain | said))


def test_a_socket_that_has_given_up() -> None:
    service = failed_unit("held.service", triggered_by=("held.socket",))
    found = asked_of(socket_given_up, report(service, closed_socket()))
    assert found is not None
    assert found.cause is Cause.ACTIVATION_FAILED
    assert "held.socket has given up (service-start-limit-hit)" in found.summary
    assert found.next[-1].endswith("systemctl start held.socket")
    assert cause_by(report(service, closed_socket())) is Cause.ACTIVATION_FAILED


@pytest.mark.parametrize(
    "near",
    [
        closed_socket(active_state="active"),
        closed_socket(listens=(SocketListen("Stream", "127.0.0.1:63790"),)),
    ],
)
def test_another_socket_has_given_up_nothing_here(near: Unit) -> None:
    service = failed_unit("held.service", triggered_by=("held.socket",))
    assert cause_by(report(service, near)) is not Cause.ACTIVATION_FAILED


# ---- crashed ----------------------------------------------------------------------------------------------


def test_it_crashed() -> None:
    said = log(REDIS, "systemd: Starting it", "no such file: x.conf", f"systemd: {REDIS}: Failed")
    found = asked_of(crashed, report(failed_unit(), logs=(said,)))
    assert found is not None
    assert found.summary == f"{REDIS} failed 1 minute ago: exit status 1; it said: no such file: x.conf"
    assert found.facts["exit_status"] == 1
    assert found.next == (f"journalctl -u {REDIS} -n 30 --no-pager", f"systemctl start {REDIS}")


def test_a_status_of_systemd_s_own_leads_to_the_unit_s_file() -> None:
    found = asked_of(crashed, report(failed_unit(exit_status=200, exit_meaning="CHDIR: no such folder")))
    assert found is not None
    assert "exit status 200 (CHDIR: no such folder)" in found.summary
    assert f"systemctl cat {REDIS}" in found.next


def test_nginx_has_a_test_of_its_configuration() -> None:
    found = asked_of(crashed, report(failed_unit("nginx.service")), target("http://127.0.0.1"))
    assert found is not None
    assert "nginx -t" in found.next
