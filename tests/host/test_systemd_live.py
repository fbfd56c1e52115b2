"""systemd as process 1 of a machine of its own, asked over its bus and by its command."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import uvloop

from tests.beds.nspawn import Machine
from tests.host.kinds_of_unit import UNITS
from trueup.host.boot_survival import starts_at_boot
from trueup.host.facts import OwnerUnknown, ProcessState, Unit
from trueup.host.journal import Journal
from trueup.host.processes import Processes
from trueup.host.report import HostReport
from trueup.host.report_json import from_json
from trueup.host.software import patterns
from trueup.host.systemctl import Systemctl
from trueup.host.systemd_bus import SystemdBus
from trueup.host.systemd_reader import Systemd
from trueup.host.unreadable import HostUnreadable, Reason

Asked = Callable[..., dict[str, Unit]]


def inside(server: Machine) -> tuple[str, ...]:
    return ("nsenter", f"--target={server.leader_pid}", "-m", "-u", "-i", "-n", "-p", "-C", "--")


def systemd_of(server: Machine) -> Systemd:
    return Systemd(str(server.root), server.bus_address, inside(server))


def asked(systemd: Systemd, *names: str) -> dict[str, Unit]:
    async def run() -> dict[str, Unit]:
        try:
            return {one.name: one for one in await systemd.units(names)}
        finally:
            systemd.close()

    return asyncio.run(run())


@pytest.fixture(params=["bus", "systemctl"])
def units(server: Machine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Units asked for both ways: each test holds for either."""
    if request.param == "systemctl":

        async def denied(*_: object) -> None:
            raise HostUnreadable("D-Bus", "Permission denied", Reason.PERMISSION)

        monkeypatch.setattr(SystemdBus, "connect", denied)
    return lambda *names: asked(systemd_of(server), *names)


def test_how_services_failed(units: Asked) -> None:
    found = units("fails.service", "missing.service", "folderless.service", "segv.service")
    told = {name: (one.result, one.exit_status, one.exit_signal) for name, one in found.items()}
    assert told.pop("segv.service") in {("core-dump", None, "SIGSEGV"), ("signal", None, "SIGSEGV")}
    assert told == {
        "fails.service": ("exit-code", 3, None),
        "missing.service": ("exit-code", 203, None),
        "folderless.service": ("exit-code", 200, None),
    }
    assert all(one.active_state == "failed" for one in found.values())
    meanings = [found[name].exit_meaning or "" for name in ("missing.service", "folderless.service")]
    assert [meaning.partition(":")[0] for meaning in meanings] == ["EXEC", "CHDIR"]


def test_a_crash_loop_counts_its_restarts(units: Asked) -> None:
    loops = units("loops.service")["loops.service"]
    assert (loops.active_state, loops.restart_policy) == ("failed", "always")
    assert loops.restarts is not None
    assert loops.restarts >= 3


def test_starting_is_not_failing(units: Asked) -> None:
    slow = units("slow.service")["slow.service"]
    assert (slow.active_state, slow.job) == ("activating", "start")


def test_a_condition_that_isn_t_met(units: Asked) -> None:
    picky = units("picky.service")["picky.service"]
    assert (picky.active_state, picky.condition_met) == ("inactive", False)


def test_a_socket_and_what_it_starts(units: Asked) -> None:
    found = units("held.socket", "held.service")
    assert found["held.socket"].triggers == ("held.service",)
    assert [one.address for one in found["held.socket"].listens] == ["127.0.0.1:9999", "/run/held.sock"]
    assert found["held.service"].triggered_by == ("held.socket",)


def test_states_of_unit_files_are_told_apart(units: Asked) -> None:
    names = ("steady", "redis-server", "web", "wanted", "memcached", "nosuch")
    found = units(*(f"{name}.service" for name in names))
    assert [one.unit_file_state for one in found.values()] == [
        "enabled",
        "disabled",
        "indirect",
        "static",
        "masked",
        "",
    ]
    assert found["nosuch.service"].load_state == "not-found"


def test_what_starts_at_the_next_boot(units: Asked) -> None:
    names = ("steady.service", "redis-server.service", "web.service", "web.socket", "memcached.service")
    found = units(*names)
    assert [starts_at_boot(found[name], found).starts for name in names] == [True, False, True, True, False]


def test_a_running_service_and_a_unit_file_that_changed(server: Machine, units: Asked) -> None:
    redis = units("redis-server.service")["redis-server.service"]
    assert (redis.active_state, redis.type, redis.user, redis.job) == ("active", "notify", "redis", None)
    assert redis.main_pid is not None
    assert redis.started_at is not None
    assert not redis.need_daemon_reload
    server.write("/etc/systemd/system/held.service", UNITS["held.service"] + "# changed\n")
    try:
        assert units("held.service")["held.service"].need_daemon_reload
    finally:
        server.systemctl("daemon-reload")
    assert not units("held.service")["held.service"].need_daemon_reload


def test_known_software_is_found_by_its_units(server: Machine, units: Asked) -> None:
    del units

    async def run() -> tuple[str, ...]:
        systemd = systemd_of(server)
        try:
            return await systemd.matching(patterns())
        finally:
            systemd.close()

    found = asyncio.run(run())
    assert {"redis-server.service", "nginx.service", "postgresql.service"} <= set(found)
    assert not any("@." in name or "steady" in name for name in found)


def test_what_is_in_use_is_active_failed_or_enabled(server: Machine) -> None:
    async def run() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        systemd = systemd_of(server)
        wanted = ["*.service", "*.socket"]
        try:
            by_bus = await systemd.bus.in_use(wanted)
            return (
                by_bus,
                await systemd.in_use(wanted),
                await Systemctl(lambda _: False, inside(server)).in_use(wanted),
            )
        finally:
            systemd.close()

    by_bus, in_use, by_command = asyncio.run(run())
    assert set(by_bus) == set(by_command)
    assert {"steady.service", "redis-server.service", "systemd-journald.service"} <= set(by_bus)
    enabled = server.systemctl(
        "list-unit-files", "--state=enabled", "--plain", "--no-legend", "--type=service"
    )
    assert {line.split()[0] for line in enabled.splitlines()} <= set(in_use)
    assert "nats-server.service" not in in_use


def test_the_bus_and_the_command_agree(server: Machine) -> None:
    async def both() -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
        names = [*UNITS, "redis-server.service", "nginx.service"]
        systemd = systemd_of(server)
        try:
            by_bus = await systemd.bus.units(names)
        finally:
            systemd.close()
        return by_bus, await Systemctl(lambda _: False, inside(server)).units(names)

    by_bus, by_command = asyncio.run(both())
    for one, other in zip(by_bus, by_command, strict=True):
        plain = {
            name: getattr(one, name)
            for name in one.__slots__
            if not name.endswith(("_at", "_since", "command"))
        }
        assert {name: getattr(other, name) for name in plain} == plain


def test_it_works_on_the_loop_that_the_monitor_runs_on(server: Machine) -> None:
    async def run() -> tuple[Unit, ...]:
        systemd = systemd_of(server)
        try:
            found = await systemd.units(["redis-server.service"])
            return found + await Systemctl(lambda _: False, inside(server)).units(["redis-server.service"])
        finally:
            systemd.close()

    assert [one.active_state for one in uvloop.run(run())] == ["active", "active"]


def test_the_journal_says_why(server: Machine) -> None:
    server.run("journalctl", "--sync")
    excerpt = asyncio.run(Journal(str(server.root), inside(server)).of_unit("fails.service"))
    texts = [line.text for line in excerpt.lines]
    assert "no configuration found" in texts
    assert any("status=3" in text for text in texts)
    assert asyncio.run(Journal(str(server.root), inside(server)).of_unit("nosuch.service")).lines == ()


def test_the_journal_is_closed_to_an_ordinary_user(server: Machine) -> None:
    prefix = (*inside(server), "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    with pytest.raises(HostUnreadable) as caught:
        asyncio.run(Journal(str(server.root), prefix).of_unit("fails.service"))
    assert caught.value.reason is Reason.PERMISSION


# ---- from the inside, as an agent of this machine would ----------------------------------------------------

REPORT: Final = """
import asyncio, sys
from datetime import UTC, datetime
from trueup.host.reader import ThisMachine
from trueup.host.report_json import to_json
from trueup.host.survey import Interests, Survey
class Clock:
    def now(self): return datetime.now(UTC)
    def monotonic_s(self): return 0.0
async def main():
    reader = ThisMachine()
    survey = Survey(reader, "lab", Clock(), Interests(units=frozenset(sys.argv[1:])))
    report = await survey.explain(await survey.take(), units=sys.argv[1:])
    reader.close()
    print(to_json(report))
asyncio.run(main())
"""


def reported(server: Machine, *units: str, user: str | None = None) -> HostReport:
    return from_json(server.python("-c", REPORT, *units, user=user).stdout)


def test_a_machine_reports_itself(server: Machine) -> None:
    report = reported(server, "fails.service")
    (redis, *_) = report.reached_at("127.0.0.1", 6379)
    assert (redis.process, redis.unit, redis.user) == ("redis-server", "redis-server.service", "redis")
    process = report.process(redis.owner.pid)
    assert process is not None
    assert (process.state, process.executable) == (ProcessState.SLEEPING, "/usr/bin/redis-check-rdb")
    assert report.unit("redis.service") is not None or report.unit("redis-server.service") is not None
    log = report.log("fails.service")
    assert log is not None
    assert "no configuration found" in [line.text for line in log.lines]
    assert report.vitals is not None


def test_clusters_of_postgresql_are_found_though_nothing_started_them(server: Machine) -> None:
    report = reported(server)
    version = max(folder.name for folder in Path("/usr/lib/postgresql").iterdir())
    cluster = report.unit(f"postgresql@{version}-main.service")
    assert cluster is not None
    assert (cluster.active_state, cluster.unit_file_state, cluster.wants_generated) == (
        "inactive",
        "enabled-runtime",
        True,
    )
    found = starts_at_boot(cluster, {one.name: one for one in report.units})
    assert found.starts is False  # for postgresql.service isn't enabled


def test_systemd_holds_the_port_of_a_socket_unit(server: Machine) -> None:
    (held,) = reported(server).on_port(9999)
    assert (held.owner.pid, held.owner.by_init, held.process) == (1, True, "systemd")


def test_the_boot_is_that_of_the_machine_and_not_of_its_host(server: Machine) -> None:
    boot = reported(server).boot
    assert boot is not None
    assert boot.started_at > boot.kernel_started_at
    leader = Processes().read(server.leader_pid)
    assert abs((boot.started_at - leader.started_at).total_seconds()) < 1


def test_an_ordinary_user_sees_less_and_nothing_wrong(server: Machine) -> None:
    report = reported(server, "fails.service", user="nobody")
    (redis, *_) = report.reached_at("127.0.0.1", 6379)
    assert (redis.owner.pid, redis.owner.unknown) == (None, OwnerUnknown.PERMISSION)
    assert (redis.user, redis.unit) == ("redis", "redis-server.service")  # by uid and by cgroup
    unit = report.unit("redis-server.service")
    assert unit is not None
    assert unit.active_state == "active"
    gap = report.could_not_read("journalctl")
    assert gap is not None
    assert gap.reason is Reason.PERMISSION


# ---- events ------------------------------------------------------------------------------------------------
