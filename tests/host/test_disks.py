import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.beds.capabilities import require_capability
from tests.beds.commands import stop
from tests.host.as_user import as_nobody
from tests.host.sample import sample_text
from trueup.host.disks import (
    Mount,
    mount_of,
    mounts_used_by,
    parse_descriptor,
    parse_mounts,
    read_file_system,
    read_mounts,
    stores_of,
)
from trueup.host.unreadable import HostUnreadable, Reason

MOUNTS = parse_mounts(sample_text("mountinfo.txt"))


def test_mounts_with_their_escapes() -> None:
    assert MOUNTS[95] == Mount(95, "253:0", "/var/lib/postgresql", "xfs", "/dev/mapper/vg-pg")
    assert MOUNTS[96].mount_point == "/srv/my copy"
    assert MOUNTS[97].source == "nas:/export"


@pytest.mark.parametrize(
    "line", ["x", "30 1 259:2 / / rw", "a b c d e f - ext4 /dev/x rw", "30 1 2:2 / / rw - ext4"]
)
def test_another_form_is_refused(line: str) -> None:
    with pytest.raises(HostUnreadable):
        parse_mounts(line)


def test_each_store_once_and_neither_the_kernels_own_nor_images() -> None:
    assert [(mount.id, mount.mount_point) for mount in stores_of(MOUNTS.values())] == [
        (30, "/"),
        (100, "/tmp"),  # the one on top: the other can't be reached
        (41, "/dev/shm"),
        (97, "/mnt/nas"),
        (90, "/boot/efi"),
        (96, "/srv/my copy"),  # the same as /var/lib/postgresql
    ]


def test_a_path_lies_on_its_deepest_mount() -> None:
    def holding(path: str) -> int | None:
        found = mount_of(path, MOUNTS.values())
        return found.id if found else None

    assert holding("/var/lib/postgresql/15/main") == 95
    assert holding("/var/lib/postgresql") == 95
    assert holding("/var/lib/postgresqlx") == 30
    assert holding("/tmp/x") == 100
    assert mount_of("/x", ()) is None


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.sshfs", "fuse", "9p", "autofs"]
)
def test_what_lives_elsewhere_is_never_asked(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(os, "statvfs", asked.append)
    with pytest.raises(HostUnreadable) as caught:
        read_file_system(Mount(1, "0:1", "/mnt", kind, "nas:/export"))
    assert (caught.value.reason, asked) == (Reason.UNSUPPORTED, [])


def test_descriptors() -> None:
    assert parse_descriptor("pos:\t0\nflags:\t0100002\nmnt_id:\t27\nino:\t5\n") == (27, True)
    assert parse_descriptor("pos:\t0\nflags:\t0100001\nmnt_id:\t27\n") == (27, True)
    assert parse_descriptor("pos:\t0\nflags:\t0100000\nmnt_id:\t27\n") == (27, False)
    with pytest.raises(HostUnreadable):
        parse_descriptor("pos:\t0\n")


# ---- the live kernel --------------------------------------------------------------------------------------


def test_the_root_file_system_agrees_with_the_kernel() -> None:
    (root,) = [mount for mount in stores_of(read_mounts().values()) if mount.mount_point == "/"]
    found = read_file_system(root)
    said = os.statvfs("/")
    assert found.size_bytes == said.f_blocks * said.f_frsize
    assert 0 < found.available_bytes < found.size_bytes
    assert found.read_only is False


def test_a_process_uses_the_mounts_that_it_writes_to() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
        used = mounts_used_by(os.getpid())
        (own,) = {
            int(line.split()[1])
            for line in Path(f"/proc/self/fdinfo/{file.fileno()}").read_text().splitlines()
            if line.startswith("mnt_id")
        }
        assert own in {mount.id for mount in used}
        assert all(mount.type not in {"proc", "sysfs", "devpts", "pipefs"} for mount in used)


FULL_DISK = """
import os, sys, time
os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
log = open("log", "wb", buffering=0)
try:
    while True: log.write(b"x" * 65536)
except OSError: pass
print("full", flush=True)
time.sleep(60)
"""


def test_a_full_disk_of_a_service_in_its_own_mounts(tmp_path: Path) -> None:
    require_capability("overlay")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=8", "small", str(tmp_path)]
    # Python is on the same mounts; only the process sees the small disk
    process = subprocess.Popen(
        [
            "unshare",
            "--mount",
            "sh",
            "-ec",
            f'{" ".join(mount)}; exec "$@"',
            "sh",
            sys.executable,
            "-c",
            FULL_DISK,
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "full\n"
        (used,) = [one for one in mounts_used_by(process.pid) if one.source == "small"]
        disk = read_file_system(used, root=f"/proc/{process.pid}/root")
        assert (disk.mount_point, disk.type) == (str(tmp_path), "tmpfs")
        assert (disk.size_bytes, disk.available_bytes) == (1024 * 1024, 0)
        assert disk.inodes == 8
        assert disk.inodes_available is not None
        assert disk.inodes_available < 8
        assert read_file_system(used).size_bytes != 1024 * 1024  # not by our own mounts
    finally:
        process.kill()
        stop(process)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_another_users_mounts_are_not_guessed() -> None:
    parent = os.getpid()

    def question() -> Reason:
        try:
            mounts_used_by(parent)
        except HostUnreadable as error:
            return error.reason
        raise AssertionError

    assert as_nobody(question) is Reason.PERMISSION


def test_a_mount_that_is_gone() -> None:
    with pytest.raises(HostUnreadable) as caught:
        read_file_system(Mount(1, "0:1", "/no/such/place", "ext4", "/dev/x"))
    assert caught.value.reason is Reason.ABSENT
