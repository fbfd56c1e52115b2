import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.host.fake_reader import NOW, FakeClock, FakeReader, container, listening, process
from tests.host.units import unit
from trueup.host.facts import FileSystem, MemoryEvents, Owner, OwnerUnknown, PortMapping, Transport
from trueup.host.report import HostReport, Inner
from trueup.host.survey import COUNTED_OVER, Interests, Survey
from trueup.host.traces import Change, ChangeKind, LogExcerpt, LogLine, MemoryKill
from trueup.host.unreadable import HostUnreadable, Reason

ID = "ab" * 32


def shop(**said: object) -> FakeReader:
    """A machine with one service: shop, pid 812, on port 8080."""
    plain: dict[str, object] = {
        "listening": (listening(8080),),
        "owned": {9080: Owner(812, (812,))},
        "processes": {812: process(812, unit="shop.service")},
        "all_units": {"shop.service": unit(main_pid=812, control_group="/system.slice/shop.service")},
    }
    return FakeReader(**(plain | said))  # type: ignore[arg-type]


def surveyed(reader: FakeReader, **options: object) -> tuple[Survey, FakeClock]:
    clock = FakeClock()
    return Survey(reader, "db-1", clock, **options), clock  # type: ignore[arg-type]


def taken(reader: FakeReader, **options: object) -> HostReport:
    return asyncio.run(surveyed(reader, **options)[0].take())


def test_a_listener_is_joined_with_its_process_unit_and_start() -> None:
    report = taken(shop())
    (one,) = report.listeners
    assert (one.process, one.unit, one.container, one.user) == ("shop", "shop.service", None, "shop")
    assert one.since == NOW - timedelta(hours=1)
    assert (report.host, report.taken_at) == ("db-1", NOW)
    assert report.process(812) is not None
    assert report.unit("shop.service") is not None


def test_workers_are_in_the_report_beside_their_master() -> None:
    reader = shop(
        owned={9080: Owner(812, (812, 813))},
        processes={812: process(812), 813: process(813, parent_pid=812)},
    )
    assert {one.pid for one in taken(reader).processes} == {812, 813}


def test_an_owner_that_we_may_not_see_is_unknown_but_its_cgroup_tells_the_unit() -> None:
    reader = shop(
        listening=(listening(8080, cgroup_id=77),),
        owned={9080: Owner(None, unknown=OwnerUnknown.PERMISSION)},
        cgroups={77: "/system.slice/shop.service"},
    )
    (one,) = taken(reader).listeners
    assert (one.owner.pid, one.owner.unknown, one.process) == (None, OwnerUnknown.PERMISSION, None)
    assert (one.unit, one.user) == ("shop.service", "shop")


def test_when_owners_cannot_be_read_at_all_none_is_named() -> None:
    reader = shop()
    reader.broken["owners"] = HostUnreadable("/proc", "Permission denied", Reason.PERMISSION)
    report = taken(reader)
    (one,) = report.listeners
    assert (one.owner.pid, one.owner.unknown) == (None, OwnerUnknown.PERMISSION)
    assert report.could_not_read("/proc") is not None


def test_a_container_is_named_by_its_process_or_by_the_port_that_a_proxy_holds() -> None:
    web = container("web", container_id=ID, ports=(PortMapping("0.0.0.0", 8443, 443, Transport.TCP),))
    reader = shop(
        listening=(listening(80), listening(8443), listening(8444)),
        owned={1080: Owner(1, (1,)), 9443: Owner(2, (2,)), 9444: Owner(3, (3,))},
        processes={
            1: process(1, "nginx", container_id=ID),
            2: process(2, "docker-proxy", unit="docker.service"),
            3: process(3, "other"),
        },
        all_containers=(web,),
        all_units={"docker.service": unit("docker.service")},
    )
    assert [one.container for one in taken(reader).listeners] == ["web", "web", None]


def test_another_process_on_a_containers_port_is_not_the_container() -> None:
    web = container("web", state="exited", ports=(PortMapping("0.0.0.0", 8080, 80, Transport.TCP),))
    (one,) = taken(shop(all_containers=(web,))).listeners
    assert one.container is None


def test_a_container_of_an_unreadable_engine_has_its_short_id() -> None:
    reader = shop(processes={812: process(812, container_id=ID)})
    reader.broken["containers"] = HostUnreadable("/run/docker.sock", "Permission denied", Reason.PERMISSION)
    report = taken(reader)
    assert report.listeners[0].container == ID[:12]
    gap = report.could_not_read("/run/docker.sock")
    assert gap is not None
    assert gap.reason is Reason.PERMISSION


def test_sockets_inside_a_container_are_listed_apart() -> None:
    inside = (listening(80, "0.0.0.0"),)
    report = taken(shop(all_containers=(container("web", container_id=ID, pid=99),), inner={99: inside}))
    assert report.inner == (Inner(ID, inside),)
    assert 80 not in {one.socket.port for one in report.listeners}


def test_a_queue_is_timed_from_the_first_look_that_saw_it() -> None:
    reader = shop(listening=(listening(8080, queue=2),))
    survey, clock = surveyed(reader)
    assert asyncio.run(survey.take()).listeners[0].queued_since == NOW
    clock.pass_time(seconds=1)
    assert asyncio.run(survey.take()).listeners[0].queued_since == NOW
    reader.listening = (listening(8080, queue=0),)
    assert asyncio.run(survey.take()).listeners[0].queued_since is None
    clock.pass_time(seconds=1)
    reader.listening = (listening(8080, queue=1),)
    assert asyncio.run(survey.take()).listeners[0].queued_since == clock.at


def test_another_socket_on_the_same_port_starts_anew() -> None:
    reader = shop(listening=(listening(8080, queue=2),))
    survey, clock = surveyed(reader)
    asyncio.run(survey.take())
    clock.pass_time(seconds=5)
    reader.listening = (listening(8080, queue=2, inode=4),)
    assert asyncio.run(survey.take()).listeners[0].queued_since == clock.at


def test_counters_tell_what_rose_within_ten_minutes() -> None:
    reader = shop()
    survey, clock = surveyed(reader)

    def look(restarts: int, kills: int) -> HostReport:
        reader.all_units = {
            "shop.service": unit(restarts=restarts, control_group="/system.slice/shop.service")
        }
        reader.events = {"/system.slice/shop.service": MemoryEvents(None, kills)}
        return asyncio.run(survey.take())

    look(50, 0)
    clock.pass_time(minutes=5)
    report = look(53, 1)
    restarts, kills = (
        report.counter("shop.service", "restarts"),
        report.counter("shop.service", "memory-kills"),
    )
    assert restarts is not None
    assert (restarts.value, restarts.earlier, restarts.earlier_at, restarts.rise) == (53, 50, NOW, 3)
    assert kills is not None
    assert kills.rise == 1
    clock.pass_time(seconds=COUNTED_OVER.total_seconds() - 1)
    restarts = look(53, 1).counter("shop.service", "restarts")
    assert restarts is not None
    assert restarts.rise == 0  # the first look is too old now
    clock.pass_time(seconds=1)
    restarts = look(1, 0).counter("shop.service", "restarts")
    assert restarts is not None
    assert restarts.rise == 1  # it was stopped and began to count anew


def test_units_that_trigger_or_want_one_are_looked_at_too() -> None:
    service = unit(
        unit_file_state="static", triggered_by=("shop.socket",), wanted_by=("all.service", "x.target")
    )
    socket = unit("shop.socket", triggers=("shop.service",))
    reader = shop(
        all_units={"shop.service": service, "shop.socket": socket, "all.service": unit("all.service")}
    )
    assert {one.name for one in taken(reader).units} == {"shop.service", "shop.socket", "all.service"}


def test_what_the_configuration_names_is_looked_for() -> None:
    reader = shop(
        all_units={"shop.service": unit(), "batch.service": unit("batch.service", active_state="failed")},
        processes={812: process(812, unit="shop.service"), 900: process(900, "batch")},
    )
    interests = Interests(units=frozenset({"batch.service"}), processes=frozenset({"batch"}))
    report = taken(reader, interests=interests)
    assert report.unit("batch.service") is not None
    assert report.process(900) is not None


@pytest.mark.parametrize(
    "what", ["units", "units_matching", "containers", "vitals", "addresses", "boot", "sockets"]
)
def test_what_cannot_be_read_is_named_and_the_rest_is_there(what: str) -> None:
    reader = shop()
    reader.broken[what] = HostUnreadable(what, "no", Reason.TIMEOUT)
    report = taken(reader)
    gap = report.could_not_read(what)
    assert gap is not None
    assert gap.reason is Reason.TIMEOUT
    assert report.process(812) is not None or what == "sockets"


def test_a_process_that_ends_meanwhile_leaves_no_gap() -> None:
    report = taken(shop(processes={}))
    assert report.listeners[0].process is None
    assert not any(gap.what.startswith("process") for gap in report.unreadable)


def test_units_and_containers_are_kept_until_they_change() -> None:
    reader = shop()
    survey, clock = surveyed(reader, keep=timedelta(seconds=60))

    def asked_of_systemd() -> list[str]:
        reader.asked.clear()
        asyncio.run(survey.take())
        return [what for what in reader.asked if what in {"units", "units_matching", "containers"}]

    assert asked_of_systemd() == ["containers", "units_matching", "units"]
    clock.pass_time(seconds=59)
    assert asked_of_systemd() == []
    survey.changed(unit="shop.service")
    assert asked_of_systemd() == ["units_matching", "units"]
    survey.changed(containers=True)
    assert asked_of_systemd() == ["containers"]
    clock.pass_time(seconds=60)
    assert asked_of_systemd() == ["containers", "units_matching", "units"]


def test_listeners_alone_ask_neither_systemd_nor_disks() -> None:
    reader = shop()
    report = asyncio.run(surveyed(reader)[0].take_listeners())
    assert [one.process for one in report.listeners] == ["shop"]
    assert not {"units", "units_matching", "mounts", "vitals", "memory_kills"} & set(reader.asked)


# ---- after a failure ---------------------------------------------------------------------------------------


DISK = FileSystem(
    "/var", "/dev/x", "ext4", read_only=False, size_bytes=9, available_bytes=0, inodes=9, inodes_available=0
)
ROOT = FileSystem(
    "/", "/dev/y", "ext4", read_only=False, size_bytes=9, available_bytes=5, inodes=9, inodes_available=5
)


def explained(reader: FakeReader, **subjects: Any) -> HostReport:
    survey, _ = surveyed(reader)

    async def run() -> HostReport:
        return await survey.explain(await survey.take(), **subjects)

    return asyncio.run(run())


def test_logs_kills_changes_and_disks_are_added() -> None:
    old = Change(ChangeKind.PACKAGE, "old", NOW - timedelta(hours=25))
    package = Change(ChangeKind.PACKAGE, "shop", NOW - timedelta(hours=1))
    file = Change(ChangeKind.CONFIGURATION, "/etc/shop", NOW - timedelta(hours=2))
    kill = MemoryKill(812, "shop", NOW)
    log = LogExcerpt("shop.service", (LogLine(NOW, "no configuration"),))
    reader = shop(
        package_changes=(old, package),
        file_changes=(file,),
        kills=(kill,),
        logs={"shop.service": log},
        stores={None: (ROOT,), 812: (DISK, ROOT)},
    )
    report = explained(reader, units=("shop.service",))
    assert report.logs == (log,)
    assert report.changes == (file, package)
    assert report.memory_kills == (kill,)
    assert report.file_systems == (ROOT, DISK)


def test_nothing_of_it_is_read_before() -> None:
    reader = shop()
    taken(reader)
    later = {"unit_log", "container_log", "memory_kills", "packages", "files_changed", "firewall"}
    assert not later & set(reader.asked)


def test_logs_of_containers() -> None:
    log = LogExcerpt("web", (LogLine(NOW, "oh"),))
    reader = shop(all_containers=(container("web", pid=99),), logs={"web": log}, stores={99: (DISK,)})
    report = explained(reader, containers=("web", "gone"))
    assert (report.logs, report.file_systems) == ((log,), (DISK,))


@pytest.mark.parametrize("what", ["unit_log", "memory_kills", "packages", "files_changed", "firewall"])
def test_what_cannot_be_read_then_is_named_too(what: str) -> None:
    reader = shop(logs={"shop.service": LogExcerpt("shop.service", ())})
    reader.broken[what] = HostUnreadable(what, "no", Reason.PERMISSION)
    assert explained(reader, units=("shop.service",)).could_not_read(what) is not None


def test_a_process_without_a_unit_is_explained_by_its_pid() -> None:
    file = Change(ChangeKind.CONFIGURATION, "/etc/shop", NOW)
    report = explained(shop(file_changes=(file,), stores={812: (DISK,)}), pids=(812,))
    assert (report.changes, report.file_systems, report.logs) == ((file,), (DISK,), ())
