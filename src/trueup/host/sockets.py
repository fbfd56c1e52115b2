"""Reads this machine's listening sockets: sock_diag first, /proc/net where that is denied."""

import socket
from typing import Final

from trueup.host import proc_net, sock_diag
from trueup.host.facts import ListeningSocket, Transport
from trueup.host.files import read_bytes
from trueup.host.unreadable import HostUnreadable, Reason

_DATAGRAM_BYTES: Final = 1 << 15  # the kernel fills no more, and a larger one costs more to make
_TIMEOUT_S: Final = 2.0
_TABLE_BYTES_MAX: Final = 64 * 1024 * 1024  # /proc lists every connection: about 150 bytes each


class Sockets:
    """Reads the listening sockets of this network namespace, cheaply when it's asked again and again."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._decoders = {transport: sock_diag.Decoder(transport) for transport in Transport}
        self._asked: tuple[Transport, ...] = ()
        self._last: tuple[ListeningSocket, ...] = ()
        self._netlink_port = 0

    def read(self, *transports: Transport) -> tuple[ListeningSocket, ...]:
        """All sockets that wait for clients; of both transports when none is named.

        Where nothing has changed since the last time, the very same tuple.

        Raises:
            HostUnreadable: neither sock_diag nor /proc/net can be read.
        """
        try:
            return self.dump(*transports)
        except HostUnreadable:
            return from_proc(f"{self._proc}/net", *transports)

    def dump(self, *transports: Transport) -> tuple[ListeningSocket, ...]:
        """By netlink; any user may ask.

        Raises:
            HostUnreadable: the kernel refuses, has no inet_diag, or doesn't answer.
        """
        if not hasattr(socket, "AF_NETLINK"):
            raise HostUnreadable("sock_diag", "needs Linux", Reason.UNSUPPORTED)
        asked = transports or tuple(Transport)
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, sock_diag.NETLINK_SOCK_DIAG) as netlink:
                netlink.settimeout(_TIMEOUT_S)
                self._bind(netlink)
                for transport in asked:
                    self._decoders[transport].begin()
                    self._ask(netlink, sock_diag.AF_INET, transport)
                    try:
                        self._ask(netlink, sock_diag.AF_INET6, transport)
                    except HostUnreadable as error:
                        if error.reason is not Reason.ABSENT:  # absent: a kernel without IPv6
                            raise
        except OSError as error:
            raise HostUnreadable.of("sock_diag", error) from error
        decoders = [self._decoders[transport] for transport in asked]
        if asked != self._asked or not all(decoder.is_as_before() for decoder in decoders):
            self._asked = asked
            told = tuple(one for decoder in decoders for one in decoder.sockets())
            self._last = self._last if told == self._last else told
        return self._last

    def _bind(self, netlink: socket.socket) -> None:
        """Answers carry the number of who asked: with the same one, the same answer is the same bytes."""
        try:
            netlink.bind((self._netlink_port, 0))  # 0: the kernel chooses
        except OSError:
            return  # taken meanwhile: any other will do, and is chosen as we ask
        self._netlink_port = netlink.getsockname()[0]

    def _ask(self, netlink: socket.socket, family: int, transport: Transport) -> None:
        netlink.send(sock_diag.dump_request(family, transport))
        while not self._decoders[transport].decode(netlink.recv(_DATAGRAM_BYTES)):
            pass


def from_proc(net: str, *transports: Transport) -> tuple[ListeningSocket, ...]:
    """By the tables under ``net``: /proc/net, or /proc/PID/net for the namespace of a process.

    Raises:
        HostUnreadable: the IPv4 table can't be read. A kernel without IPv6 has no second one.
    """
    found: list[ListeningSocket] = []
    for transport in transports or tuple(Transport):
        table = read_bytes(f"{net}/{transport}", _TABLE_BYTES_MAX)
        found += proc_net.listening_sockets(table, transport)
        try:
            table = read_bytes(f"{net}/{transport}6", _TABLE_BYTES_MAX)
        except HostUnreadable as error:
            if error.reason is not Reason.ABSENT:
                raise
        else:
            found += proc_net.listening_sockets(table, transport)
    return tuple(found)
