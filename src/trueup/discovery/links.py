"""Who of this machine keeps connections to whom, and which databases are in use."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from trueup.discovery.found import Door, Found, Link
from trueup.host.connections import Connection
from trueup.host.facts import Process
from trueup.host.reader import Reader
from trueup.host.unreadable import HostUnreadable

_ANCESTORS_MAX: Final = 5
_WAYS_IN: Final = frozenset({"sshd", "sshd-session", "dropbear"})
"""What people do in a session isn't the service's own need."""

_TITLE: Final = re.compile(r"postgres: (?:[^:]+: )?\S+ (\S+) (?:\[local\]|\S+\(\d+\)) ")
"""What a PostgreSQL backend calls itself: cluster, user, database, client, and what it does (ps_status.c)."""

_NOBODYS: Final = frozenset({"postgres", "template0", "template1"})


def links_of(
    connections: Sequence[Connection], doors: Sequence[Door], reader: Reader, listening: Collection[int]
) -> tuple[Link, ...]:
    """The connections that a holder of a door here has made, each pair once. ``listening``: the ports whose
    connections were made by the other end.

    Raises:
        HostUnreadable: who holds what can't be read.
    """
    made = [one for one in connections if one.port not in listening and one.inode]
    owners = reader.owners([one.inode for one in made])
    holders = _Holders(doors, reader)
    links: dict[Link, None] = {}
    for one in made:
        owner = owners.get(one.inode)
        for pid in owner.pids if owner is not None else ():
            for door in holders.of(pid):
                links[Link(door, one.peer, one.peer_port)] = None
    return tuple(links)


class _Holders:
    """The doors of a process: it holds them itself, or lives in the unit, the container or under the parent
    that does.
    """

    def __init__(self, doors: Sequence[Door], reader: Reader) -> None:
        self._doors = [
            (door, door.holder)
            for door in doors
            if door.holder is not None and door.holder.process not in _WAYS_IN
        ]
        self._reader = reader
        self._known: dict[int, tuple[Door, ...]] = {}

    def of(self, pid: int) -> tuple[Door, ...]:
        if pid not in self._known:
            self._known[pid] = self._find(pid, _ANCESTORS_MAX)
        return self._known[pid]

    def _find(self, pid: int, generations: int) -> tuple[Door, ...]:
        if own := tuple(door for door, holder in self._doors if pid in holder.pids):
            return own
        try:
            process = self._reader.process(pid)
        except HostUnreadable:
            return ()
        unit = process.place.unit if process.place is not None and not process.place.user_unit else None
        if unit and (same := tuple(door for door, holder in self._doors if holder.unit == unit)):
            return same
        if process.parent_pid > 1 and generations:
            return self._find(process.parent_pid, generations - 1)
        return ()


def with_databases(found: Iterable[Found], reader: Reader) -> list[Found]:
    """PostgreSQL with the one database that its clients use; of several, none is the one to name."""
    found = list(found)
    if not any(one.scheme == "postgres" and one.door.is_here for one in found):
        return found
    backends = []
    for pid in reader.processes_named({"postgres"}):
        try:
            backends.append(reader.process(pid))
        except HostUnreadable:
            continue  # it has ended meanwhile
    return [_with_database(one, backends) if one.scheme == "postgres" else one for one in found]


def _with_database(found: Found, backends: Iterable[Process]) -> Found:
    holder = found.door.holder
    titles = [
        one.command[0]
        for one in backends
        if holder is not None and one.parent_pid in holder.pids and one.command is not None and one.command
    ]
    used = {match[1] for title in titles if (match := _TITLE.match(title))} - _NOBODYS
    if len(used) != 1:
        return found
    (database,) = used
    if not re.fullmatch(r"[\w.-]+", database, re.ASCII):
        return found
    note = f"the database that its clients use now is {database}"
    return replace(found, part=f"/{database}", notes=(*found.notes, note))
