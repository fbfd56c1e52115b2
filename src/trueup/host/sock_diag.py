"""Sockets from the kernel over NETLINK_SOCK_DIAG: sock_diag(7), linux/inet_diag.h. Pure: bytes in and out.

A dump of 2,000 listeners takes 2 ms, however many connections there are beside them.
"""

import ipaddress
import itertools
import operator
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from trueup.host.facts import ListeningSocket, Transport
from trueup.host.unreadable import HostUnreadable, Reason

NETLINK_SOCK_DIAG: Final = 4
SOCK_DIAG_BY_FAMILY: Final = 20
SOCK_DESTROY: Final = 21
AF_INET: Final = 2
AF_INET6: Final = 10

_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_NLM_F_REQUEST_DUMP: Final = 0x301
_PROTOCOLS: Final = {Transport.TCP: 6, Transport.UDP: 17}
_TCP_CLOSE: Final = 7  # for UDP: bound, not connected
_TCP_ESTABLISHED: Final = 1
_TCP_LISTEN: Final = 10
_STATES: Final = {Transport.TCP: 1 << _TCP_LISTEN, Transport.UDP: 1 << _TCP_CLOSE}
_ATTRIBUTE_SKMEMINFO: Final = 7
_ATTRIBUTE_SKV6ONLY: Final = 11
_ATTRIBUTE_CGROUP_ID: Final = 21
_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")
# inet_diag_msg after family, state, timer, retrans: ports (network order), source, destination, interface,
# cookie, expires, rqueue, wqueue, uid, inode
_SOCKET: Final = struct.Struct("=4x 4s 16s 16s I Q I I I I I")
_REQUEST: Final = struct.Struct("=BBBBI48x")
_PORTS: Final = struct.Struct("!HH")
_MAPPED_PREFIX: Final = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A TCP socket that the kernel has just taken down; ``cookie`` is that of its ListeningSocket."""

    address: str
    port: int
    remote_port: int
    cookie: int


class Ends(NamedTuple):
    """The two ends of a connection, and the inode of ours."""

    address: str
    port: int
    peer: str
    peer_port: int
    inode: int


def dump_request(family: int, transport: Transport) -> bytes:
    """Asks for all listening TCP, or all bound UDP sockets of one family."""
    extensions = 1 << (_ATTRIBUTE_SKMEMINFO - 1) if transport is Transport.UDP else 0
    return _request(family, transport, extensions, _STATES[transport])


def established_request(family: int) -> bytes:
    """Asks for all established TCP connections of one family."""
    return _request(family, Transport.TCP, 0, 1 << _TCP_ESTABLISHED)


def _request(family: int, transport: Transport, extensions: int, states: int) -> bytes:
    body = _REQUEST.pack(family, _PROTOCOLS[transport], extensions, 0, states)
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0) + body


def messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """The netlink messages of one datagram: type and payload.

    Raises:
        HostUnreadable: the datagram is not made of whole messages.
    """
    offset = 0
    while offset < len(datagram):
        if offset + _HEADER.size > len(datagram):
            raise HostUnreadable("sock_diag", "a message shorter than its header", Reason.MALFORMED)
        length, kind, *_ = _HEADER.unpack_from(datagram, offset)
        if length < _HEADER.size or offset + length > len(datagram):
            raise HostUnreadable("sock_diag", f"a message of length {length}", Reason.MALFORMED)
        yield kind, datagram[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


@dataclass(frozen=True, slots=True)
class _Part:
    """One datagram of a dump, and what it was decoded to, by message."""

    datagram: bytes
    sockets: dict[bytes, ListeningSocket]
    last: bool


class Decoder:
    """Decodes dumps of one transport, and keeps what it decoded: most sockets look as they did before.

    A datagram that is the same bytes at the same place is what it was; of others, each message that is.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._before: list[_Part] = []
        self._now: list[_Part] = []
        self._attributes: dict[bytes, tuple[bool | None, int | None, int | None]] = {}

    def begin(self) -> None:
        """A new dump starts: what the one before didn't have is forgotten."""
        self._before, self._now, self._attributes = self._now, [], {}

    def decode(self, datagram: bytes) -> bool:
        """Take one datagram of a dump's answer, and tell whether it was the last.

        Raises:
            HostUnreadable: the kernel answered with an error, or not in the form of linux/inet_diag.h.
        """
        place = len(self._now)
        part = self._before[place] if place < len(self._before) else None
        if part is None or part.datagram != datagram:
            # A listener more or less moves the others by one message, and so by one datagram at most.
            near = [one.sockets for one in self._before[max(0, place - 1) : place + 2]]
            part = self._decoded(datagram, near)
        self._now.append(part)
        return part.last

    def is_as_before(self) -> bool:
        """Whether this dump was the same as the one before, to the byte."""
        return len(self._now) == len(self._before) and all(map(operator.is_, self._now, self._before))

    def sockets(self) -> Iterator[ListeningSocket]:
        """Those of this dump."""
        return itertools.chain.from_iterable(part.sockets.values() for part in self._now)

    def _decoded(self, datagram: bytes, near: Sequence[Mapping[bytes, ListeningSocket]]) -> _Part:
        sockets: dict[bytes, ListeningSocket] = {}
        for kind, payload in messages(datagram):
            if kind == SOCK_DIAG_BY_FAMILY:
                known = (one[payload] for one in near if payload in one)
                sockets[payload] = next(known, None) or self._socket(payload)
            elif kind == _NLMSG_DONE:
                return _Part(datagram, sockets, last=True)
            elif kind == _NLMSG_ERROR:
                raise _kernel_error(payload)
        return _Part(datagram, sockets, last=False)

    def _socket(self, payload: bytes) -> ListeningSocket:
        if len(payload) < _SOCKET.size:
            raise HostUnreadable("sock_diag", f"a socket of {len(payload)} bytes", Reason.MALFORMED)
        ports, source, _, interface, cookie, _, receive, write, uid, inode = _SOCKET.unpack_from(payload)
        rest = payload[_SOCKET.size :]
        if rest not in self._attributes:
            self._attributes[rest] = _meanings(rest)
        v6_only, cgroup_id, udp_max = self._attributes[rest]
        return ListeningSocket(
            self._transport,
            address_text(payload[0], source),
            ports[0] << 8 | ports[1],
            receive,
            write if self._transport is Transport.TCP else udp_max,
            uid,
            inode,
            cookie,
            interface,
            v6_only,
            cgroup_id,
        )


def decode_destroyed(datagram: bytes) -> list[Destroyed]:
    """The sockets named by one datagram of the group SKNLGRP_INET(6)_TCP_DESTROY."""
    destroyed = []
    for kind, payload in messages(datagram):
        if kind == SOCK_DIAG_BY_FAMILY and len(payload) >= _SOCKET.size:
            ports, source, _, _, cookie, *_ = _SOCKET.unpack_from(payload)
            port, remote_port = _PORTS.unpack(ports)
            destroyed.append(Destroyed(address_text(payload[0], source), port, remote_port, cookie))
    return destroyed


def decode_established(datagram: bytes) -> tuple[list[Ends], bool]:
    """The connections of one datagram of a dump's answer, and whether it was the last.

    Raises:
        HostUnreadable: as ``Decoder.decode``.
    """
    found = []
    for kind, payload in messages(datagram):
        if kind == SOCK_DIAG_BY_FAMILY and len(payload) >= _SOCKET.size:
            ports, source, peer, *_, inode = _SOCKET.unpack_from(payload)
            port, peer_port = _PORTS.unpack(ports)
            family = payload[0]
            found.append(
                Ends(address_text(family, source), port, address_text(family, peer), peer_port, inode)
            )
        elif kind == _NLMSG_DONE:
            return found, True
        elif kind == _NLMSG_ERROR:
            raise _kernel_error(payload)
    return found, False


def address_text(family: int, packed: bytes) -> str:
    """An address in its canonical text; an IPv4-mapped one as IPv4, for that is what it's reached by."""
    if family == AF_INET:
        return ".".join(map(str, packed[:4]))
    if packed.startswith(_MAPPED_PREFIX):
        return ".".join(map(str, packed[12:]))
    return "::" if not any(packed) else str(ipaddress.IPv6Address(packed))


def _meanings(attributes: bytes) -> tuple[bool | None, int | None, int | None]:
    """IPv6 only, cgroup, and for UDP the receive buffer."""
    values = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, offset)
        if length < _ATTRIBUTE.size:
            raise HostUnreadable("sock_diag", f"an attribute of length {length}", Reason.MALFORMED)
        values[kind] = attributes[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    v6_only = values.get(_ATTRIBUTE_SKV6ONLY)
    cgroup = values.get(_ATTRIBUTE_CGROUP_ID, b"")
    memory = values.get(_ATTRIBUTE_SKMEMINFO, b"")
    return (
        bool(v6_only[0]) if v6_only else None,
        struct.unpack("=Q", cgroup)[0] if len(cgroup) == 8 else None,
        # rqueue is the first word of SK_MEMINFO, and the second is the receive buffer (linux/sock_diag.h).
        struct.unpack_from("=I", memory, 4)[0] if len(memory) >= 8 else None,
    )


def _kernel_error(payload: bytes) -> HostUnreadable:
    if len(payload) < 4:
        return HostUnreadable("sock_diag", "an error without a number", Reason.MALFORMED)
    number = -struct.unpack_from("=i", payload)[0]
    return HostUnreadable.of("sock_diag", OSError(number, os.strerror(number)))
