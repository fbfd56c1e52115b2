"""Space, inodes and read-only state of file systems: statvfs(3), proc_pid_mountinfo(5), proc_pid_fdinfo(5).

File systems that live elsewhere are never asked: the answer of a dead NFS server takes for ever.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trueup.host.facts import FileSystem
from trueup.host.files import read_text
from trueup.host.unreadable import HostUnreadable, Reason

_ELSEWHERE: Final = re.compile(
    r"nfs\d?|cifs|smb\d|smbfs|ncpfs|afs|coda|ceph|lustre|gpfs|beegfs|ocfs2|gfs2|glusterfs|9p|autofs|fuse(\..*)?"
)
_STORES: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs", "vfat", "exfat"}
    | {"tmpfs", "overlay", "fuseblk", "ntfs3", "virtiofs"}
)
"""Without squashfs and erofs, which are full and read-only by nature."""
_KERNELS_OWN: Final = re.compile(r"/(sys|proc|dev(?!/shm$))(/|$)")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_DESCRIPTORS_MAX: Final = 512
_WRITES: Final = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True, slots=True)
class Mount:
    id: int
    device_number: str
    """Major:minor: the same file system mounted twice has it twice."""
    mount_point: str
    type: str
    source: str


def parse_mounts(mountinfo: str) -> dict[int, Mount]:
    """The mounts of one mount namespace, by id.

    Raises:
        HostUnreadable: a line isn't of the form of proc_pid_mountinfo(5).
    """
    mounts = {}
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if not dash or len(left) < 6 or len(right) < 3 or not left[0].isdecimal():
            raise HostUnreadable("mountinfo", f"unlike a mount: {line!r}", Reason.MALFORMED)
        mount = Mount(int(left[0]), left[2], _plain(left[4]), right[0], _plain(right[1]))
        mounts[mount.id] = mount
    return mounts


def parse_descriptor(fdinfo: str) -> tuple[int, bool]:
    """The mount of /proc/PID/fdinfo/N, and whether it's open for writing.

    Raises:
        HostUnreadable: a field is missing.
    """
    fields = dict(line.split(":\t", 1) for line in fdinfo.splitlines() if ":\t" in line)
    try:
        return int(fields["mnt_id"]), bool(int(fields["flags"], 8) & _WRITES)
    except (KeyError, ValueError) as error:
        raise HostUnreadable("fdinfo", f"unlike a descriptor: {fdinfo!r}", Reason.MALFORMED) from error


def read_file_system(mount: Mount, root: str = "") -> FileSystem:
    """``root`` is put before the mount point: /proc/PID/root for that process's own view.

    Raises:
        HostUnreadable: it lives elsewhere (reason ``unsupported``), or can't be asked.
    """
    if _ELSEWHERE.fullmatch(mount.type):
        why = f"a {mount.type} file system lives elsewhere, and asking it could hang"
        raise HostUnreadable(mount.mount_point, why, Reason.UNSUPPORTED)
    try:
        said = os.statvfs(root + mount.mount_point)
    except OSError as error:
        raise HostUnreadable.of(mount.mount_point, error) from error
    return FileSystem(
        mount_point=mount.mount_point,
        device=mount.source,
        type=mount.type,
        read_only=bool(said.f_flag & os.ST_RDONLY),
        size_bytes=said.f_blocks * said.f_frsize,
        available_bytes=said.f_bavail * said.f_frsize,
        inodes=said.f_files or None,
        inodes_available=said.f_favail if said.f_files else None,
    )


def stores_of(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """The mounts that keep data, each file system once at its shortest path, and at each path the topmost."""
    topmost = {mount.mount_point: mount for mount in sorted(mounts, key=lambda mount: mount.id)}
    found: dict[str, Mount] = {}
    for mount in sorted(topmost.values(), key=lambda mount: len(mount.mount_point)):
        kept = mount.type in _STORES or _ELSEWHERE.fullmatch(mount.type)
        if kept and not _KERNELS_OWN.match(mount.mount_point):
            found.setdefault(mount.device_number, mount)
    return tuple(found.values())


def read_mounts(pid: int | None = None, proc: str = "/proc") -> dict[int, Mount]:
    """Of a process's mount namespace, or of our own.

    Raises:
        HostUnreadable: the process is gone, or we may not.
    """
    return parse_mounts(read_text(f"{proc}/{pid or 'self'}/mountinfo"))


def mounts_used_by(pid: int, proc: str = "/proc") -> tuple[Mount, ...]:
    """Where a process writes: the mounts of its files open for writing, and of its working directory.

    Raises:
        HostUnreadable: the process is gone, or we may not look into it.
    """
    mounts = read_mounts(pid, proc)
    used = set()
    try:
        # mountinfo says paths as the process sees them, so does the link.
        folder = os.readlink(f"{proc}/{pid}/cwd")  # noqa: PTH115 - a path is text throughout this floor
        descriptors = os.listdir(f"{proc}/{pid}/fd")[:_DESCRIPTORS_MAX]  # noqa: PTH208 - 10x faster
    except OSError as error:
        raise HostUnreadable.of(f"{proc}/{pid}", error) from error
    if (home := mount_of(folder, mounts.values())) is not None:
        used.add(home.id)
    for descriptor in descriptors:
        try:
            mount_id, writes = parse_descriptor(read_text(f"{proc}/{pid}/fdinfo/{descriptor}"))
        except HostUnreadable as error:
            if error.reason is Reason.ABSENT:
                continue  # closed meanwhile
            raise
        if writes and mount_id in mounts and mounts[mount_id].type in _STORES:
            used.add(mount_id)
    return tuple(mounts[number] for number in sorted(used))


def mount_of(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that a whole path lies on: the deepest, and of those at one place the newest."""
    holding = [
        mount
        for mount in mounts
        if path == mount.mount_point or path.startswith(mount.mount_point.rstrip("/") + "/")
    ]
    return max(holding, key=lambda mount: (len(mount.mount_point), mount.id), default=None)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 8)), text)
