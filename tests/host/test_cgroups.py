import os
import subprocess
from pathlib import Path

import pytest

from tests.beds.capabilities import cgroup_roots, require_capability
from tests.beds.commands import stop
from tests.beds.deadline import wait_until
from trueup.host.cgroups import Cgroups, parse_counters, parse_mounts, parse_place
from trueup.host.facts import MemoryEvents, Place
from trueup.host.unreadable import HostUnreadable, Reason

PG = "system-postgresql.slice"
PODS = "kubepods.slice/kubepods-burstable.slice"
USER = "/user.slice/user-1000.slice/user@1000.service"
ID = "d8ab9a2b9f7c4b6f9a3ce0a9d6d41b4c1f0b94f1b3f1c6a2a7d6a5f0e9c8b7a6"
OTHER = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "unit", "user_unit", "container"),
    [
        ("/system.slice/redis-server.service", "redis-server.service", None, None),
        (f"/system.slice/{PG}/postgresql@15-main.service", "postgresql@15-main.service", None, None),
        ("/system.slice/nginx.service/sub", "nginx.service", None, None),
        ("/init.scope", "init.scope", None, None),
        ("/system.slice/_cgroup.service", "cgroup.service", None, None),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope", None, None),
        (
            f"{USER}/app.slice/web.service",
            "user@1000.service",
            "web.service",
            None,
        ),
        (f"{USER}/init.scope", "user@1000.service", None, None),
        ("/", None, None, None),
        ("/my/own/tree", None, None, None),
        # a systemd in a container that isn't registered: its units are not this host's
        ("/lab/payload/system.slice/nginx.service", None, None, None),
        # Docker: cgroupfs driver, systemd driver, systemd inside a container
        (f"/docker/{ID}", None, None, ID),
        (f"/system.slice/docker-{ID}.scope", None, None, ID),
        (f"/docker/{ID}/system.slice/nginx.service", None, None, ID),
        (f"/system.slice/docker-{ID}.scope/init.scope", None, None, ID),
        (f"{USER}/app.slice/docker-{ID}.scope", "user@1000.service", None, ID),
        # Podman: root and rootless, in a pod, cgroupfs, split (quadlet), and its monitor
        (f"/machine.slice/libpod-{ID}.scope/container", None, None, ID),
        (f"/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{ID}.scope", None, None, ID),
        (
            f"{USER}/user.slice/libpod-{ID}.scope",
            "user@1000.service",
            None,
            ID,
        ),
        (f"/libpod_parent/libpod-{ID}", None, None, ID),
        (f"/system.slice/shop.service/libpod-payload-{ID}", "shop.service", None, ID),
        (f"/machine.slice/libpod-conmon-{ID}.scope", f"libpod-conmon-{ID}.scope", None, None),
        # Kubernetes: cgroupfs and systemd drivers, containerd, CRI-O, containerd's colons
        (f"/kubepods/burstable/pod6b1f/{ID}", None, None, ID),
        (f"/{PODS}/kubepods-burstable-pod6b1f.slice/cri-containerd-{ID}.scope", None, None, ID),
        (f"/kubepods.slice/kubepods-pod6b1f.slice/crio-{ID}.scope", None, None, ID),
        (f"/system.slice/containerd.service/kubepods-pod6b1f.slice:cri-containerd:{ID}", None, None, ID),
    ],
)  # fmt: skip
def test_paths_of_v2(path: str, unit: str | None, user_unit: str | None, container: str | None) -> None:
    place = parse_place(f"0::{path}\n")
    assert (place.unit, place.user_unit, place.container_id) == (unit, user_unit, container)
    assert place.cgroup == path


def test_v1_and_hybrid_take_systemds_own_tree() -> None:
    v1 = (
        "12:pids:/system.slice/ssh.service\n3:cpu,cpuacct:/\n1:name=systemd:/system.slice/ssh.service\n0::/\n"
    )
    assert parse_place(v1).unit == "ssh.service"
    hybrid = "4:memory:/x\n1:name=systemd:/\n0::/system.slice/ssh.service\n"
    assert parse_place(hybrid).unit == "ssh.service"


def test_docker_on_v1_shows_in_whatever_tree_has_it() -> None:
    # cgroupfs driver under a docker.service: one tree may name the engine, another the container
    engine = "/system.slice/docker.service"
    text = f"9:name=systemd:{engine}\n4:memory:/docker/{ID}\n0::{engine}\n"
    place = parse_place(text)
    assert (place.unit, place.container_id) == (None, ID)


@pytest.mark.parametrize(
    ("path", "machine"),
    [
        ("/machine.slice/machine-lab\\x2done.scope/payload/init.scope", "lab-one"),
        ("/machine.slice/systemd-nspawn@lab.service/payload/system.slice/nginx.service", "lab"),
        ("/lxc.payload.web/system.slice/nginx.service", "web"),
        ("/lxc/web/init", "web"),
        ("/system.slice/nginx.service", None),
    ],
)
def test_machines_are_told(path: str, machine: str | None) -> None:
    assert parse_place(f"0::{path}\n").machine == machine


def test_a_cgroup_that_was_removed() -> None:
    assert parse_place("0::/system.slice/a.service (deleted)\n").unit == "a.service"


def test_a_kernel_without_cgroups_says_nothing() -> None:
    assert parse_place("") == Place("/")


@pytest.mark.parametrize("text", ["0", "0::", "x", "0:a:b"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(HostUnreadable) as caught:
        parse_place(text)
    assert caught.value.reason is Reason.MALFORMED


def test_counters_and_mounts() -> None:
    assert parse_counters("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n")["oom_kill"] == 2
    with pytest.raises(HostUnreadable):
        parse_counters("oom_kill -1\n")
    v2 = "30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
    assert parse_mounts(v2).unified == "/sys/fs/cgroup"
    hybrid = (
        "40 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "41 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
        "42 31 0:35 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
    )
    mounts = parse_mounts(hybrid)
    assert (mounts.unified, mounts.memory, mounts.freezer) == (
        "/sys/fs/cgroup/unified",
        "/sys/fs/cgroup/memory",
        "/sys/fs/cgroup/freezer",
    )


# ---- the kernel's files, laid out as v2 and as v1 ----------------------------------------------------------


def laid_out(root: Path, kind: str, files: dict[str, str]) -> Cgroups:
    mounts = {
        "v2": f"30 24 0:26 / {root}/cg rw - cgroup2 cgroup2 rw\n",
        "v1": f"30 24 0:26 / {root}/mem rw - cgroup cgroup rw,memory\n"
        f"31 24 0:26 / {root}/frz rw - cgroup cgroup rw,freezer\n",
        "none": "",
    }[kind]
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(mounts)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Cgroups(str(root / "proc"))


def test_memory_events_of_v2(tmp_path: Path) -> None:
    cgroups = laid_out(tmp_path, "v2", {"cg/a.service/memory.events": "oom 3\noom_kill 2\n"})
    assert cgroups.memory_events("/a.service") == MemoryEvents(3, 2)
    with pytest.raises(HostUnreadable) as caught:
        cgroups.memory_events("/gone.service")
    assert caught.value.reason is Reason.ABSENT


def test_memory_events_of_v1(tmp_path: Path) -> None:
    cgroups = laid_out(
        tmp_path,
        "v1",
        {
            "mem/a.service/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
            "mem/old.service/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n",
        },
    )
    assert cgroups.memory_events("/a.service") == MemoryEvents(None, 1)
    with pytest.raises(HostUnreadable, match="count"):
        cgroups.memory_events("/old.service")  # before Linux 4.13


def test_no_cgroups_no_statement(tmp_path: Path) -> None:
    cgroups = laid_out(tmp_path, "none", {})
    with pytest.raises(HostUnreadable):
        cgroups.memory_events("/a.service")
    assert cgroups.frozen("0::/a.service\n") is None
    assert cgroups.paths_of([1]) == {}


@pytest.mark.parametrize(
    ("events", "frozen"), [("populated 1\nfrozen 1\n", True), ("populated 1\nfrozen 0\n", False)]
)
def test_frozen_in_v2(tmp_path: Path, events: str, frozen: bool) -> None:
    cgroups = laid_out(tmp_path, "v2", {"cg/a.service/cgroup.events": events})
    assert cgroups.frozen("0::/a.service\n") is frozen
    assert cgroups.frozen("0::/other\n") is None


@pytest.mark.parametrize(("state", "frozen"), [("THAWED", False), ("FREEZING", True), ("FROZEN", True)])
def test_frozen_in_v1(tmp_path: Path, state: str, frozen: bool) -> None:
    cgroups = laid_out(tmp_path, "v1", {f"frz/docker/{ID}/freezer.state": state + "\n"})
    assert cgroups.frozen(f"6:freezer:/docker/{ID}\n4:memory:/docker/{ID}\n0::/\n") is frozen


# ---- the live kernel --------------------------------------------------------------------------------------


def test_a_real_cgroup_is_found_by_its_id_and_its_freeze_is_seen() -> None:
    require_capability("cgroups")
    folder = cgroup_roots()["unified"] / f"trueup-test-{os.getpid()}"
    folder.mkdir()
    process = subprocess.Popen(["sleep", "60"], text=True)
    cgroups = Cgroups()
    place = Path(f"/proc/{process.pid}/cgroup")
    try:
        (folder / "cgroup.procs").write_text(str(process.pid))
        assert cgroups.paths_of([folder.stat().st_ino]) == {folder.stat().st_ino: f"/{folder.name}"}
        assert cgroups.frozen(place.read_text()) is False
        (folder / "cgroup.freeze").write_text("1")
        wait_until(lambda: cgroups.frozen(place.read_text()), "the freeze shows")
        (folder / "cgroup.freeze").write_text("0")
        wait_until(lambda: cgroups.frozen(place.read_text()) is False, "the thaw shows")
    finally:
        process.kill()
        stop(process)
        wait_until(lambda: "populated 0" in (folder / "cgroup.events").read_text(), "the cgroup is empty")
        folder.rmdir()
    assert cgroups.paths_of([4242424242]) == {}


def test_this_process_has_a_place() -> None:
    assert Cgroups().place(os.getpid()).cgroup.startswith("/")
