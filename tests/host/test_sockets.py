import errno
import os
import socket
import time
from pathlib import Path

import pytest

from tests.beds.namespaces import network
from trueup.host.facts import ListeningSocket, Transport
from trueup.host.sockets import Sockets, from_proc
from trueup.host.unreadable import HostUnreadable, Reason


def listen(address: str = "127.0.0.1", backlog: int = 16) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen(backlog)
    return listener


def only(mine: socket.socket, found: tuple[ListeningSocket, ...]) -> ListeningSocket:
    """By its inode: another process may have the same port at another address."""
    (one,) = [s for s in found if s.inode == os.fstat(mine.fileno()).st_ino]
    return one


@pytest.mark.parametrize("source", ["netlink", "proc"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::"])
def test_a_listener_of_this_test_is_found(source: str, address: str) -> None:
    with listen(address, backlog=7) as listener:
        found = Sockets().dump() if source == "netlink" else from_proc("/proc/net")
        one = only(listener, found)
        assert (one.transport, one.address, one.uid) == (Transport.TCP, address, os.getuid())
        assert one.port == listener.getsockname()[1]
        assert one.queue_max == (7 if source == "netlink" else None)


@pytest.mark.parametrize("source", ["netlink", "proc"])
def test_the_queue_of_a_listener_that_never_accepts_grows(source: str) -> None:
    with listen(backlog=1) as listener:
        clients = [socket.create_connection(listener.getsockname(), timeout=5) for _ in range(2)]
        try:
            deadline = time.monotonic() + 5
            while True:
                found = Sockets().dump() if source == "netlink" else from_proc("/proc/net")
                if (queue := only(listener, found).queue) == 2 or time.monotonic() > deadline:
                    break
            assert queue == 2  # one more than its backlog of 1: full, and the next attempt meets silence
        finally:
            for client in clients:
                client.close()


def test_a_connected_socket_is_no_listener() -> None:
    with listen() as listener, socket.create_connection(listener.getsockname()) as client:
        ports = {s.port for s in Sockets().dump()}
        assert listener.getsockname()[1] in ports
        assert client.getsockname()[1] not in ports


def test_udp_waiting_bytes_show() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.sendto(b"x" * 100, server.getsockname())
        one = only(server, Sockets().dump(Transport.UDP))
        assert one.queue >= 100
        assert one.queue_max == server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert only(server, from_proc("/proc/net")).queue == one.queue


def test_proc_is_asked_when_sock_diag_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise HostUnreadable("sock_diag", "Operation not permitted", Reason.PERMISSION)

    monkeypatch.setattr(Sockets, "dump", denied)
    with listen() as listener:
        one = only(listener, Sockets().read())
        assert one.queue_max is None  # from /proc


def test_when_nothing_can_be_read_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(*_: object) -> None:
        raise HostUnreadable("sock_diag", "Operation not permitted", Reason.PERMISSION)

    monkeypatch.setattr(Sockets, "dump", denied)
    with pytest.raises(HostUnreadable, match="net/tcp"):
        Sockets(str(tmp_path)).read()


def test_a_kernel_without_ipv6_still_has_listeners(tmp_path: Path) -> None:
    for name in ("tcp", "udp"):
        (tmp_path / name).write_text(Path(f"/proc/net/{name}").read_text())
    with listen() as listener:
        (tmp_path / "tcp").write_text(Path("/proc/net/tcp").read_text())
        assert only(listener, from_proc(str(tmp_path))).queue == 0


def test_the_answer_of_a_refusing_kernel_is_an_os_error_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(socket.socket):
        def __init__(self, *_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(HostUnreadable) as caught:
        Sockets().dump()
    assert caught.value.reason is Reason.PERMISSION


def test_where_nothing_has_changed_it_is_the_same_tuple() -> None:
    with network("unchanged") as (alone,), alone.enter():  # elsewhere others' listeners come and go
        sockets = Sockets()
        many = [listen() for _ in range(300)]  # more than one datagram
        first = sockets.read()
        assert len(first) == 300
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4) as other:
            other.bind((0, 0))  # in the way of the number that we were given
            assert sockets.read() is first
        goes = many.pop()
        inode = os.fstat(goes.fileno()).st_ino
        goes.close()
        second = sockets.read()
        assert second == tuple(one for one in first if one.inode != inode)
        for one in many:
            one.close()
        assert sockets.read() == ()


def test_a_dump_that_failed_halfway_is_no_measure_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Sockets._ask
    fails = False

    def failing(self: Sockets, netlink: socket.socket, family: int, transport: Transport) -> None:
        if fails and transport is Transport.UDP:
            raise OSError(errno.ENOBUFS, "no buffer space")
        ask(self, netlink, family, transport)

    monkeypatch.setattr(Sockets, "_ask", failing)
    with network("halfway") as (alone,), alone.enter():
        sockets = Sockets()
        with listen():
            assert len(sockets.dump()) == 1
            with listen():
                fails = True
                with pytest.raises(HostUnreadable):
                    sockets.dump()
                fails = False
                assert len(sockets.dump()) == 2
