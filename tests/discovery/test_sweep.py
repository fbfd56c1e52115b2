"""The sweep with real sockets: open, closed, silent, ourselves, and too many for this machine."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.server import free_port
from trueup.discovery.sweep import _is_our_own, sweep


@contextlib.contextmanager
def full() -> Iterator[int]:
    """A listener whose queue is full: the kernel drops what comes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_open_ports_are_told_from_closed_ones() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as other,
    ):
        places = [one.getsockname()[:2], other.getsockname()[:2]]
        closed = ("127.0.0.1", free_port())
        swept = sweep([*places, closed])
    assert sorted(swept.open) == sorted(places)
    assert (swept.refused, swept.silent, swept.unknown) == (1, 0, 0)


def test_one_that_drops_what_comes_is_silent() -> None:
    with full() as port:
        swept = sweep([("127.0.0.1", port)], timeout_s=0.2)
    assert (swept.open, swept.silent) == ([], 1)


def test_thousands_are_done_each_once_and_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.discovery.sweep.PROGRESS_EVERY_S", 0.0)
    told: list[tuple[int, int]] = []
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        places = [("127.0.0.1", each) for each in range(max(1, port - 2500), min(65536, port + 2500))]
        swept = sweep(places, progress=lambda done, found: told.append((done, found)))
    assert ("127.0.0.1", port) in swept.open
    assert (swept.done, swept.unknown) == (len(places), 0)
    assert told[-1] == (len(places), len(swept.open))


def test_a_connection_to_ourselves_is_no_open_port() -> None:
    """Among thousands of ports, the kernel gives us now and then the very one that we call."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        assert _is_our_own(sock, sock.getsockname())
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_connection(one.getsockname()) as sock,
    ):
        assert not _is_our_own(sock, one.getsockname())


def test_the_rate_is_kept() -> None:
    began_s = time.monotonic()
    swept = sweep([("127.0.0.1", free_port())] * 41, rate=200)
    assert swept.refused == 41
    assert time.monotonic() - began_s >= 40 / 200


def test_more_than_there_are_files_for_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr("trueup.discovery.sweep._file_limit", lambda: hard)  # as if there were enough
    with full() as port, socket.create_server(("127.0.0.1", 0), backlog=500) as one:
        highest = max(int(link.name) for link in Path("/proc/self/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 20, hard))
        try:
            swept = sweep([("127.0.0.1", port)] * 60 + [one.getsockname()[:2]] * 60, timeout_s=0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (len(swept.open), swept.silent, swept.unknown) == (60, 60, 0)
