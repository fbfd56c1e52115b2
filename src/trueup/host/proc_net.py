"""Listening sockets from /proc/net/tcp, tcp6, udp, udp6: proc_net_tcp(5). Pure.

The fallback where sock_diag is denied, and the way into another network namespace (/proc/PID/net/tcp).
It lists every connection beside the listeners, and doesn't say how long an accept queue may grow.
"""

import sys
from typing import Final

from trueup.host.facts import ListeningSocket, Transport
from trueup.host.sock_diag import AF_INET, AF_INET6, address_text
from trueup.host.unreadable import HostUnreadable, Reason

_STATES: Final = {Transport.TCP: b"0A", Transport.UDP: b"07"}


def listening_sockets(table: bytes, transport: Transport) -> list[ListeningSocket]:
    """The listening (TCP) or bound and unconnected (UDP) sockets of one table.

    Raises:
        HostUnreadable: a line isn't of the form of proc_net_tcp(5).
    """
    wanted = _STATES[transport]
    sockets = []
    for line in table.splitlines()[1:]:
        fields = line.split(maxsplit=10)
        try:
            if fields[3] == wanted:
                sockets.append(_socket(fields, transport))
        except (IndexError, ValueError) as error:
            what = f"/proc/net/{transport}"
            raise HostUnreadable(what, f"unlike a socket: {line!r}", Reason.MALFORMED) from error
    return sockets


def _socket(fields: list[bytes], transport: Transport) -> ListeningSocket:
    # sl local rem st tx:rx tr:when retrnsmt uid timeout inode; rx of a listener is its accept queue
    address, _, port = fields[1].decode().partition(":")
    return ListeningSocket(
        transport=transport,
        address=_address(address),
        port=int(port, 16),
        queue=int(fields[4].partition(b":")[2], 16),
        queue_max=None,
        uid=int(fields[7]),
        inode=int(fields[9]),
    )


def _address(words: str) -> str:
    # Each 32 bit word is printed as a number of this machine's byte order.
    packed = b"".join(
        int(words[place : place + 8], 16).to_bytes(4, sys.byteorder) for place in range(0, len(words), 8)
    )
    return address_text(AF_INET if len(packed) == 4 else AF_INET6, packed)
