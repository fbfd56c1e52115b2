"""Sockets as the engine wants them."""

import os
import socket

import pytest

from tests.beds.namespaces import network
from trueup.conversation import Transport
from trueup.engine.sockets import (
    close_by_reset,
    from_icmp,
    open_socket,
    pending_error,
    retransmits,
    to_icmp,
    unacked_bytes,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raw ICMP sockets are root's")
REQUEST = b"\x08\0\0\0rest"
REPLY = b"\0\0\0\0rest"


@pytest.mark.parametrize(
    ("transport", "family", "kind"),
    [
        (Transport.TCP, socket.AF_INET, socket.SOCK_STREAM),
        (Transport.TCP, socket.AF_INET6, socket.SOCK_STREAM),
        (Transport.UDP, socket.AF_INET, socket.SOCK_DGRAM),
        (Transport.UNIX, socket.AF_INET, socket.SOCK_STREAM),
    ],
)
def test_a_socket_never_blocks_and_isnt_inherited(
    transport: Transport, family: int, kind: socket.SocketKind
) -> None:
    sock = open_socket(transport, family)
    assert (sock.type, sock.gettimeout()) == (kind, 0.0)
    assert not os.get_inheritable(sock.fileno())
    assert sock.family == (socket.AF_UNIX if transport is Transport.UNIX else family)
    sock.close()


@needs_root
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_icmp_by_a_ping_socket_where_the_kernel_allows_it_else_by_a_raw_one(family: int) -> None:
    with network("monitor") as (monitor,), monitor.enter():
        for range_, kind in (("1 0", socket.SOCK_RAW), ("0 2147483647", socket.SOCK_DGRAM)):
            monitor.run("sysctl", "-qw", f"net.ipv4.ping_group_range={range_}")
            sock = open_socket(Transport.ICMP, family)
            assert sock.type == kind
            sock.close()


@needs_root
def test_icmp_without_any_right_is_refused() -> None:
    with network("monitor") as (monitor,), monitor.enter():
        monitor.run("sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
        os.seteuid(65_534)
        try:
            with pytest.raises(PermissionError):
                open_socket(Transport.ICMP, socket.AF_INET)
        finally:
            os.seteuid(0)


class _Shape:
    """A socket's family and type, for the pure functions."""

    def __init__(self, family: int, kind: int) -> None:
        self.family = family
        self.type = kind


@pytest.mark.parametrize(
    ("family", "kind", "datagram", "message"),
    [
        (socket.AF_INET, socket.SOCK_RAW, b"\x45" + b"i" * 19 + REPLY, REPLY),
        (socket.AF_INET, socket.SOCK_RAW, b"\x46" + b"i" * 23 + REPLY, REPLY),
        (socket.AF_INET, socket.SOCK_RAW, b"", b""),
        (socket.AF_INET, socket.SOCK_RAW, b"\x4f", b""),
        (socket.AF_INET, socket.SOCK_DGRAM, REPLY, REPLY),
        (socket.AF_INET6, socket.SOCK_RAW, b"\x81\0\0\0rest", REPLY),
        (socket.AF_INET6, socket.SOCK_RAW, b"\x80\0\0\0rest", REQUEST),
        (socket.AF_INET6, socket.SOCK_RAW, b"\x00\0\0\0rest", b"\xff\0\0\0rest"),
        (socket.AF_INET6, socket.SOCK_DGRAM, b"", b""),
    ],
)
def test_an_icmp_message_is_the_same_in_both_families(
    family: int, kind: int, datagram: bytes, message: bytes
) -> None:
    assert from_icmp(_Shape(family, kind), datagram) == message  # type: ignore[arg-type]  # as far as it looks


def test_an_icmp_request_is_translated_for_ipv6() -> None:
    four, six = _Shape(socket.AF_INET, socket.SOCK_RAW), _Shape(socket.AF_INET6, socket.SOCK_RAW)
    assert to_icmp(four, REQUEST) == REQUEST  # type: ignore[arg-type]  # as far as it looks
    assert to_icmp(six, REQUEST) == b"\x80\0\0\0rest"  # type: ignore[arg-type]  # as far as it looks


def test_what_the_peers_kernel_has_acknowledged() -> None:
    """SIOCOUTQ tells a silent program from a lost network."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = open_socket(Transport.TCP, socket.AF_INET)
        sock.connect_ex(listener.getsockname())
        peer, _ = listener.accept()
        with peer:
            sock.send(b"x" * 10)
            assert peer.recv(10, socket.MSG_WAITALL) == b"x" * 10
            assert (unacked_bytes(sock), retransmits(sock)) == (0, 0)
        close_by_reset(sock)


def test_a_socket_without_segments_tells_of_none() -> None:
    sock = open_socket(Transport.UDP, socket.AF_INET)
    assert retransmits(sock) is None
    close_by_reset(sock)
    close_by_reset(sock)  # again, and no harm


def test_the_kernels_error_is_taken_off_once() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        sock = open_socket(Transport.UDP, socket.AF_INET)
        sock.connect(("127.0.0.1", server.getsockname()[1]))  # no UDP there
        sock.send(b"x")
        error = pending_error(sock)
        assert isinstance(error, ConnectionRefusedError)
        assert pending_error(sock) is None
        sock.close()
