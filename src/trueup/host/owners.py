"""Who holds a socket: the walk from /proc/PID/fd to its inode.

To look into all processes takes 18 ms where there are 120, so that's done only for an inode that isn't known.
Otherwise each known holder is asked whether it still holds, and new processes are looked into, for they may
have inherited a socket. A process can also be handed one, but only while it runs: those that have run are
looked into again now and then. What we may not look into makes the owner unknown, never another one.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from trueup.host.facts import Owner, OwnerUnknown
from trueup.host.processes import Processes, Stat
from trueup.host.unreadable import HostUnreadable, Reason

WALK_AGAIN_AFTER_S: Final = 300.0
_INIT: Final = "systemd"  # process 1, or a user's own
_LINK: Final = "socket:["


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
        self._wanted: frozenset[int] = frozenset()
        self._sought: frozenset[int] = frozenset()
        """What was wanted and is nobody's that we see."""
        self._held: dict[int, dict[int, str]] = {}
        """pid -> inode -> the number of its descriptor."""
        self._ran: dict[int, bytes | None] = {}
        """pid of a holder -> what it had run before it was asked last."""
        self._seen: dict[int, bytes | None] = {}
        """pid of anybody -> what it had run before it was looked into, where that was asked."""
        self._denied: set[int] = set()
        self._walked_at_s = 0.0
        self._changed = False
        self._stats: dict[int, Stat | None] = {}
        """pid of a holder -> what it was when it was last known to have run."""
        self._holders: dict[int, tuple[int, ...]] = {}
        self._named: dict[tuple[int, ...], Owner] = {}
        self._owners: dict[int, Owner] = {}

    def of(self, inodes: Collection[int]) -> Mapping[int, Owner]:
        """An owner for each inode; the very same mapping as the last time where nothing has changed.

        Raises:
            HostUnreadable: /proc can't be listed.
        """
        self._processes.begin()
        self._want(frozenset(inodes))
        at_rest = self._ask_holders()
        if self._wanted:
            self._look_around()
        if self._changed or not at_rest:
            self._name()
        return self._owners

    # ---- who holds what -----------------------------------------------------------------------------------

    def _want(self, inodes: frozenset[int]) -> None:
        if inodes is self._wanted or inodes == self._wanted:
            return
        self._wanted, self._changed = inodes, True
        for pid, held in list(self._held.items()):
            self._hold(pid, {inode: descriptor for inode, descriptor in held.items() if inode in inodes})

    def _hold(self, pid: int, held: dict[int, str]) -> None:
        if held != self._held.get(pid, {}):
            self._changed = True
        if held:
            self._held[pid] = held
        else:
            for of_holders in (self._held, self._ran, self._stats):
                of_holders.pop(pid, None)

    def _ask_holders(self) -> bool:
        """Whether none has run since it was asked last: the others are asked again."""
        at_rest = True
        for pid, held in list(self._held.items()):
            ran = self._processes.ran(pid)
            if ran is None or ran != self._ran.get(pid):
                at_rest = False
                self._ran[pid] = ran
                self._stats.pop(pid, None)
                self._hold(pid, self._still_held(pid, held))
        return at_rest

    def _look_around(self) -> None:
        """Looks into whoever may hold what is wanted, besides those that are known to."""
        pids = set(self._processes.pids())
        for pid in self._seen.keys() - pids:
            del self._seen[pid]
            self._denied.discard(pid)
        now_s = self._monotonic_s()
        if self._changed and self._missing() - self._sought:
            for pid in pids:
                self._look_into(pid, None)
            self._sought = self._missing()
        elif now_s - self._walked_at_s > WALK_AGAIN_AFTER_S:
            for pid in pids:
                ran = self._processes.ran(pid)
                if ran is None or ran != self._seen.get(pid):
                    self._look_into(pid, ran)
        else:
            for pid in pids - self._seen.keys():
                self._look_into(pid, None)
            return
        self._walked_at_s = now_s

    def _missing(self) -> frozenset[int]:
        return self._wanted.difference({0}, *self._held.values())

    def _look_into(self, pid: int, ran: bytes | None) -> None:
        held: dict[int, str] = {}
        self._denied.discard(pid)
        try:
            held = self._holds(pid)
        except PermissionError:
            self._denied.add(pid)
        except OSError:
            return  # it has ended meanwhile
        self._seen[pid] = ran
        self._hold(pid, held)

    def _holds(self, pid: int) -> dict[int, str]:
        held: dict[int, str] = {}
        folder = os.open(f"{self._proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for descriptor in os.listdir(folder):  # noqa: PTH208 - there is no pathlib for a descriptor
                link = _link(descriptor, folder)
                if link is not None and link.startswith(_LINK):  # None: closed meanwhile
                    inode = int(link[len(_LINK) : -1])
                    if inode in self._wanted:
                        held.setdefault(inode, descriptor)
        finally:
            os.close(folder)
        return held

    def _still_held(self, pid: int, held: Mapping[int, str]) -> dict[int, str]:
        try:
            folder = os.open(f"{self._proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return {}
        try:
            return {
                inode: descriptor
                for inode, descriptor in held.items()
                if _link(descriptor, folder) == f"{_LINK}{inode}]"
            }
        finally:
            os.close(folder)

    # ---- who is named --------------------------------------------------------------------------------------

    def _name(self) -> None:
        if self._changed:
            self._holders = self._by_inode()
        named = {pids: self._owner(pids) for pids in set(self._holders.values())}
        if self._changed or named != self._named:
            owners = {inode: named[pids] for inode, pids in self._holders.items()}
            if owners != self._owners:
                self._owners = owners
        self._named, self._changed = named, False

    def _by_inode(self) -> dict[int, tuple[int, ...]]:
        holders: dict[int, tuple[int, ...]] = dict.fromkeys(self._wanted, ())
        for pid in sorted(self._held):
            alone = (pid,)
            for inode in self._held[pid]:
                others = holders[inode]
                holders[inode] = (*others, pid) if others else alone
        return holders

    def _owner(self, pids: tuple[int, ...]) -> Owner:
        for pid in pids:
            if pid not in self._stats:
                self._stats[pid] = self._stat(pid)
        alive = {pid: stat for pid in pids if (stat := self._stats[pid]) is not None}
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
