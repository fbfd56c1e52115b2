import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds import namespaces
from tests.beds.capabilities import require_capability
from tests.beds.deadline import wait_until
from tests.beds.namespaces import Namespace, network


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    with network("client", "server") as (client, server):
        yield client, server


def answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=2):
            return True
    except ConnectionRefusedError:
        return False


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_one_reaches_the_other_in_both_families(pair: tuple[Namespace, Namespace], family: str) -> None:
    client, server = pair
    address: str = getattr(server, family)
    with server.enter(), socket.create_server((address, 0), family=_family(address)) as listener:
        port = listener.getsockname()[1]
        with client.enter():
            assert answers(address, port)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def test_nothing_inside_is_reachable_from_outside(pair: tuple[Namespace, Namespace]) -> None:
    _, server = pair
    with server.enter():
        listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        assert not answers("127.0.0.1", listener.getsockname()[1])


def test_an_address_elsewhere_is_unreachable_at_once(pair: tuple[Namespace, Namespace]) -> None:
    client, _ = pair
    with client.enter(), pytest.raises(OSError, match="Network is unreachable"):
        socket.create_connection(("192.0.2.1", 9), timeout=2)


def test_more_than_two_are_all_joined() -> None:
    with network("a", "b", "c") as members:
        for member in members:
            for other in members:
                member.run("ping", "-c1", "-W2", "-q", other.ipv4)


def test_processes_run_inside_and_end_with_it() -> None:
    with network("server") as (server,):
        process = server.popen("sleep", "600")
        inside = server.path.stat().st_ino
        own = Path(f"/proc/{process.pid}/ns/net")
        wait_until(lambda: own.stat().st_ino == inside, "the process is in its namespace")
    assert process.returncode is not None
    assert not server.path.exists()


def test_a_failing_command_is_told(pair: tuple[Namespace, Namespace]) -> None:
    client, _ = pair
    with pytest.raises(subprocess.CalledProcessError):
        client.run("false")
    assert client.run("cat", stdin="heard").stdout == "heard"


def test_the_thread_comes_back_out_after_an_error(pair: tuple[Namespace, Namespace]) -> None:
    client, _ = pair
    outside = network_number()
    with contextlib.suppress(ZeroDivisionError), client.enter():
        inside = network_number()
        raise ZeroDivisionError
    assert inside != outside
    assert network_number() == outside


def network_number() -> int:
    return Path("/proc/thread-self/ns/net").stat().st_ino


def test_an_event_loop_works_inside(pair: tuple[Namespace, Namespace]) -> None:
    client, server = pair
    with server.enter(), socket.create_server((server.ipv4, 0)) as listener:
        port = listener.getsockname()[1]

        async def connect() -> None:
            _, writer = await asyncio.open_connection(server.ipv4, port)
            writer.close()
            await writer.wait_closed()

        with client.enter():
            asyncio.run(asyncio.wait_for(connect(), 5))


@pytest.mark.parametrize("address", ["10.99.0.1", "fd99::1"])
def test_more_addresses_on_the_loopback(pair: tuple[Namespace, Namespace], address: str) -> None:
    _, server = pair
    server.add_loopback_address(address)
    with server.enter(), socket.create_server((address, 0), family=_family(address)) as listener:
        assert answers(address, listener.getsockname()[1])


def test_a_pulled_cable_and_put_back(pair: tuple[Namespace, Namespace]) -> None:
    client, server = pair
    server.set_link(up=False)
    assert client.run("ping", "-c1", "-W1", "-q", server.ipv4, check=False).returncode == 1
    server.set_link(up=True)
    for address in (server.ipv4, server.ipv6):
        wait_until(
            lambda a=address: client.run("ping", "-c1", "-W1", "-q", a, check=False).returncode == 0,  # type: ignore[misc]
            f"{address} is back",
        )


def test_what_a_killed_run_left_behind_is_swept() -> None:
    require_capability("namespaces")
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True, timeout=5)
    left = f"trueup-{gone.stdout.strip()}-1-server"
    subprocess.run(["ip", "netns", "add", left], check=True, timeout=5)
    process = subprocess.Popen(["nsenter", f"--net=/run/netns/{left}", "sleep", "600"])
    wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n", "it runs inside")
    with network("a") as (member,):
        assert not Path("/run/netns", left).exists()
        assert process.wait(5) == -9
        namespaces._sweep()
        assert member.path.exists(), "a running one is left alone"
