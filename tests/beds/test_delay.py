import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.beds.delay import far_away
from tests.beds.namespaces import Namespace, network


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    with network("client", "server") as (client, server):
        yield client, server


def round_trip_s(client: Namespace, address: str) -> float:
    """The quickest of some pings, as a busy machine adds time; the first one also asks for the neighbour."""
    ping = ("ping", "-c", "1", "-W", "5", address)
    client.run(*ping)
    reports = [client.run(*ping).stdout for _ in range(4)]
    return min(float(report.split("time=")[1].split(maxsplit=1)[0]) for report in reports) / 1000


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_round_trip_takes_twice_the_delay(pair: tuple[Namespace, Namespace], family: str) -> None:
    client, server = pair
    address: str = getattr(server, family)
    with far_away(server, 0.1) as distance:
        assert 0.2 <= round_trip_s(client, address) < 0.3
        distance.set(0.02)
        assert 0.04 <= round_trip_s(client, address) < 0.2
    assert round_trip_s(client, address) < 0.04


def test_a_connection_outlives_the_change(pair: tuple[Namespace, Namespace]) -> None:
    client, server = pair
    with server.enter(), socket.create_server((server.ipv4, 0)) as listener, client.enter():
        near = socket.create_connection(listener.getsockname(), timeout=10)
        peer, _ = listener.accept()
    with near, peer:
        peer.settimeout(10)
        with far_away(server, 0.1):
            sent_s = time.monotonic()
            near.sendall(b"far")
            assert peer.recv(10) == b"far"
            assert time.monotonic() - sent_s >= 0.1
        near.sendall(b"near")
        assert peer.recv(10) == b"near"


def test_much_data_arrives_whole(pair: tuple[Namespace, Namespace]) -> None:
    """Large segments and missing checksums, as virtual cables carry them, get through the relay."""
    client, server = pair
    sent = bytes(range(256)) * 8192
    with far_away(server, 0.001):
        with server.enter(), socket.create_server((server.ipv4, 0)) as listener, client.enter():
            near = socket.create_connection(listener.getsockname(), timeout=10)
            peer, _ = listener.accept()
        with near, peer:
            peer.settimeout(10)
            writer = threading.Thread(target=near.sendall, args=(sent,))
            writer.start()
            got = b""
            while len(got) < len(sent):
                got += peer.recv(1 << 16)
            writer.join()
    assert got == sent


def test_only_the_far_one_is_far() -> None:
    with network("a", "b", "far") as (a, b, far), far_away(far, 0.1):
        assert round_trip_s(a, far.ipv4) >= 0.2
        assert round_trip_s(a, b.ipv4) < 0.1
