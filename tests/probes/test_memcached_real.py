"""The memcached probe against the real server: healthy, and in each state that looks like health."""

import contextlib
import itertools
import socket
from collections.abc import Iterator

import pytest

from tests.beds.deadline import wait_until
from tests.beds.memcached import memcached
from tests.beds.requirements import require
from tests.beds.server import Server, serving
from tests.probes.performing import look, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.memcached import PROBE


@contextlib.contextmanager
def unusual(*options: str, users: str = "") -> Iterator[Server]:
    """One that the bed can't tell to be ready, for it doesn't answer in plain text."""
    program = require("memcached")

    def configure(server: Server) -> list[str]:
        authority = ["-Y", str(server.write("users", users))] if users else []
        return [program, "-l", server.address, "-p", str(server.port), "-U", "0", *options, *authority]

    def answers(server: Server) -> bool:
        with socket.create_connection((server.address, server.port), timeout=5):
            return True

    with serving("memcached", configure, answers, account="memcache") as server:
        yield server


def test_healthy() -> None:
    with memcached() as server:
        found = look(server.url)
        assert (found.outcome, found.facts["version"][:2]) == (Outcome.PASS, "1.")
        written = look(server.url, roundtrip=True)
        assert (written.layer, written.outcome) == (Layer.FUNCTION, Outcome.PASS)
        with server.paused():
            assert look(server.url, timeout_s=0.5).cause is Cause.SILENT
        with socket.create_connection((server.address, server.port), timeout=5) as stream:
            stream.sendall(b"\r\n\r\n")
            assert PROBE.recognise(stream.recv(100))


@pytest.mark.parametrize(
    ("limit", "cause"), [("maxconns_fast", Cause.OVERLOADED), ("no_maxconns_fast", Cause.SILENT)]
)
def test_no_room(limit: str, cause: Cause) -> None:
    with memcached("-c", "20", "-t", "1", "-o", limit) as server, contextlib.ExitStack() as sessions:

        def is_full() -> bool:
            sessions.enter_context(socket.create_connection((server.address, server.port), timeout=5))
            return look(server.url, timeout_s=0.5).cause is cause

        wait_until(is_full, "there is no room")


_keys = itertools.count()


def is_full(stream: socket.socket, size: int) -> bool:
    """After fifty more values of that size, under keys as long as the probe's."""
    value = b"x" * size
    sets = (b"set trueup:filler:%011d 0 0 %d\r\n%b\r\n" % (next(_keys), size, value) for _ in range(50))
    stream.sendall(b"".join(sets))
    said = b""
    while said.count(b"\n") < 50:
        said += stream.recv(65536)
    return b"out of memory" in said


def test_no_memory() -> None:
    with (
        memcached("-M", "-m", "2") as server,
        socket.create_connection((server.address, server.port), 5) as stream,
    ):
        stream.settimeout(5)
        wait_until(lambda: is_full(stream, 100_000), "what is large has taken all pages")
        wait_until(lambda: is_full(stream, 16), "nothing as small as the probe's fits", pause_s=0)
        assert look(server.url).outcome is Outcome.PASS
        full = look(server.url, roundtrip=True)
        assert (full.layer, full.cause) == (Layer.FUNCTION, Cause.OVERLOADED)


def test_logins() -> None:
    with unusual(users="monitor:canary-word\n") as server:
        bare = look(server.url)
        assert (bare.outcome, bare.facts["login"]) == (Outcome.PASS, "demanded")
        assert look(server.url, roundtrip=True).cause is Cause.LOGIN_REFUSED
        inside = perform(server.url, login=Login(Secret("canary-word"), "monitor"), roundtrip=True)
        assert inside.answer is not None
        assert inside.answer.outcome is Outcome.PASS
        assert b"canary" not in b"".join(said.data for said in inside.said)
        assert look(server.url, login=Login(Secret("canary-else"), "monitor")).cause is Cause.LOGIN_REFUSED


def test_binary_only() -> None:
    with unusual("-B", "binary") as server:
        found = look(server.url)
        assert (found.outcome, found.facts["version"][:2]) == (Outcome.PASS, "1.")
