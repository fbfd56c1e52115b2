"""A listener's death, from the kernel itself: sock_diag's group SKNLGRP_INET_TCP_DESTROY and its twin.

A classic BPF filter lets only what may be a listener that we know through, so that connections cost nothing.
A remote port rules most of them out, but one that ended with a reset, or never began, has none by then. The
kernel numbers sockets as they are first asked about, in rising blocks for each processor: what nobody asked
about has a number of its last moment, above those of all that we know, but for the rest of a block. Linux
6.18 lets any user join; where a kernel or a sandbox doesn't, the sockets are asked for again and again.
"""

import asyncio
import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Final

from trueup.host.facts import ListeningSocket, Transport
from trueup.host.sock_diag import NETLINK_SOCK_DIAG, Destroyed, decode_destroyed
from trueup.host.unreadable import HostUnreadable

# linux/sock_diag.h; linux/netlink.h; linux/filter.h
_GROUPS: Final = (1, 3)  # SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
_SOL_NETLINK: Final = 270
_NETLINK_ADD_MEMBERSHIP: Final = 1
_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_RECEIVE_BYTES: Final = 1 << 20
_DATAGRAM_BYTES: Final = 1 << 16
_REMOTE_PORT_AT: Final = 22  # nlmsghdr 16, four bytes of inet_diag_msg, the own port
_COOKIE_AT: Final = 60  # both ports, both addresses, the interface
_COOKIE_BYTES: Final = 8
_LOAD_PORT: Final = 0x28  # BPF_LD | BPF_H | BPF_ABS
_LOAD_BYTE: Final = 0x30  # BPF_LD | BPF_B | BPF_ABS
_IF_EQUAL, _IF_GREATER, _IF_NOT_LESS = 0x15, 0x25, 0x35  # BPF_JMP | BPF_JEQ, BPF_JGT, BPF_JGE
_RETURN: Final = 0x06  # BPF_RET
_ALL: Final = 0xFFFFFFFF


def filter_up_to(cookie: int) -> bytes:
    """Lets through what has no remote port, and no number above this one."""
    ends = 2 + 3 * _COOKIE_BYTES  # where it's let through; one further it isn't
    program = [(_LOAD_PORT, 0, 0, _REMOTE_PORT_AT), (_IF_EQUAL, 0, ends - 1, 0)]
    places = range(_COOKIE_AT, _COOKIE_AT + _COOKIE_BYTES)
    # The most significant byte first: a greater one is out, a smaller one is through, an equal one goes on.
    for place in places if sys.byteorder == "big" else reversed(places):
        byte = cookie.to_bytes(_COOKIE_BYTES, sys.byteorder)[place - _COOKIE_AT]
        after = len(program) + 2
        program += [
            (_LOAD_BYTE, 0, 0, place),
            (_IF_GREATER, ends + 1 - after, 0, byte),
            (_IF_NOT_LESS, 0, ends - after - 1, byte),
        ]
    program += [(_RETURN, 0, 0, _ALL), (_RETURN, 0, 0, 0)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


class ListenerDeaths:
    """Calls ``gone`` with each listener known to it that goes, and ``lost`` when the kernel had too many.

    Opened with ``open``, which needs a running loop; closed with ``close``.
    """

    def __init__(self, gone: Callable[[ListeningSocket], None], lost: Callable[[], None]) -> None:
        self._gone = gone
        self._lost = lost
        self._known: dict[int, ListeningSocket] = {}
        self._up_to = 0
        self._netlink: socket.socket | None = None

    def open(self) -> None:
        """Raises:
        HostUnreadable: we may not (reason ``permission``), or this kernel has no such group.
        """
        try:
            netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)
        except (OSError, AttributeError) as error:
            raise HostUnreadable("listener events", str(error)) from error
        try:
            netlink.setblocking(False)
            netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            _attach(netlink, filter_up_to(self._up_to))
            netlink.bind((0, 0))
            for group in _GROUPS:
                netlink.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
        except OSError as error:
            netlink.close()
            raise HostUnreadable.of("listener events", error) from error
        self._netlink = netlink
        asyncio.get_running_loop().add_reader(netlink.fileno(), self._read)

    def know(self, sockets: Iterable[ListeningSocket]) -> None:
        """These are the listeners of now: only the death of one of them is told."""
        self._known = {
            one.cookie: one for one in sockets if one.cookie is not None and one.transport is Transport.TCP
        }
        up_to = max(self._known, default=0)
        if self._netlink is not None and up_to != self._up_to:
            self._up_to = up_to
            try:
                _attach(self._netlink, filter_up_to(up_to))
            except OSError:  # no memory for it: then hear everything
                self._netlink.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

    def close(self) -> None:
        if self._netlink is not None:
            asyncio.get_running_loop().remove_reader(self._netlink.fileno())
            self._netlink.close()
            self._netlink = None

    def _read(self) -> None:
        while self._netlink is not None:
            try:
                destroyed = decode_destroyed(self._netlink.recv(_DATAGRAM_BYTES))
            except BlockingIOError:
                return
            except (OSError, HostUnreadable) as error:
                self._lost()
                if not isinstance(error, OSError) or error.errno != errno.ENOBUFS:
                    return
                continue
            for one in destroyed:
                self._tell(one)

    def _tell(self, destroyed: Destroyed) -> None:
        # Clients that were never accepted die with their listener, without a remote port; nobody knows them.
        known = self._known.pop(destroyed.cookie, None)
        if known is not None:
            self._gone(known)


def _attach(netlink: socket.socket, instructions: bytes) -> None:
    program = ctypes.create_string_buffer(instructions, len(instructions))
    head = struct.pack("HP", len(instructions) // 8, ctypes.addressof(program))
    netlink.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


class ListenerLooks:
    """The same without permission: what was there at one look and isn't at the next."""

    def __init__(self, gone: Callable[[ListeningSocket], None]) -> None:
        self._gone = gone
        self._known: dict[tuple[Transport, int], ListeningSocket] = {}

    def know(self, sockets: Iterable[ListeningSocket]) -> None:
        self._known = {(one.transport, one.inode): one for one in sockets}

    def compare(self, sockets: Iterable[ListeningSocket]) -> None:
        """A new look: tells what's gone. What is new is known from the next ``know`` on."""
        there = {(one.transport, one.inode) for one in sockets}
        for key in self._known.keys() - there:
            self._gone(self._known.pop(key))
