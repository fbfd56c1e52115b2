"""A port that somebody holds: each rule, its near misses, and what it says without a permission."""

from dataclasses import replace
from typing import Any

import pytest

from tests.diagnosis.hosts import (
    ACTIVE,
    OWN,
    REDIS,
    SERVER,
    SYSTEMD,
    asked_of,
    before,
    cause_by,
    container,
    failed,
    failed_unit,
    held,
    log,
    process,
    report,
    serving,
    target,
    unit,
    without_owner,
)
from trueup.diagnosis.held_rules import (
    activation_failed,
    behind_a_proxy,
    disk_full,
    firewall,
    hung,
    out_of_files,
    paused,
)
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, State
from trueup.host.facts import FileSystem, Owner, Process, ProcessState, SocketListen, Transport, Unit
from trueup.host.report import HostReport, Listener

SILENT = failed(Cause.SILENT)

# ---- paused -----------------------------------------------------------------------------------------------


def test_stopped_by_a_signal() -> None:
    found = asked_of(paused, serving(replace(SERVER, state=ProcessState.STOPPED)), seen=SILENT)
    assert found is not None
    assert (found.state, found.layer, found.cause) == (State.DOWN, Layer.HOST, Cause.PAUSED)
    assert found.summary == "redis-server (pid 812) is stopped by a signal"
    assert found.next == ("kill -CONT 812",)
    assert found.facts["process_state"] == "T"


def test_stopped_by_a_debugger() -> None:
    traced = replace(SERVER, state=ProcessState.TRACED, tracer_pid=99)
    found = asked_of(paused, serving(traced), seen=SILENT)
    assert found is not None
    assert found.summary.endswith("is stopped by a debugger (pid 99)")
    assert found.next == ("See who holds it: ps -fp 99",)


def test_frozen() -> None:
    found = asked_of(paused, serving(replace(SERVER, frozen=True)), seen=SILENT)
    assert found is not None
    assert found.next == (f"systemctl thaw {REDIS}",)


def test_its_workers_are_stopped() -> None:
    workers = [process(pid, "nginx", state=ProcessState.STOPPED, parent_pid=80) for pid in (81, 82)]
    found = asked_of(paused, serving(process(80, "nginx"), *workers), seen=SILENT)
    assert found is not None
    assert found.summary == "nginx (pid 81), nginx (pid 82) are stopped by a signal"
    assert found.next == ("kill -CONT 81 82",)


def test_one_of_its_workers_is_stopped() -> None:
    """The others take what comes, unless connections wait in the queue of the one that doesn't."""
    workers = (process(81, "nginx", state=ProcessState.STOPPED), process(82, "nginx"))
    master = process(80, "nginx")
    assert asked_of(paused, serving(master, *workers), seen=SILENT) is None
    assert asked_of(paused, serving(master, *workers, queue=1), seen=SILENT) is not None


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.CLOSES, Cause.ERROR_ANSWER, Cause.LOGIN_REFUSED])
def test_who_answers_is_not_paused(cause: Cause) -> None:
    stopped = serving(replace(SERVER, state=ProcessState.STOPPED))
    assert asked_of(paused, stopped, seen=failed(cause)) is None


@pytest.mark.parametrize("state", [ProcessState.SLEEPING, ProcessState.RUNNING, ProcessState.UNINTERRUPTIBLE])
def test_who_runs_is_not_paused(state: ProcessState) -> None:
    assert asked_of(paused, serving(replace(SERVER, state=state, frozen=False)), seen=SILENT) is None


def test_what_may_not_be_seen_is_not_paused() -> None:
    host = report(ACTIVE, listeners=(without_owner(held()),))
    assert cause_by(host, seen=SILENT) is None


def test_a_daemon_behind_a_unix_socket_is_paused_by_its_unit() -> None:
    docker = process(7, "dockerd", unit="docker.service", state=ProcessState.STOPPED)
    host = report(unit("docker.service", main_pid=7), processes=(docker,))
    assert cause_by(host, target("docker:///run/docker.sock"), SILENT) is Cause.PAUSED


# ---- activation -------------------------------------------------------------------------------------------


def by_socket(
    service: Unit, *, by: Process = SYSTEMD, pids: tuple[int, ...] = (1,), **sock: Any
) -> HostReport:
    listens = (SocketListen("Stream", "127.0.0.1:6379"),)
    sock_unit = unit("held.socket", sub_state="listening", listens=listens, triggers=(service.name,))
    listener = held(by=by, pids=pids, by_init=True, **sock)
    return report(sock_unit, service, listeners=(listener,), processes=(SYSTEMD, by))


@pytest.mark.parametrize("cause", [Cause.CLOSES, Cause.SILENT])
def test_the_service_behind_the_socket_fails(cause: Cause) -> None:
    host = by_socket(failed_unit("held.service"))
    found = asked_of(activation_failed, host, seen=failed(cause))
    assert found is not None
    assert found.cause is Cause.ACTIVATION_FAILED
    assert found.summary == "systemd holds port 6379 for held.service, which doesn't start: exit status 1"
    assert "systemctl cat 'held.service'" in found.next
    assert cause_by(host, seen=failed(cause)) is Cause.ACTIVATION_FAILED


def test_the_service_behind_the_socket_takes_no_connection() -> None:
    sleeper = process(9, "sleep", unit="held.service")
    service = unit("held.service", main_pid=9, started_at=before(seconds=5))
    host = by_socket(service, by=sleeper, pids=(1, 9), queue=2)
    found = asked_of(activation_failed, host, seen=SILENT)
    assert found is not None
    assert "held.service, which started 5 seconds ago and has taken no connection: 2 wait" in found.summary
    long_ago = by_socket(replace(service, started_at=before(hours=5)), by=sleeper, pids=(1, 9), queue=2)
    assert cause_by(long_ago, seen=SILENT) is Cause.HUNG
    busy = by_socket(service, by=sleeper, pids=(1, 9), queue=0)
    assert cause_by(busy, seen=SILENT) is None


def test_nothing_is_said_while_the_service_behind_the_socket_starts() -> None:
    starting = unit("held.service", active_state="activating", sub_state="start")
    assert cause_by(by_socket(starting), seen=SILENT) is None


def test_a_service_for_each_connection() -> None:
    instance = failed_unit("held@7-127.0.0.1:6379-127.0.0.1:4.service", changed_at=before(seconds=2))
    found = asked_of(activation_failed, by_socket(instance), seen=failed(Cause.CLOSES))
    assert found is not None
    assert "for held@.service, which doesn't start" in found.summary
    assert found.next[0] == "journalctl -u 'held@*' -n 30 --no-pager"
    old = replace(instance, changed_at=before(hours=2))
    assert asked_of(activation_failed, by_socket(old), seen=failed(Cause.CLOSES)) is None


def test_a_service_of_a_socket_that_answers_wrongly_has_started() -> None:
    assert (
        asked_of(activation_failed, by_socket(failed_unit("held.service")), seen=failed(Cause.BLOCKED))
        is None
    )


# ---- out of files, hung -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("opened", "full"), [(1024, True), (1023, True), (1022, False), (9, False)])
def test_out_of_files(opened: int, full: bool) -> None:
    found = asked_of(out_of_files, serving(replace(SERVER, files_open=opened)), seen=SILENT)
    assert (found is not None) is full
    if found is not None:
        assert (found.layer, found.cause) == (Layer.SERVICE, Cause.OVERLOADED)
        assert f"{opened} of 1024 files open" in found.summary
        assert f"Raise LimitNOFILE: systemctl edit {REDIS}" in found.next


def test_a_door_shut_by_its_owner_is_no_lack_of_files() -> None:
    """memcached takes the queue away at its limit of connections, for which it sets its limit of files."""
    there = serving(replace(SERVER, files_open=1024), queue=1, queue_max=0)
    assert asked_of(out_of_files, there, seen=SILENT) is None
    found = asked_of(hung, there, seen=SILENT)
    assert found is not None
    assert found.cause is Cause.HUNG
    assert "1 connection waits in its queue of 0; it has 1024 of 1024 files open" in found.summary


def test_files_that_may_not_be_counted_are_not_used_up() -> None:
    assert asked_of(out_of_files, serving(replace(SERVER, files_open=None)), seen=SILENT) is None
    assert asked_of(out_of_files, serving(replace(SERVER, files_max=None)), seen=SILENT) is None


def test_it_accepts_nothing() -> None:
    found = asked_of(hung, serving(queue=3), seen=SILENT)
    assert found is not None
    assert found.cause is Cause.HUNG
    assert found.summary == "redis-server (pid 812) accepts nothing: 3 connections wait in its queue of 128"
    assert found.next[-1] == f"systemctl restart {REDIS}"


def test_it_waits_for_its_disk() -> None:
    stuck = replace(SERVER, state=ProcessState.UNINTERRUPTIBLE, waits_in="nfs_wait")
    found = asked_of(hung, serving(stuck, queue=1), seen=SILENT)
    assert found is not None
    assert found.summary.endswith("it waits for input or output in nfs_wait")


def test_a_unit_is_restarted_only_for_a_process_of_its_own() -> None:
    """A program started by hand in a session of ssh.service isn't mended by ending all sessions."""
    by_hand = process(99, "shopd", unit="ssh.service", parent_pid=98)
    found = asked_of(hung, serving(by_hand, units=(unit("ssh.service", main_pid=2),), queue=1), seen=SILENT)
    assert found is not None
    assert not any("restart" in step for step in found.next)


def test_a_full_queue_drops_and_one_with_room_does_not() -> None:
    lost = failed(Cause.NO_ANSWER)
    assert cause_by(serving(queue=129), seen=lost) is Cause.HUNG
    assert cause_by(serving(queue=5), seen=lost) is Cause.FIREWALL
    assert asked_of(hung, serving(queue=0), seen=SILENT) is None
    assert asked_of(hung, serving(queue=5), seen=failed(Cause.CLOSES)) is None


def test_over_udp_bytes_wait_and_no_connections() -> None:
    named = process(53, "named", unit="named.service")
    listener = held(53, by=named, transport=Transport.UDP, queue=2000, queue_max=200000)
    host = report(unit("named.service", main_pid=53), listeners=(listener,), processes=(named,))
    found = asked_of(hung, host, target("dns://127.0.0.1/example.org"), SILENT)
    assert found is not None
    assert "named (pid 53) reads nothing: 2000 bytes wait" in found.summary
    quiet = replace(host, listeners=(replace(listener, socket=replace(listener.socket, queue=0)),))
    assert cause_by(quiet, target("dns://127.0.0.1/example.org"), SILENT) is None


# ---- a full disk ------------------------------------------------------------------------------------------


def disk(available_bytes: int = 0, **said: Any) -> FileSystem:
    plain: dict[str, Any] = {"read_only": False, "inodes": 1000, "inodes_available": 900}
    return FileSystem(
        "/var/lib/redis",
        "/dev/sda1",
        "ext4",
        size_bytes=10**9,
        available_bytes=available_bytes,
        **(plain | said),
    )


@pytest.mark.parametrize(
    ("full", "words"),
    [(disk(), "no space"), (disk(10**8, inodes_available=0), "no inodes"), (disk(10**6), "1.0 MiB")],
)
def test_no_room_behind_an_error(full: FileSystem, words: str) -> None:
    host = replace(serving(), file_systems=(full,))
    found = asked_of(disk_full, host, seen=failed(Cause.ERROR_ANSWER, "HTTP 500"))
    assert found is not None
    assert (found.layer, found.cause) == (Layer.SERVICE, Cause.DISK_FULL)
    assert found.summary == f"/var/lib/redis has {words} left, and redis-server (pid 812) fails: HTTP 500"


@pytest.mark.parametrize(
    "room",
    [
        disk(10**8),
        disk(0, read_only=True),  # full by nature: squashfs, a CD
        replace(disk(), size_bytes=0),
        disk(10**8, inodes=None, inodes_available=None),
    ],
)
def test_a_disk_with_room_explains_no_error(room: FileSystem) -> None:
    host = replace(serving(), file_systems=(room,))
    assert asked_of(disk_full, host, seen=failed(Cause.ERROR_ANSWER)) is None


def test_who_says_itself_that_the_disk_is_full_is_believed_earlier() -> None:
    host = replace(serving(), file_systems=(disk(4 * 10**7),))
    assert asked_of(disk_full, host, seen=failed(Cause.DISK_FULL)) is not None
    assert asked_of(disk_full, host, seen=failed(Cause.ERROR_ANSWER)) is None


def test_a_full_disk_is_not_why_a_password_is_wrong() -> None:
    host = replace(serving(), file_systems=(disk(),))
    assert cause_by(host, seen=failed(Cause.LOGIN_REFUSED)) is None


# ---- a firewall -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.NO_ANSWER, Cause.UNREACHABLE])
def test_it_listens_with_room_and_nobody_gets_in(cause: Cause) -> None:
    found = asked_of(firewall, serving(), seen=failed(cause))
    assert found is not None
    assert found.cause is Cause.FIREWALL
    assert f"and connections to 127.0.0.1 fail ({cause}): a firewall is in between" in found.summary
    assert found.facts["seen_from_outside"] == cause


def test_what_is_sent_gets_lost() -> None:
    lost = failed(Cause.SILENT, unacked_bytes=14, retransmits=4)
    assert cause_by(serving(), seen=lost) is Cause.FIREWALL
    assert cause_by(serving(), seen=failed(Cause.SILENT, unacked_bytes=0, retransmits=0)) is None
    assert cause_by(serving(queue=1), seen=lost) is Cause.HUNG


@pytest.mark.parametrize(
    "there",
    [
        held(by=replace(SERVER, started_at=before(seconds=0.5))),  # it came after the question
        without_owner(held()),
        held(by=SERVER, interface_index=2),  # bound to one interface: loopback doesn't meet it
        held(by=SERVER, queue=129),
        held(address="::", by=SERVER, v6_only=None),  # it may not take IPv4
    ],
)
def test_no_firewall_is_blamed_for_who_was_not_met(there: Listener) -> None:
    host = report(
        ACTIVE, listeners=(there,), processes=(replace(SERVER, started_at=there.since or before(hours=1)),)
    )
    assert asked_of(firewall, host) is None


def test_an_ipv6_socket_that_takes_ipv4_is_met() -> None:
    host = report(ACTIVE, listeners=(held(address="::", by=SERVER, v6_only=False),), processes=(SERVER,))
    assert cause_by(host, target(f"redis://{OWN}")) is Cause.FIREWALL


def test_a_proxy_says_nothing_of_what_is_behind_it() -> None:
    """The engine's own rules may lead past its proxy: who refused is inside the container."""
    proxy = process(70, "docker-proxy", unit="docker.service")
    host = report(
        listeners=(held(by=proxy, container="box"),), processes=(proxy,), containers=(container("box"),)
    )
    assert cause_by(host) is None


def test_the_reload_of_a_unit_is_no_firewall() -> None:
    reloading = replace(ACTIVE, active_state="reloading", sub_state="reload")
    assert cause_by(serving(units=(reloading,))) is None


def test_an_owner_that_ended_while_the_machine_was_read_holds_nothing() -> None:
    gone = replace(held(by=SERVER), owner=Owner(812, (812,)))
    assert cause_by(report(failed_unit(), listeners=(gone,))) is Cause.CRASHED


def test_the_journal_of_a_failing_activation_is_quoted() -> None:
    host = replace(by_socket(failed_unit("held.service")), logs=(log("held.service", "no licence"),))
    found = asked_of(activation_failed, host, seen=SILENT)
    assert found is not None
    assert found.summary.endswith("exit status 1; it said: no licence")


# ---- a proxy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cause", "is_told"),
    [
        ("haproxy", Cause.CLOSES, True),
        ("haproxy", Cause.SILENT, False),
        ("redis-server", Cause.CLOSES, False),
    ],
)
def test_a_proxy_that_hangs_up_speaks_for_its_backend(name: str, cause: Cause, is_told: bool) -> None:
    proxy = process(70, name, unit="haproxy.service")
    host = report(unit("haproxy.service"), listeners=(held(by=proxy),), processes=(proxy,))
    found = asked_of(behind_a_proxy, host, seen=failed(cause))
    assert (found is not None) is is_told
    if found is not None:
        assert (found.layer, found.cause) == (Layer.SERVICE, Cause.BAD_UPSTREAM)
        assert found.next[0] == "journalctl -u haproxy.service -n 30 --no-pager"
        assert cause_by(host, seen=failed(cause)) is Cause.BAD_UPSTREAM
