"""The SSH probe with a real sshd, whole and broken."""

import select
import socket

import pytest

from tests.beds.deadline import wait_until
from tests.beds.server import free_port
from tests.beds.sshd import sshd
from tests.checks.strangers import stranger
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome


def test_a_healthy_server() -> None:
    with sshd() as server:
        for scheme in ("ssh", "sftp"):
            seen = answer(server.url.replace("ssh", scheme))
            assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
            assert seen.facts["software"].startswith("OpenSSH_")
        wait_until(lambda: server.log().count("health check") == 2, "our goodbye is in its log")
        assert server.log().count("kex_exchange") <= 1, "what breaks off, as the bed's own look does"


def test_too_many_that_havent_logged_in() -> None:
    """Ghost 25."""
    with sshd(MaxStartups="1:100:1") as server:
        with socket.create_connection((server.address, server.port)) as first:
            first.recv(100)
            seen = answer(server.url)
            assert (seen.outcome, seen.cause) == (Outcome.FAIL, Cause.OVERLOADED)
            assert "MaxStartups" in seen.detail
        wait_until(lambda: answer(server.url).cause is None, "it has room again")


def test_paused_it_accepts_and_is_silent() -> None:
    with sshd() as server, server.paused():
        fault = perform(server.url, timeout_s=0.5).fault
        assert fault is not None
        assert fault.cause is Cause.SILENT


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_nobody_is_home(scheme: str) -> None:
    fault = perform(f"{scheme}://127.0.0.1:{free_port()}").fault
    assert fault is not None
    assert fault.cause is Cause.REFUSED


def test_lines_before_the_banner_of_a_real_server() -> None:
    """A control: what a relay in front of it may say first."""
    with sshd() as server:

        def announce_and_relay(client: socket.socket) -> None:
            client.sendall(b"Authorised use only.\r\nYou are watched.\r\n")
            with socket.create_connection((server.address, server.port)) as real:
                while ready := select.select([client, real], [], [], 5)[0]:
                    for source in ready:
                        said = source.recv(4096)
                        if not said:
                            return
                        (real if source is client else client).sendall(said)

        with stranger(announce_and_relay) as port:
            assert answer(f"ssh://127.0.0.1:{port}").cause is None
