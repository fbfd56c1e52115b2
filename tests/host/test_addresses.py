import socket
import struct
import subprocess

import pytest

from tests.beds.namespaces import network
from trueup.host.addresses import decode_addresses, read_addresses
from trueup.host.facts import InterfaceAddress
from trueup.host.unreadable import HostUnreadable


def test_an_own_network_has_its_own_addresses() -> None:
    with network("one", "two") as (one, two), one.enter():
        subprocess.run(["ip", "address", "add", "198.51.100.7/32", "dev", "lo"], check=True)
        found = read_addresses()
        assert InterfaceAddress("lo", "127.0.0.1", 8) in found
        assert InterfaceAddress("lo", "198.51.100.7", 32) in found
        addresses = {one.address for one in found}
        assert {one.ipv4, one.ipv6} <= addresses
        assert not {two.ipv4, two.ipv6} & addresses


def message(kind: int, payload: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, 0, 1, 0) + payload


def test_on_a_point_to_point_link_the_local_end_counts() -> None:
    peer, local = socket.inet_aton("10.0.0.2"), socket.inet_aton("10.0.0.1")
    payload = struct.pack("=BBBBI", 2, 32, 0, 0, 7) + struct.pack("=HH4sHH4s", 8, 1, peer, 8, 2, local)
    assert decode_addresses(message(20, payload)) == ([(7, "10.0.0.1", 32)], False)
    assert decode_addresses(message(3, b"\0\0\0\0")) == ([], True)


@pytest.mark.parametrize(
    "datagram",
    [
        message(2, b"\xff\xff\xff\xff"),
        message(20, b"\2"),
        message(20, struct.pack("=BBBBIHH", 2, 8, 0, 0, 1, 0, 1)),
    ],
)
def test_errors_and_other_forms_are_refused(datagram: bytes) -> None:
    with pytest.raises(HostUnreadable):
        decode_addresses(datagram)
