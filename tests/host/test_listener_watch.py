import asyncio
import os
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.beds.deadline import wait_until
from tests.beds.namespaces import network
from tests.host.as_user import as_nobody
from tests.host.fake_reader import listening
from tests.host.soon import until
from trueup.host.facts import ListeningSocket, Transport
from trueup.host.listener_watch import ListenerDeaths, ListenerLooks, _attach, filter_up_to
from trueup.host.sockets import Sockets
from trueup.host.unreadable import HostUnreadable, Reason

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER's: a close that resets the connection, and leaves the socket without a remote port."""


class Watched:
    """Deaths, from a running kernel."""

    def __init__(self) -> None:
        self.gone: list[ListeningSocket] = []
        self.lost = 0
        self.deaths = ListenerDeaths(self.gone.append, self._lose)

    def _lose(self) -> None:
        self.lost += 1


def listen(address: str = "127.0.0.1") -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen()
    return listener


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::"])
def test_a_listener_that_closes_is_told_at_once(address: str) -> None:
    async def run() -> None:
        watched = Watched()
        watched.deaths.open()
        stays, goes = listen(address), listen(address)
        try:
            port = goes.getsockname()[1]
            mine = {port, stays.getsockname()[1]}  # others' listeners come and go
            known = [one for one in Sockets().dump(Transport.TCP) if one.port in mine]
            watched.deaths.know(known)
            goes.close()
            await until(lambda: bool(watched.gone))
            assert [one.port for one in watched.gone] == [port]
            assert watched.gone[0] in known
        finally:
            watched.deaths.close()
            stays.close()

    asyncio.run(run())


def test_connections_and_clients_never_accepted_are_no_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what we never heard of: none of it even wakes us, the filter in the kernel holds it back."""
    heard = 0
    read = ListenerDeaths._read

    def counted(self: ListenerDeaths) -> None:
        nonlocal heard
        heard += 1
        read(self)

    monkeypatch.setattr(ListenerDeaths, "_read", counted)

    async def run() -> None:
        watched = Watched()
        watched.deaths.open()
        listener = listen()
        try:
            watched.deaths.know(Sockets().dump(Transport.TCP))
            for _ in range(20):
                with socket.create_connection(listener.getsockname()) as client:
                    accepted, _ = listener.accept()
                    accepted.close()
                    client.recv(1)
                with socket.create_connection(listener.getsockname()) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    listener.accept()[0].close()
                socket.socket().close()
                listen().close()
            await asyncio.sleep(0.2)
            assert (heard, watched.gone) == (0, [])
            waiting = [socket.create_connection(listener.getsockname()) for _ in range(3)]
            listener.close()
            await until(lambda: bool(watched.gone))
            for client in waiting:
                client.close()
            await asyncio.sleep(0.1)
            assert len(watched.gone) == 1
        finally:
            watched.deaths.close()

    with network("listeners") as (alone,), alone.enter():  # elsewhere others' listeners come and go
        asyncio.run(run())


@pytest.mark.parametrize("up_to", [0, 1, 255, 256, 0x8001, 0x0102_0304_0506_0708, 2**64 - 1])
def test_the_filter_lets_through_what_is_numbered_no_higher(up_to: int) -> None:
    def dead(cookie: int, remote_port: int = 0) -> bytes:
        return bytes(22) + struct.pack("!H", remote_port) + bytes(36) + struct.pack("=Q", cookie) + bytes(20)

    near = {up_to + step * 2**bits for step in (-1, 0, 1) for bits in range(0, 64, 4)}
    cookies = sorted(cookie for cookie in near if 0 <= cookie < 2**64)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        _attach(ours, filter_up_to(up_to))
        ours.setblocking(False)
        for cookie in cookies:
            theirs.send(dead(cookie, remote_port=443))
            theirs.send(dead(cookie))
            if cookie <= up_to:
                assert ours.recv(200) == dead(cookie)
        with pytest.raises(BlockingIOError):
            ours.recv(200)


def dropped(deaths: ListenerDeaths) -> int:
    """What the kernel had no room for, by the column Drops of /proc/net/netlink."""
    assert deaths._netlink is not None
    inode = str(os.fstat(deaths._netlink.fileno()).st_ino)
    rows = [line.split() for line in Path("/proc/net/netlink").read_text().splitlines()[1:]]
    return next(int(drops) for *_, drops, number in rows if number == inode)


def test_events_beyond_our_room_are_said_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.host.listener_watch._RECEIVE_BYTES", 1)  # the kernel makes it its minimum

    async def run() -> int:
        watched = Watched()
        watched.deaths.open()
        listeners = [listen() for _ in range(300)]
        watched.deaths.know(Sockets().dump(Transport.TCP))
        for listener in listeners:
            listener.close()
        # The kernel tells at its leisure, and who reads as it does loses nothing: nobody reads until it has.
        wait_until(lambda: dropped(watched.deaths) > 0, "there was no room")
        try:
            await until(lambda: watched.lost > 0)
        finally:
            watched.deaths.close()
        return watched.lost

    assert asyncio.run(run()) >= 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_a_user_without_rights_hears_of_it_or_is_told_why_not() -> None:
    def question() -> Reason | list[int]:
        async def run() -> list[int]:
            watched = Watched()
            watched.deaths.open()
            listener = listen()
            watched.deaths.know(Sockets().dump(Transport.TCP))
            port = listener.getsockname()[1]
            listener.close()
            await until(lambda: bool(watched.gone))
            watched.deaths.close()
            return [one.port - port for one in watched.gone]

        try:
            return asyncio.run(run())
        except HostUnreadable as error:
            return error.reason

    assert as_nobody(question) in ([0], Reason.PERMISSION)


def test_a_kernel_that_denies_it_is_named_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denying(socket.socket):
        def setsockopt(self, level: int, option: int, value: Any, *rest: Any) -> None:
            if level == 270:
                raise PermissionError(1, "Operation not permitted")
            super().setsockopt(level, option, value, *rest)

    monkeypatch.setattr(socket, "socket", Denying)

    async def run() -> None:
        ListenerDeaths(lambda _: None, lambda: None).open()

    with pytest.raises(HostUnreadable) as caught:
        asyncio.run(run())
    assert caught.value.reason is Reason.PERMISSION


def test_looks_find_what_is_gone_once_and_nothing_new() -> None:
    gone: list[ListeningSocket] = []
    looks = ListenerLooks(gone.append)
    looks.know([listening(80), listening(81)])
    looks.compare([listening(80), listening(82)])
    looks.compare([listening(80)])
    assert [one.port for one in gone] == [81]
    looks.compare([listening(80, inode=5)])  # another socket on the same port
    assert [one.port for one in gone] == [81, 80]
