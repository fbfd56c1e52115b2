"""Cgroups of our own, so that what a bed boots keeps to itself and can be taken away entirely."""

import contextlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.beds.capabilities import cgroup_mounts, cgroup_roots
from tests.beds.commands import stop
from tests.beds.deadline import wait_until
from tests.beds.inside import children_of
from tests.beds.ownership import left_behind, own_name


@contextlib.contextmanager
def cgroups(label: str) -> Iterator[tuple[Path, ...]]:
    """An empty cgroup in each hierarchy that systemd uses, v2 first. They go at the end, with all below.

    What is made under the same name in other hierarchies goes too. Should the test run be killed, all
    processes of the cgroup are.
    """
    roots = [root for _, root in sorted(cgroup_roots().items(), reverse=True)]
    for mount in cgroup_mounts():
        for tree in left_behind(mount):
            remove(tree)
    name = own_name(label)
    try:
        for root in roots:
            (root / name).mkdir()
        with _guarded(roots[0] / name):
            yield tuple(root / name for root in roots)
    finally:
        for mount in cgroup_mounts():
            wait_until(lambda tree=mount / name: remove(tree), f"{mount / name} is empty")  # type: ignore[misc]


@contextlib.contextmanager
def _guarded(cgroup: Path) -> Iterator[None]:
    """A process that hears by the end of its standard input that we are gone, and then ends the cgroup's."""
    script = 'read -r nothing || echo 1 > "$1/cgroup.kill"'
    guard = subprocess.Popen(["sh", "-c", script, "sh", str(cgroup)], stdin=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        stop(guard)


def joining(groups: Sequence[Path]) -> list[str]:
    """Put before a command, it makes the command run in these cgroups. They are made."""
    for cgroup in groups:
        cgroup.mkdir(parents=True, exist_ok=True)
    steps = (f"echo $$ > {cgroup}/cgroup.procs; " for cgroup in groups)
    return ["sh", "-ec", "".join(steps) + 'exec "$@"', "sh"]


def processes_in(cgroup: Path) -> list[int]:
    """Of the cgroup and all below it."""
    return [int(pid) for listed in cgroup.rglob("cgroup.procs") for pid in listed.read_text().split()]


def limit_memory_v1(name: str, pids: Iterable[int], size_bytes: int) -> bool:
    """Keep processes to so much memory together, in a cgroup that goes with `cgroups` of that name.

    False where no v1 hierarchy has the memory controller.
    """
    for mount, options in cgroup_mounts().items():
        if options is not None and "memory" in options:
            limited = mount / name / f"limited-{size_bytes}"
            limited.mkdir(parents=True, exist_ok=True)
            for limit in (
                "memory.limit_in_bytes",
                "memory.memsw.limit_in_bytes",
            ):  # the second one counts swap
                if (limited / limit).exists():
                    (limited / limit).write_text(str(size_bytes))
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):  # it has ended by now
                    (limited / "cgroup.procs").write_text(str(pid))
            return True
    return False


def kill(cgroup: Path) -> None:
    """End all processes in it and below, and wait for that. Only a cgroup of the v2 hierarchy can do it."""
    members = set(processes_in(cgroup))
    (cgroup / "cgroup.kill").write_text("1")

    def emptied() -> bool:
        # An orphan among them has become our child; until it is waited for, its namespace can't end.
        for orphan in members.intersection(children_of(os.getpid())):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, os.WNOHANG)
        return "populated 0" in (cgroup / "cgroup.events").read_text()

    wait_until(emptied, f"{cgroup} is empty")


def remove(tree: Path) -> bool:
    """Whether it is gone; it isn't while a process is left in it, and none is ended here."""
    for folder, _, _ in os.walk(tree, topdown=False):
        try:
            Path(folder).rmdir()
        except OSError:
            return False
    return not tree.exists()
