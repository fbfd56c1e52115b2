"""``trueup who`` on this machine, with a real Redis among its listeners."""

import json
import os
import socket

import pytest

from tests.beds.redis import redis
from tests.cli.trueup import trueup

KEYS = {"address", "port", "protocol", "speaks", "pid", "process", "user", "unit", "container", "since"} | {
    "queue",
    "queue_max",
}


@pytest.mark.parametrize(
    "form",
    [
        "{port}",
        "127.0.0.1:{port}",
        "localhost:{port}",
        "redis://127.0.0.1:{port}/0",
        "redis://[::ffff:127.0.0.1]:{port}",
    ],
)
def test_a_listener_is_named_with_what_answers_and_who_holds_it(form: str) -> None:
    with redis() as server:
        done = trueup("who", form.format(port=server.port), "--json")
        (listener,) = json.loads(done.stdout)["listeners"]
        pid = server.pid
    assert set(listener) == KEYS
    assert (listener["address"], listener["port"], listener["protocol"]) == ("127.0.0.1", server.port, "tcp")
    assert (listener["speaks"], listener["process"]) == ("redis", "redis-server")
    if os.geteuid() == 0:
        assert listener["pid"] == pid
    assert listener["queue"] == 0
    assert listener["queue_max"] > 0
    assert listener["since"].endswith("Z")


@pytest.mark.parametrize(
    ("listens", "asked", "is_met"),
    [
        ("0.0.0.0", "127.0.0.1", True),
        ("0.0.0.0", "[::1]", False),  # who takes IPv4 alone isn't reached by IPv6
        ("0.0.0.0", "0.0.0.0", True),
        ("127.0.0.1", "0.0.0.0", True),  # a call to all addresses is one to this machine
        ("127.0.0.1", "127.0.0.2", False),
    ],
)
def test_those_are_listed_that_a_call_would_meet(listens: str, asked: str, is_met: bool) -> None:
    with socket.create_server((listens, 0)) as server:
        port = server.getsockname()[1]
        found = json.loads(trueup("who", f"{asked}:{port}", "--json").stdout)["listeners"]
    assert [one["port"] for one in found] == [port] * is_met


def test_the_table_is_for_people() -> None:
    with redis() as server:
        done = trueup("who", str(server.port))
    assert done.returncode == 0
    assert "redis-server" in done.stdout
    assert "\x1b" not in done.stdout


def test_nobody_there_is_an_empty_list() -> None:
    assert json.loads(trueup("who", "1", "--json").stdout) == {"listeners": []}


def test_nobody_there_is_said() -> None:
    done = trueup("who", "tcp://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "Nothing listens at tcp://127.0.0.1:1 on this machine\n")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("foo", "'foo' is no PORT and no ADDRESS; write 6379 or 127.0.0.1:6379"),
        ("99999", "99999 is no port; a port is 1 to 65535"),
        ("0", "0 is no port; a port is 1 to 65535"),
        ("redsi://127.0.0.1", "'redsi://127.0.0.1' is no PORT and no ADDRESS; did you mean redis://?"),
        ("docker:///var/run/docker.sock", "names no port of this machine"),
        ("nobody.invalid:80", "the name nobody.invalid has no address here"),
    ],
)
def test_what_is_no_place_is_wrong_usage(place: str, said: str) -> None:
    done = trueup("who", place)
    assert done.returncode == 64
    assert said in done.stderr
