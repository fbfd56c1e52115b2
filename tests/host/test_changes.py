import gzip
import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.host.units import unit
from trueup.host.changes import (
    named_files,
    parse_apt_commands,
    parse_dnf,
    parse_dpkg,
    parse_pacman,
    read_files,
    read_packages,
)
from trueup.host.processes import Processes
from trueup.host.traces import Change, ChangeKind
from trueup.host.unreadable import HostUnreadable, Reason

BERLIN = timezone(timedelta(hours=1))
DPKG = """\
2026-11-21 02:18:49 startup archives unpack
2026-11-21 02:18:49 upgrade redis-server:amd64 5:7.0.15-1~deb12u9 5:7.0.15-1~deb12u10
2026-11-21 02:18:49 status half-configured redis-server:amd64 5:7.0.15-1~deb12u9
2026-11-21 02:18:50 install liblzf1:amd64 <none> 3.6-3
2026-11-21 02:18:51 remove nginx:all 1.22.1-9 <none>
2026-11-21 02:18:52 configure redis-server:amd64 5:7.0.15-1~deb12u10 <none>
"""
APT = """\

Start-Date: 2026-11-21  02:18:48
Commandline: apt-get install -y redis-server
Install: liblzf1:amd64 (3.6-3, automatic)
End-Date: 2026-11-21  02:19:12
"""


def at(second: int, zone: timezone = UTC) -> datetime:
    return datetime(2026, 11, 21, 2, 18, second, tzinfo=zone).astimezone(UTC)


def test_dpkg_says_what_was_installed_upgraded_and_removed() -> None:
    assert parse_dpkg(DPKG, BERLIN) == [
        Change(
            ChangeKind.PACKAGE,
            "redis-server",
            at(49, BERLIN),
            "upgrade 5:7.0.15-1~deb12u9 -> 5:7.0.15-1~deb12u10",
        ),
        Change(ChangeKind.PACKAGE, "liblzf1", at(50, BERLIN), "install 3.6-3"),
        Change(ChangeKind.PACKAGE, "nginx", at(51, BERLIN), "remove 1.22.1-9"),
    ]


def test_apt_says_who_asked_for_it() -> None:
    assert parse_apt_commands(APT, UTC) == [(at(48), "apt-get install -y redis-server")]


def test_rpm_and_pacman() -> None:
    stamp = "2026-11-21T03:18:49+0100"
    dnf = f"{stamp} SUBDEBUG Upgraded: redis-7.0.15-1.fc40.x86_64\n{stamp} INFO --- logging\n"
    assert parse_dnf(dnf) == [Change(ChangeKind.PACKAGE, "redis-7.0.15-1.fc40.x86_64", at(49), "upgraded")]
    pacman = "[2026-11-21T02:18:49+0000] [ALPM] upgraded valkey (7.2.5-1 -> 8.0.0-1)\n[x] [PACMAN] Running\n"
    assert parse_pacman(pacman) == [
        Change(ChangeKind.PACKAGE, "valkey", at(49), "upgraded 7.2.5-1 -> 8.0.0-1")
    ]


def test_packages_of_this_root_since_a_time(tmp_path: Path) -> None:
    root = f"{tmp_path}/"
    with pytest.raises(HostUnreadable) as caught:
        read_packages(at(0), root)
    assert caught.value.reason is Reason.ABSENT
    (tmp_path / "var/log/apt").mkdir(parents=True)
    (tmp_path / "var/log/dpkg.log").write_text(DPKG)
    since = parse_dpkg(DPKG)[1].at  # as this machine's own zone has it
    assert [change.subject for change in read_packages(since, root)] == ["liblzf1", "nginx"]
    (tmp_path / "var/log/apt/history.log").write_text(APT)
    assert read_packages(since, root)[0].detail == "install 3.6-3 (apt-get install -y redis-server)"
    (tmp_path / "var/log/dpkg.log").unlink()
    (tmp_path / "var/log/pacman.log").write_text("[2026-11-21T02:18:49+0000] [ALPM] installed x (1)\n")
    assert [change.subject for change in read_packages(at(0), root)] == ["x"]


def test_a_log_that_we_may_not_read_is_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "var/log/dpkg.log").mkdir(parents=True)  # reading it fails, and not for want of it
    with pytest.raises(HostUnreadable) as caught:
        read_packages(at(0), f"{tmp_path}/")
    assert caught.value.reason is not Reason.ABSENT


def test_paths_among_arguments() -> None:
    assert named_files(["/etc/a", "--config=/etc/b", "-c", "config_file=/etc/c", "x", "--port=1", "/"]) == [
        "/etc/a",
        "/etc/b",
        "/etc/c",
        "/",
    ]


def wait_a_tick() -> None:
    """Until the clock that files are stamped with has moved: it does so with the kernel's tick."""
    time.sleep(0.02)


def test_files_newer_than_the_start(tmp_path: Path) -> None:
    for folder in ("etc/shop/conf.d", "etc/systemd/system/shop.service.d", "lib", "var/data"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("etc/shop/old.conf", "lib/shop.service", "etc/systemd/system/shop.service.d/a.conf"):
        (tmp_path / name).write_text("old")
    wait_a_tick()
    started_at = datetime.now(UTC)
    wait_a_tick()
    for name in (
        "etc/shop/conf.d/new.conf",
        "etc/shop/.new.conf.swp",
        "etc/shop/new.conf~",
        "etc/default",
        "var/data/x",
    ):
        (tmp_path / name).write_text("new")
    (tmp_path / "etc/systemd/system/shop.service.d/a.conf").chmod(0o600)  # content and its time stay
    shop = unit(
        started_at=started_at,
        fragment_path="/lib/shop.service",
        drop_in_paths=("/etc/systemd/system/shop.service.d/a.conf",),
        environment_files=("/etc/default", "/etc/none"),
        command=("/usr/bin/shop", "--config=/etc/shop", "/var/data"),
    )
    found = read_files(shop, None, f"{tmp_path}/")
    assert {(change.kind, change.subject) for change in found} == {
        (ChangeKind.UNIT_FILE, "/etc/systemd/system/shop.service.d/a.conf"),
        (ChangeKind.CONFIGURATION, "/etc/default"),
        (ChangeKind.CONFIGURATION, "/etc/shop/conf.d/new.conf"),
    }
    assert all(change.at > started_at for change in found)


def test_a_program_newer_than_its_process() -> None:
    me = Processes().read(os.getpid())
    assert me.executable is not None
    changes = read_files(None, me)
    assert ChangeKind.EXECUTABLE not in {change.kind for change in changes}


def test_without_a_start_nothing_can_be_newer() -> None:
    assert read_files(unit(), None) == ()
    assert read_files(None, None) == ()


def test_a_packed_log_is_not_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/dpkg.log").write_bytes(gzip.compress(DPKG.encode()))
    assert read_packages(at(0), f"{tmp_path}/") == ()


def test_a_package_log_that_grows_is_read_again(tmp_path: Path) -> None:
    log = tmp_path / "var/log/dpkg.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-11-21 10:00:00 install nginx:amd64 <none> 1.22\n")
    assert [one.subject for one in read_packages(at(0), f"{tmp_path}/")] == ["nginx"]
    with log.open("a") as more:
        more.write("2026-11-21 10:00:00 install redis:amd64 <none> 7.0\n")
    assert [one.subject for one in read_packages(at(0), f"{tmp_path}/")] == ["nginx", "redis"]
