"""Joins sockets with whom they belong to: process, unit, container, and since when their queue stands."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trueup.host.cgroups import parse_place
from trueup.host.facts import (
    Container,
    ListeningSocket,
    Owner,
    OwnerUnknown,
    Place,
    Process,
    Transport,
)
from trueup.host.reader import Reader
from trueup.host.report import Listener
from trueup.host.unreadable import HostUnreadable

_PROXIES: Final = frozenset(
    {"docker-proxy", "dockerd", "rootlessport", "rootlesskit", "slirp4netns", "pasta"}
)
"""Processes that hold a container's published port on its behalf."""
_UNKNOWN: Final = Owner(None, unknown=OwnerUnknown.PERMISSION)
_Key = tuple[Transport, int, str, int]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a listener is joined with, besides its socket and owner."""

    users: Mapping[int, str]
    processes: Mapping[int, tuple[str, datetime, Place | None]]
    names: Mapping[str, str]
    published: Mapping[tuple[Transport, int], str]
    units: Mapping[int, str]


class Joiner:
    """Joins one look after another. A listener that looks as before is the same object as then; all that do
    are the same tuple.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._queued: dict[_Key, datetime] = {}
        self._sockets: Collection[ListeningSocket] | None = None
        self._owners: Mapping[int, Owner] | None = None
        self._uids: frozenset[int] = frozenset()
        self._cgroups: frozenset[int] = frozenset()
        self._around: _Around | None = None
        self._joined: tuple[Listener, ...] = ()

    def join(
        self,
        sockets: Collection[ListeningSocket],
        owners: Mapping[int, Owner],
        processes: Mapping[int, Process],
        containers: Collection[Container],
        now: datetime,
    ) -> tuple[Listener, ...]:
        """An inode without an owner in ``owners`` could not be looked for."""
        same_owners = owners is self._owners
        as_before = sockets is self._sockets and same_owners
        if not as_before:
            self._sockets, self._owners = sockets, owners
            self._queued = {
                key: self._queued.get(key, now) for one in sockets if one.queue for key in (_key(one),)
            }
            self._uids = frozenset(one.uid for one in sockets)
            self._cgroups = _cgroups(sockets, owners)
        around = _Around(
            {uid: self._reader.user(uid) for uid in self._uids},
            {pid: (one.name, one.started_at, one.place) for pid, one in processes.items()},
            {container.id: container.name for container in containers},
            _published(containers),
            self._units_by_cgroup(),
        )
        if as_before and around == self._around:
            return self._joined
        if around != self._around:
            joined = [self._listener(one, owners.get(one.inode, _UNKNOWN), around) for one in sockets]
        else:
            joined = self._renewed(sockets, owners, around, same_owners=same_owners)
        self._around = around
        told = tuple(joined)
        if told != self._joined:
            self._joined = told
        return self._joined

    def _renewed(
        self,
        sockets: Collection[ListeningSocket],
        owners: Mapping[int, Owner],
        around: _Around,
        *,
        same_owners: bool,
    ) -> list[Listener]:
        """Listeners of the same sockets stay: those have the same queue, and have had it for as long."""
        if same_owners and len(sockets) == len(self._joined):
            before: Iterable[Listener | None] = self._joined  # most are where they were
        else:
            by_socket = {id(one.socket): one for one in self._joined}
            before = (by_socket.get(id(one)) for one in sockets)
        return [
            known
            if known is not None
            and known.socket is one
            and (same_owners or known.owner == owners.get(one.inode, _UNKNOWN))
            else self._listener(one, owners.get(one.inode, _UNKNOWN), around)
            for one, known in zip(sockets, before, strict=True)
        ]

    def _listener(self, socket: ListeningSocket, owner: Owner, around: _Around) -> Listener:
        process = around.processes.get(owner.pid) if owner.pid is not None else None
        name, since, place = process if process is not None else (None, None, None)
        return Listener(
            socket,
            around.users[socket.uid],
            owner,
            name,
            since,
            place.unit if place is not None else around.units.get(socket.cgroup_id or 0),
            place.user_unit if place is not None else None,
            _container(socket, name, place, around) if process is not None else None,
            place.machine if place is not None else None,
            self._queued.get(_key(socket)),
        )

    def _units_by_cgroup(self) -> dict[int, str]:
        """Units of sockets whose owner may not be seen, by the cgroup that each was made in."""
        try:
            paths = self._reader.cgroup_paths(self._cgroups) if self._cgroups else {}
        except HostUnreadable:
            return {}
        return {number: unit for number, path in paths.items() if (unit := parse_place(f"0::{path}").unit)}


def _cgroups(sockets: Iterable[ListeningSocket], owners: Mapping[int, Owner]) -> frozenset[int]:
    """Those of sockets whose owner may not be seen."""
    return frozenset(
        one.cgroup_id for one in sockets if one.cgroup_id and owners.get(one.inode, _UNKNOWN).pid is None
    )


def _key(socket: ListeningSocket) -> _Key:
    return socket.transport, socket.inode, socket.address, socket.port  # the kernel's own have no inode


def _container(
    socket: ListeningSocket, process: str | None, place: Place | None, around: _Around
) -> str | None:
    """The container that the owner runs in, or whose port it only holds."""
    if place is not None and (container_id := place.container_id):
        return around.names.get(container_id, container_id[:12])
    return around.published.get((socket.transport, socket.port)) if process in _PROXIES else None


def _published(containers: Iterable[Container]) -> dict[tuple[Transport, int], str]:
    """Names of containers by the ports of this machine that lead to them."""
    return {
        (mapping.transport, mapping.port): container.name
        for container in containers
        for mapping in container.ports
        if mapping.port is not None
    }
