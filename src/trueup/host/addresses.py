"""This machine's own addresses: rtnetlink(7), RTM_GETADDR."""

import socket
import struct
from typing import Final

from trueup.host.facts import InterfaceAddress
from trueup.host.sock_diag import AF_INET, AF_INET6, address_text, messages
from trueup.host.unreadable import HostUnreadable, Reason

_NETLINK_ROUTE: Final = 0
_RTM_NEWADDR: Final = 20
_RTM_GETADDR: Final = 22
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_IFA_ADDRESS: Final = 1
_IFA_LOCAL: Final = 2  # on a point-to-point link IFA_ADDRESS is the peer's
_REQUEST: Final = struct.pack("=IHHIIB7x", 24, _RTM_GETADDR, 0x301, 1, 0, 0)
_ADDRESS: Final = struct.Struct("=BBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")
_TIMEOUT_S: Final = 2.0
_DATAGRAM_BYTES: Final = 1 << 16


def decode_addresses(datagram: bytes) -> tuple[list[tuple[int, str, int]], bool]:
    """Interface number, address and prefix length of each, and whether the dump is over.

    Raises:
        HostUnreadable: an error, or not of the form of rtnetlink(7).
    """
    found: list[tuple[int, str, int]] = []
    for kind, payload in messages(datagram):
        if kind == _NLMSG_DONE:
            return found, True
        if kind == _NLMSG_ERROR or (kind == _RTM_NEWADDR and len(payload) < _ADDRESS.size):
            raise HostUnreadable("addresses", "the kernel answered with an error", Reason.MALFORMED)
        if kind == _RTM_NEWADDR:
            family, prefix_bits, _, _, interface = _ADDRESS.unpack_from(payload)
            packed = _packed(payload)
            if family in (AF_INET, AF_INET6) and packed is not None:
                found.append((interface, address_text(family, packed), prefix_bits))
    return found, False


def _packed(payload: bytes) -> bytes | None:
    values = {}
    offset = _ADDRESS.size
    while offset + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if length < _ATTRIBUTE.size:
            raise HostUnreadable("addresses", f"an attribute of length {length}", Reason.MALFORMED)
        values[kind] = payload[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return values.get(_IFA_LOCAL, values.get(_IFA_ADDRESS))


def read_addresses() -> tuple[InterfaceAddress, ...]:
    """All addresses of this network namespace; any user may ask.

    Raises:
        HostUnreadable: the kernel refuses or doesn't answer.
    """
    if not hasattr(socket, "AF_NETLINK"):
        raise HostUnreadable("addresses", "needs Linux", Reason.UNSUPPORTED)
    found: list[tuple[int, str, int]] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as netlink:
            netlink.settimeout(_TIMEOUT_S)
            netlink.send(_REQUEST)
            last = False
            while not last:
                part, last = decode_addresses(netlink.recv(_DATAGRAM_BYTES))
                found += part
            names = dict(socket.if_nameindex())
    except OSError as error:
        raise HostUnreadable.of("addresses", error) from error
    return tuple(InterfaceAddress(names.get(number, str(number)), text, bits) for number, text, bits in found)
