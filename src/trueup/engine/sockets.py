"""Sockets as the engine wants them: non-blocking, and closed the way that suits the peer."""

import errno
import fcntl
import socket
import struct
import termios
from _socket import socket as RawSocket  # noqa: N812 - socket.socket adds Python calls to each of its own, for nothing here
from typing import Final

from trueup.conversation import Transport

_TCP: Final = Transport.TCP  # looking a member up costs in Python 3.11
_NONBLOCKING: Final = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_STREAM: Final = socket.SOCK_STREAM | _NONBLOCKING
_DATAGRAM: Final = socket.SOCK_DGRAM | _NONBLOCKING
_LINGER_RESET: Final = struct.pack("ii", 1, 0)
_SOL_SOCKET: Final = socket.SOL_SOCKET
_SO_LINGER: Final = socket.SO_LINGER
_IP_RECVERR: Final = 11  # linux/in.h
_IPV6_RECVERR: Final = 25  # linux/in6.h
_ICMPV6_TYPE_OF: Final = {8: 128, 0: 129}
"""Echo request and reply (RFC 792; RFC 4443, 4)."""

_TYPE_OF_ICMPV6: Final = {theirs: ours for ours, theirs in _ICMPV6_TYPE_OF.items()}
_NO_TYPE: Final = 255  # reserved in both
_TCPI_TOTAL_RETRANS: Final = slice(100, 104)  # offset of tcpi_total_retrans in struct tcp_info (linux/tcp.h)
_TCP_INFO_BYTES: Final = 104


def open_socket(transport: Transport, family: int) -> RawSocket:
    """A socket for ``transport``; the caller closes it.

    Raises:
        OSError: no files, no memory, or no permission (ICMP).
    """
    if transport is _TCP:
        return RawSocket(family, _STREAM)
    if transport is Transport.UNIX:
        return RawSocket(socket.AF_UNIX, _STREAM)
    if transport is Transport.UDP:
        return RawSocket(family, _DATAGRAM)
    return _open_icmp(family)


def _open_icmp(family: int) -> RawSocket:
    """A ping socket where the kernel allows it (net.ipv4.ping_group_range), else a raw one (CAP_NET_RAW)."""
    six = family == socket.AF_INET6
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    try:
        sock = RawSocket(family, _DATAGRAM, protocol)
    except PermissionError:
        sock = RawSocket(family, socket.SOCK_RAW | _NONBLOCKING, protocol)
    sock.setsockopt(
        socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP, _IPV6_RECVERR if six else _IP_RECVERR, 1
    )
    return sock


def close_by_reset(sock: RawSocket) -> None:
    """Close and leave no TIME_WAIT behind (RFC 9293, 3.10.4: ABORT)."""
    try:  # noqa: SIM105 - suppress() costs as much as the system call
        sock.setsockopt(_SOL_SOCKET, _SO_LINGER, _LINGER_RESET)
    except OSError:
        pass
    sock.close()


def unacked_bytes(sock: RawSocket) -> int | None:
    """Bytes sent that the peer's kernel hasn't acknowledged (tcp(7), SIOCOUTQ)."""
    answer = bytearray(4)
    try:
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, answer)
    except OSError:
        return None
    return int(struct.unpack("i", answer)[0])


def retransmits(sock: RawSocket) -> int | None:
    """Segments sent again on this connection so far."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    return int(struct.unpack("I", info[_TCPI_TOTAL_RETRANS])[0]) if len(info) >= _TCP_INFO_BYTES else None


def pending_error(sock: RawSocket) -> OSError | None:
    """The error that the kernel keeps for this socket, taken off it."""
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return OSError(number, errno.errorcode.get(number, "?")) if number else None


def from_icmp(sock: RawSocket, datagram: bytes) -> bytes:
    """The ICMP message of a datagram, its type in IPv4's numbers.

    A raw IPv4 socket has its IP header before it (raw(7)).
    """
    if sock.family == socket.AF_INET6:
        return _with_type(datagram, _TYPE_OF_ICMPV6)
    if sock.type == socket.SOCK_RAW and datagram:
        return datagram[(datagram[0] & 0x0F) * 4 :]
    return datagram


def to_icmp(sock: RawSocket, message: bytes) -> bytes:
    """``message``, which has IPv4's numbers, as the socket's family has it; the kernel sums up ICMPv6."""
    return _with_type(message, _ICMPV6_TYPE_OF) if sock.family == socket.AF_INET6 else message


def _with_type(message: bytes, types: dict[int, int]) -> bytes:
    return bytes([types.get(message[0], _NO_TYPE)]) + message[1:] if message else message
