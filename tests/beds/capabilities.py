"""What this machine lets a test bed do. Each is tried once, really, and what is missing is said."""

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

_SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


def program(name: str) -> str | None:
    """The distribution's own copy of a program first: another of that name may come earlier on PATH."""
    return shutil.which(name, path=_SEARCH_PATH)


def missing_programs(*names: str) -> str | None:
    absent = [name for name in names if program(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def _refusal(argv: Sequence[str]) -> str | None:
    """None when the command succeeds, else its last complaint."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{argv[0]}: {error}"
    if done.returncode == 0:
        return None
    return (done.stderr.strip() or f"{argv[0]} ended with {done.returncode}").splitlines()[-1]


def _in_fresh_namespaces(script: str) -> str | None:
    return _refusal(["unshare", "--net", "--mount", "sh", "-ec", script])


def namespaces() -> str | None:
    if os.geteuid() != 0:
        return "network namespaces are made by root only"
    return missing_programs("ip", "nsenter", "unshare", "setpriv") or _in_fresh_namespaces(
        "ip link add veth0 type veth peer name veth1 && ip link add br0 type bridge"
    )


def nftables() -> str | None:
    return (
        namespaces()
        or missing_programs("nft")
        or _in_fresh_namespaces(
            'nft "table inet t { chain c { type filter hook input priority 0; }; }; '
            'add rule inet t c tcp dport 9 counter reject with tcp reset"'
        )
    )


def overlay() -> str | None:
    """An overlay of the root file system, with its upper layer in memory."""
    return namespaces() or _in_fresh_namespaces(
        "mount -t tmpfs tmpfs /mnt; cd /mnt; mkdir u w m; "
        "mount -t overlay overlay -o lowerdir=/,upperdir=u,workdir=w m; test -d m/etc"
    )


def cgroups() -> str | None:
    """Whether we may make cgroups where processes can be kept: the v2 hierarchy."""
    roots = cgroup_roots()
    if "unified" not in roots:
        return "no cgroup v2 hierarchy is mounted"
    for kind, root in roots.items():
        trial = root / f"trueup-trial-{os.getpid()}"
        try:
            trial.mkdir()
            killable = (trial / "cgroup.kill").exists()
            trial.rmdir()
        except OSError as error:
            return f"no cgroup can be made: {error}"
        if kind == "unified" and not killable:
            return "this kernel (before 5.14) can't kill a cgroup"
    return None


def cgroup_roots() -> dict[str, Path]:
    """Mount points by kind: `unified` (v2) and, where v1 is there too, `systemd` (v1, no controller)."""
    roots: dict[str, Path] = {}
    for mount, options in cgroup_mounts().items():
        if options is None:
            roots["unified"] = mount
        elif "name=systemd" in options:
            roots["systemd"] = mount
    return roots


def cgroup_mounts() -> dict[Path, Sequence[str] | None]:
    """All hierarchies: the mount options of v1, None for v2."""
    mounts: dict[Path, Sequence[str] | None] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount_point, kind, options, *_ = line.split()
        if kind in {"cgroup", "cgroup2"}:
            mounts[Path(mount_point)] = options.split(",") if kind == "cgroup" else None
    return mounts


def memory_limits() -> str | None:
    """Whether a cgroup can limit memory: the controller of v1, or that of v2."""
    for mount, options in cgroup_mounts().items():
        offered = (mount / "cgroup.controllers").read_text().split() if options is None else options
        if "memory" in offered:
            return None
    return "no cgroup hierarchy has the memory controller"


def nspawn() -> str | None:
    """Whether systemd can be booted beside this machine; that it does boot is the bed's own duty."""
    return missing_programs("systemd-nspawn", "dbus-daemon", "mount") or overlay() or cgroups()


def dockerd() -> str | None:
    programs = ("dockerd", "docker-proxy", "docker", "containerd", "runc", "busybox")
    return missing_programs(*programs) or overlay() or cgroups()


_TRIALS: dict[str, Callable[[], str | None]] = {
    trial.__name__: trial
    for trial in (namespaces, nftables, overlay, cgroups, memory_limits, nspawn, dockerd)
}


@functools.cache
def missing(capability: str) -> str | None:
    """Why this machine can't, or None when it can. Tried once for each session."""
    return _TRIALS[capability]()


def require_capability(*capabilities: str) -> None:
    """Skip the test, and say why, where this machine can't."""
    for capability in capabilities:
        reason = missing(capability)
        if reason is not None:
            pytest.skip(f"no {capability} here: {reason}")
