"""Established connections of this machine: who talks to whom just now."""

import socket
from dataclasses import dataclass
from typing import Final

from trueup.host import sock_diag
from trueup.host.sock_diag import Ends
from trueup.host.unreadable import HostUnreadable, Reason

_DATAGRAM_BYTES: Final = 1 << 18
_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Connection:
    """An established TCP connection, as one of its ends on this machine has it."""

    address: str
    port: int
    peer: str
    peer_port: int
    inode: int


def read_connections() -> tuple[Connection, ...]:
    """All of this network namespace; any user may ask.

    Raises:
        HostUnreadable: the kernel refuses, has no inet_diag, or doesn't answer.
    """
    if not hasattr(socket, "AF_NETLINK"):
        raise HostUnreadable("connections", "needs Linux", Reason.UNSUPPORTED)
    found: list[Ends] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, sock_diag.NETLINK_SOCK_DIAG) as netlink:
            netlink.settimeout(_TIMEOUT_S)
            for family in (sock_diag.AF_INET, sock_diag.AF_INET6):
                netlink.send(sock_diag.established_request(family))
                last = False
                while not last:
                    part, last = sock_diag.decode_established(netlink.recv(_DATAGRAM_BYTES))
                    found += part
    except HostUnreadable as error:
        if error.reason is not Reason.ABSENT:  # absent: a kernel without IPv6, which is asked last
            raise
    except OSError as error:
        raise HostUnreadable.of("connections", error) from error
    return tuple(Connection(*ends) for ends in found)
