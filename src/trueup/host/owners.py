"""Who holds a socket: the walk from /proc/PID/fd to its inode.

A whole walk takes 18 ms for 120 processes, so it's made only for an inode that isn't known, and once a
minute for new holders; otherwise each known holder is asked whether it still holds. One that hasn't run since
it was asked last can't have let go of anything, nor got anything: it needn't be asked. What we may not look
into makes the owner unknown, never another one.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from trueup.host.facts import Owner, OwnerUnknown
from trueup.host.processes import Processes, Stat
from trueup.host.unreadable import HostUnreadable, Reason

WALK_AGAIN_AFTER_S: Final = 60.0
_INIT: Final = "systemd"  # process 1, or a user's own


class Owners:
    """Remembers which process holds which socket, and checks it each time.

    ``trusted`` says whether every process can be seen and looked into: without it, a socket that nobody
    seems to hold may be another user's.
    """

    def __init__(
        self,
        processes: Processes,
        proc: str = "/proc",
        *,
        trusted: bool | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._processes = processes
        self._proc = proc
        self._trusted = os.geteuid() == 0 if trusted is None else trusted
        self._monotonic_s = monotonic_s
        self._held: dict[int, dict[int, str]] = {}
        """pid -> inode -> the number of its descriptor."""
        self._ran: dict[int, bytes | None] = {}
        """pid -> what it had run before it was asked last."""
        self._walked_at_s: float | None = None
        self._denied = False
        self._asked: frozenset[int] = frozenset()
        self._sought: frozenset[int] = frozenset()
        self._named: dict[tuple[int, ...], Owner] = {}
        self._owners: dict[int, Owner] = {}

    def of(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        """An owner for each inode; the very same mapping as the last time where nothing has changed.

        Raises:
            HostUnreadable: /proc can't be listed.
        """
        asked = frozenset(inodes)
        wanted = asked - {0}
        self._processes.begin()
        holders = len(self._held)
        resting = self._forget_gone(wanted)
        now_s = self._monotonic_s()
        aged = self._walked_at_s is None or now_s - self._walked_at_s > WALK_AGAIN_AFTER_S
        if asked == self._asked and len(resting) == holders and not aged:
            return self._owners
        new = wanted - self._found() - self._sought
        if wanted and (aged or new):
            self._walk(wanted, set() if new else resting)
            self._walked_at_s = now_s
            self._sought = frozenset(wanted - self._found())
        self._asked = asked
        owners = self._name(asked)
        if owners != self._owners:
            self._owners = owners
        return self._owners

    def _found(self) -> set[int]:
        return set().union(*self._held.values())

    def _forget_gone(self, wanted: AbstractSet[int]) -> set[int]:
        """Asks all that have run since they were asked last, and tells which haven't."""
        resting = set()
        for pid, held in list(self._held.items()):
            ran = self._processes.ran(pid)
            if ran is not None and ran == self._ran.get(pid) and held.keys() <= wanted:
                resting.add(pid)
                continue
            self._ran[pid] = ran
            self._held[pid] = self._still_held(pid, held, wanted)
            if not self._held[pid]:
                del self._held[pid], self._ran[pid]
        return resting

    def _still_held(self, pid: int, held: Mapping[int, str], wanted: AbstractSet[int]) -> dict[int, str]:
        try:
            folder = os.open(f"{self._proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return {}
        try:
            return {
                inode: descriptor
                for inode, descriptor in held.items()
                if inode in wanted and _link(descriptor, folder) == f"socket:[{inode}]"
            }
        finally:
            os.close(folder)

    def _walk(self, wanted: AbstractSet[int], resting: AbstractSet[int]) -> None:
        """Looks into all processes but those at rest, which hold what they held."""
        names = {f"socket:[{inode}]": inode for inode in wanted}
        before, self._held = self._held, {}
        self._denied = False
        for pid in self._processes.pids():
            if pid in resting:
                self._held[pid] = before[pid]
                continue
            ran = self._processes.ran(pid) if pid in before else None
            try:
                held = self._look_into(pid, names)
            except PermissionError:
                self._denied = True
            except OSError:
                continue  # it has ended meanwhile
            else:
                if held:
                    self._held[pid], self._ran[pid] = held, ran
        self._ran = {pid: self._ran[pid] for pid in self._held}

    def _look_into(self, pid: int, names: Mapping[str, int]) -> dict[int, str]:
        held: dict[int, str] = {}
        folder = os.open(f"{self._proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for descriptor in os.listdir(folder):  # noqa: PTH208 - there is no pathlib for a descriptor
                link = _link(descriptor, folder)
                inode = names.get(link) if link is not None else None  # None: closed meanwhile
                if inode is not None:
                    held.setdefault(inode, descriptor)
        finally:
            os.close(folder)
        return held

    def _name(self, inodes: Collection[int]) -> dict[int, Owner]:
        holders: dict[int, list[int]] = {inode: [] for inode in inodes}
        for pid in sorted(self._held):
            for inode in self._held[pid]:
                holders[inode].append(pid)
        stats: dict[int, Stat | None] = {}
        named: dict[tuple[int, ...], Owner] = {}
        owners = {}
        for inode, found in holders.items():
            pids = tuple(found)
            if pids not in named:
                owner, before = self._owner(pids, stats), self._named.get(pids)
                named[pids] = before if before is not None and before == owner else owner
            owners[inode] = named[pids]
        self._named = named
        return owners

    def _owner(self, pids: tuple[int, ...], stats: dict[int, Stat | None]) -> Owner:
        for pid in pids:
            if pid not in stats:
                stats[pid] = self._stat(pid)
        alive = {pid: stat for pid in pids if (stat := stats[pid]) is not None}
        if alive:
            return _named(alive)
        hidden = self._denied or not self._trusted or pids
        return Owner(None, unknown=OwnerUnknown.PERMISSION if hidden else OwnerUnknown.NOBODY)

    def _stat(self, pid: int) -> Stat | None:
        try:
            return self._processes.stat(pid)
        except HostUnreadable as error:
            if error.reason is Reason.ABSENT:
                return None
            raise


def _named(holders: Mapping[int, Stat]) -> Owner:
    """Names a service before the systemd that opened its socket, and a master before its workers."""
    by_init = {pid for pid, stat in holders.items() if stat.name == _INIT}
    candidates = {pid: stat for pid, stat in holders.items() if pid not in by_init} or dict(holders)
    first = min(
        candidates.values(),
        key=lambda stat: (stat.parent_pid in candidates, stat.start_ticks, stat.pid),
    )
    return Owner(first.pid, tuple(holders), by_init=bool(by_init))


def _link(descriptor: str, folder: int) -> str | None:
    try:
        return os.readlink(descriptor, dir_fd=folder)
    except OSError:
        return None
