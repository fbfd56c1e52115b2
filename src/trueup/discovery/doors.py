"""This machine's doors: its listening sockets, those of one program and port together. Pure."""

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import Final

from trueup.discovery.found import Door, Holder
from trueup.host.facts import Transport
from trueup.host.report import HostReport, Listener

_ANY: Final = frozenset({"0.0.0.0", "::"})


def doors_of(report: HostReport, *, leave_out: Collection[int] = ()) -> tuple[Door, ...]:
    """The doors of a report with its listeners, by port. Trueup's own aren't among them, nor are those whose
    ports are to be left out.
    """
    groups: dict[tuple[object, ...], list[Listener]] = {}
    for one in report.listeners:
        if one.socket.port not in leave_out and not is_held_by_us(one, report):
            whose = one.container or one.owner.pid or one.user  # Docker has a proxy for each family
            key = (one.socket.port, one.socket.transport, whose)
            groups.setdefault(key, []).append(one)
    doors = [_door(group, report) for group in groups.values()]
    return tuple(sorted(filter(None, doors), key=lambda door: (door.port, door.transport, door.host)))


def is_ours(command: Sequence[str]) -> bool:
    """Whether a command line is trueup's own."""
    names = [PurePath(word).name for word in command[:2]]
    return "trueup" in names or ("-m", "trueup") in pairwise(command)


def is_held_by_us(listener: Listener, report: HostReport) -> bool:
    """Whether a trueup listens there."""
    process = report.process(listener.owner.pid)
    return process is not None and is_ours(process.command or ())


def _door(group: Sequence[Listener], report: HostReport) -> Door | None:
    """None where it's bound to nothing that can be asked without more words."""
    first = group[0]
    host = _asked_at(group)
    if host is None:
        return None
    bound_to = tuple(dict.fromkeys(one.socket.address for one in group))
    return Door(host, first.socket.port, first.socket.transport, bound_to, _holder(group, report))


def _asked_at(group: Iterable[Listener]) -> str | None:
    """Loopback before others, IPv4 before IPv6."""
    addresses = set()
    for one in group:
        sock = one.socket
        if sock.address == "0.0.0.0" or (sock.address == "::" and sock.v6_only is False):
            addresses.add("127.0.0.1")
        elif sock.address == "::":
            addresses.add("::1")
        elif not ipaddress.ip_address(sock.address).is_link_local:
            addresses.add(sock.address)
    return min(addresses, key=_rank, default=None)


def _rank(address: str) -> tuple[bool, int, str]:
    read = ipaddress.ip_address(address)
    return not read.is_loopback, read.version, address


def _holder(group: Sequence[Listener], report: HostReport) -> Holder:
    listener = group[0]
    process = report.process(listener.owner.pid)
    unit = listener.unit
    told = unit is not None and unit.endswith(".service") and not listener.user_unit and not listener.machine
    return Holder(
        pids=frozenset(pid for one in group for pid in one.owner.pids),
        process=listener.process if not listener.owner.by_init or listener.process != "systemd" else None,
        unit=unit if told else None,
        container=listener.container,
        command=(process.command or ()) if process is not None else (),
    )


def is_bound_inside(door: Door) -> bool:
    """Whether it's bound to loopback or private addresses only."""
    return bool(door.bound_to) and not any(
        one in _ANY or ipaddress.ip_address(one).is_global for one in door.bound_to
    )


def is_bound_to_all(door: Door) -> bool:
    """Whether it takes what comes to any address of the machine."""
    return any(one in _ANY for one in door.bound_to)


def name_servers(doors: Iterable[Door], names: Collection[str]) -> tuple[Door, ...]:
    """Doors over UDP that may be a name server's: on its port, or held by one of ``names``. Nobody else is
    asked over UDP: there, a question that isn't understood is as good as none.
    """
    return tuple(
        door
        for door in doors
        if door.transport is Transport.UDP
        and (door.port == 53 or (door.holder is not None and door.holder.process in names))
    )
