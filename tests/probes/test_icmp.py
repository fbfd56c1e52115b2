"""The ICMP probe against a script, and with this machine's own kernel."""

import os
import struct

import pytest

from tests.beds.namespaces import network
from tests.playbook import NONCE, address, play
from tests.probes.performing import perform
from trueup.conversation import Quiet
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.icmp import Options, conversation, request

AT = address("icmp://127.0.0.1")
TOKEN = NONCE[:16]
REPLY = b"\0" + request(TOKEN)[1:]


def test_its_own_reply_is_found_among_others() -> None:
    others = [request(TOKEN), b"\0" + request(b"x" * 16)[1:], b"\3\1\0\0", b"\0", REPLY]
    for count in range(len(others)):
        played = play(conversation(Options(AT)), [*others[:count], Quiet()])
        assert isinstance(played.broke, Quiet), "none of these is ours"


def test_an_answer_to_the_echo() -> None:
    played = play(conversation(Options(AT)), [REPLY])
    assert (played.settled.outcome, played.settled.layer) == (Outcome.PASS, Layer.PORT)


def test_the_requests_checksum_is_right() -> None:
    """RFC 1071: the sum over the whole message, its checksum included, has all bits set."""
    words = struct.unpack("!12H", request(b"\xff" * 16))
    total = sum(words)
    assert (total & 0xFFFF) + (total >> 16) in (0xFFFF, 0x1FFFE)
    assert words[0] == 0x0800


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raw ICMP sockets are root's")


@needs_root
@pytest.mark.parametrize("url", ["icmp://127.0.0.1", "icmp://[::1]", "icmp://localhost"])
def test_this_machine_answers(url: str) -> None:
    answer = perform(url).answer
    assert answer is not None
    assert answer.outcome is Outcome.PASS


@needs_root
def test_two_machines_and_a_cable() -> None:
    with network("monitor", "server") as (monitor, server), monitor.enter():
        for text in (server.ipv4, f"[{server.ipv6}]"):
            assert perform(f"icmp://{text}").answer is not None
        unreachable = perform("icmp://198.51.100.1").fault
        assert unreachable is not None
        assert (unreachable.layer, unreachable.cause) == (Layer.PORT, Cause.UNREACHABLE)
        server.set_link(up=False)
        silent = perform(f"icmp://{server.ipv4}", timeout_s=0.5).fault
        assert silent is not None
        assert (silent.layer, silent.cause) == (Layer.PORT, Cause.NO_ANSWER)


@needs_root
def test_without_the_right_to_ask_nothing_is_known() -> None:
    with network("monitor") as (monitor,), monitor.enter():
        monitor.run("sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
        os.seteuid(65_534)
        try:
            fault = perform("icmp://127.0.0.1").fault
        finally:
            os.seteuid(0)
    assert fault is not None
    assert (fault.outcome, fault.cause) == (Outcome.UNKNOWN, None)
    assert "CAP_NET_RAW" in fault.detail


@needs_root
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_ping_socket_where_the_kernel_allows_it(family: str) -> None:
    """The namespace's own switch for unprivileged ping sockets (ip(7), ping_group_range)."""
    with network("monitor", "server") as (monitor, server), monitor.enter():
        monitor.run("sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
        host = server.ipv4 if family == "ipv4" else f"[{server.ipv6}]"
        assert perform(f"icmp://{host}").answer is not None
