import errno
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.beds.commands import run
from tests.beds.firewall import Firewall, Refusal
from tests.beds.namespaces import Namespace, network


@dataclass(frozen=True, slots=True)
class Street:
    """A client, a server that listens on one port of each protocol, and the firewall of both."""

    client: Namespace
    server: Namespace
    client_side: Firewall
    server_side: Firewall
    listeners: dict[str, socket.socket]

    def port(self, address: str) -> int:
        port: int = self.listeners[address].getsockname()[1]
        return port

    def connect(self, address: str, timeout_s: float = 0.3) -> socket.socket:
        with self.client.enter():
            return socket.create_connection((address, self.port(address)), timeout_s)

    def pair(self, address: str) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new connection: the listener may still hold those of earlier tests."""
        client = self.connect(address)
        while True:
            server, peer = self.listeners[address].accept()
            if peer[:2] == client.getsockname()[:2]:
                return client, server
            server.close()

    def error(self, address: str, timeout_s: float = 0.3) -> int | None:
        """The errno of a connection attempt; ETIMEDOUT for silence."""
        try:
            self.connect(address, timeout_s).close()
        except TimeoutError:
            return errno.ETIMEDOUT
        except OSError as error:
            return error.errno
        return None


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with network("client", "server") as (client, server):
        with server.enter():
            listeners = {
                address: socket.create_server((address, 0), family=family)
                for address, family in ((server.ipv4, socket.AF_INET), (server.ipv6, socket.AF_INET6))
            }
        yield Street(client, server, Firewall(client), Firewall(server), listeners)
        for listener in listeners.values():
            listener.close()


@pytest.fixture(params=["ipv4", "ipv6"])
def address(request: pytest.FixtureRequest, street: Street) -> str:
    found: str = getattr(street.server, request.param)
    return found


def test_a_drop_is_silence_and_ends_with_its_rule(street: Street, address: str) -> None:
    with street.server_side.drop(street.port(address)) as rule:
        assert rule.packets() == 0
        assert street.error(address) == errno.ETIMEDOUT
        assert rule.packets() > 0
    assert street.error(address) is None


@pytest.mark.parametrize(
    ("refusal", "number"),
    [
        ("reset", errno.ECONNREFUSED),
        ("port-unreachable", errno.ECONNREFUSED),
        ("host-unreachable", errno.EHOSTUNREACH),
        ("no-route", errno.ENETUNREACH),
        ("admin-prohibited", errno.EHOSTUNREACH),
    ],
)
def test_a_refusal_is_heard_in_ipv4(street: Street, refusal: Refusal, number: int) -> None:
    address = street.server.ipv4
    for _ in range(10):  # more than the kernel sends by default in so short a time
        with street.server_side.reject(street.port(address), refusal):
            assert street.error(address) == number
    assert street.error(address) is None


# RFC 4443 section 3.1: the codes differ from those of IPv4, and so do the errors that Linux makes of them.
@pytest.mark.parametrize(
    ("refusal", "number"),
    [
        ("reset", errno.ECONNREFUSED),
        ("port-unreachable", errno.ECONNREFUSED),
        ("host-unreachable", errno.EHOSTUNREACH),
        ("no-route", errno.ENETUNREACH),
        ("admin-prohibited", errno.EACCES),
    ],
)
def test_a_refusal_is_heard_in_ipv6(street: Street, refusal: Refusal, number: int) -> None:
    address = street.server.ipv6
    with street.server_side.reject(street.port(address), refusal):
        assert street.error(address, timeout_s=5) == number


def test_only_the_named_port_is_concerned(street: Street, address: str) -> None:
    other = street.port(address) ^ 1
    with street.server_side.drop(other), street.server_side.drop(street.port(address), "udp"):
        assert street.error(address) is None


def test_silence_after_connecting_is_silence_on_both_sides(street: Street, address: str) -> None:
    with street.server_side.silence(street.port(address)) as rule:
        client, server = street.pair(address)
        with client, server:
            server.settimeout(0.3)
            for writer, reader in ((client, server), (server, client)):
                writer.sendall(b"PING\r\n")
                with pytest.raises(TimeoutError):
                    reader.recv(100)
            assert rule.packets() >= 2


def test_a_drop_on_the_way_out_is_silence(street: Street, address: str) -> None:
    with street.client_side.drop_outgoing(street.port(address)):
        assert street.error(address) == errno.ETIMEDOUT
    assert street.error(address) is None


def test_a_refusal_on_the_way_out_is_heard(street: Street, address: str) -> None:
    with street.client_side.reject_outgoing(street.port(address)):
        assert street.error(address) == errno.ECONNREFUSED


def test_udp_is_refused_or_lost(street: Street) -> None:
    with street.server.enter():
        server = socket.socket(type=socket.SOCK_DGRAM)
        server.bind((street.server.ipv4, 0))
    with street.client.enter():
        client = socket.socket(type=socket.SOCK_DGRAM)
    with server, client:
        server.settimeout(0.3)
        client.settimeout(2)
        client.connect(server.getsockname())
        with street.server_side.drop(server.getsockname()[1], "udp"):
            client.send(b"lost")
            with pytest.raises(TimeoutError):
                server.recv(100)
        with street.server_side.reject(server.getsockname()[1], "port-unreachable", "udp"):
            client.send(b"refused")
            with pytest.raises(ConnectionRefusedError):
                client.recv(100)
        client.send(b"heard")
        assert server.recv(100) == b"heard"


def test_some_packets_are_lost(street: Street) -> None:
    ping = ("ping", "-q", "-c", "100", "-i", "0.002", "-W", "0.1", street.server.ipv4)
    with street.server_side.lose(50) as rule:
        report = street.client.run(*ping, check=False).stdout
    assert "100 packets transmitted" in report
    assert 10 < lost(report) < 90
    assert lost(street.client.run(*ping).stdout) == 0
    assert street.error(street.server.ipv4) is None
    with pytest.raises(AssertionError, match="is removed"):
        rule.packets()


def lost(report: str) -> int:
    received = re.search(r"(\d+) received", report)
    assert received is not None
    return 100 - int(received[1])


def test_the_rules_of_the_host_are_never_touched(street: Street) -> None:
    with street.server_side.drop(1):
        assert "bed" in street.server.run("nft", "list", "tables").stdout
        assert "bed" not in run(["nft", "list", "tables"]).stdout
