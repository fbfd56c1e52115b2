from typing import Any

import pytest

from tests.discovery.when import NOW
from trueup.discovery.doors import doors_of, is_bound_inside, is_bound_to_all, is_ours, name_servers
from trueup.host.facts import ListeningSocket, Owner, Process, ProcessState, Transport
from trueup.host.report import HostReport, Listener

TCP, UDP = Transport.TCP, Transport.UDP


def process(pid: int, name: str, *command: str) -> Process:
    return Process(
        pid, 1, NOW, name, ProcessState.SLEEPING, 1, 1, 0, "root", None, None, command, None, None, None, None
    )


def listener(
    address: str,
    port: int,
    pid: int = 7,
    transport: Transport = TCP,
    v6_only: bool | None = None,
    **more: Any,
) -> Listener:
    sock = ListeningSocket(transport, address, port, 0, 128, 0, 1, v6_only=v6_only)
    return Listener(sock, "root", Owner(pid, (pid,)), process="redis-server", **more)


def report(*listeners: Listener, processes: tuple[Process, ...] = ()) -> HostReport:
    return HostReport("host", NOW, None, listeners=listeners, processes=processes)


@pytest.mark.parametrize(
    ("addresses", "host"),
    [
        (("0.0.0.0", "::"), "127.0.0.1"),
        (("::",), "::1"),
        (("10.0.0.1", "127.0.0.1"), "127.0.0.1"),
        (("fe80::1", "10.0.0.1"), "10.0.0.1"),
        (("10.0.0.9", "10.0.0.1"), "10.0.0.1"),
    ],
)
def test_the_sockets_of_one_program_and_port_are_one_door(addresses: tuple[str, ...], host: str) -> None:
    (door,) = doors_of(report(*(listener(address, 6379) for address in addresses)))
    assert (door.host, door.bound_to) == (host, addresses)


def test_an_ipv6_socket_that_takes_ipv4_is_asked_there() -> None:
    (door,) = doors_of(report(listener("::", 80, v6_only=False)))
    assert door.host == "127.0.0.1"


def test_what_is_bound_to_a_link_alone_can_not_be_asked() -> None:
    assert doors_of(report(listener("fe80::1", 80))) == ()


def test_two_programs_on_one_port_are_two_doors() -> None:
    assert len(doors_of(report(listener("127.0.0.1", 53, 1), listener("127.0.0.53", 53, 2)))) == 2


def test_a_container_s_port_is_one_door_though_each_family_has_its_proxy() -> None:
    proxies = [listener("0.0.0.0", 8080, 1, container="web"), listener("::", 8080, 2, container="web")]
    (door,) = doors_of(report(*proxies))
    assert door.holder is not None
    assert (door.host, door.holder.container, sorted(door.holder.pids)) == ("127.0.0.1", "web", [1, 2])


def test_our_own_are_not_among_them() -> None:
    own = process(7, "trueup", "/usr/bin/python3", "/opt/bin/trueup", "run")
    assert doors_of(report(listener("127.0.0.1", 8642), processes=(own,))) == ()
    assert doors_of(report(listener("127.0.0.1", 8642)), leave_out={8642}) == ()


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (("python3", "-m", "trueup", "run"), True),
        (("python3", "-W", "error", "-m", "trueup", "run"), True),
        (("/opt/trueup/bin/python", "/opt/trueup/bin/trueup", "agent"), True),
        (("trueup", "run"), True),
        (("redis-server", "/etc/trueup/redis.conf"), False),
        ((), False),
    ],
)
def test_what_is_our_own(command: tuple[str, ...], ours: bool) -> None:
    assert is_ours(command) is ours


def test_only_a_service_of_the_system_is_a_unit_to_name() -> None:
    def unit(**more: Any) -> str | None:
        (door,) = doors_of(report(listener("127.0.0.1", 1, **more)))
        assert door.holder is not None
        return door.holder.unit

    assert unit(unit="redis.service") == "redis.service"
    assert unit(unit="session-1.scope") is None
    assert unit(unit="user@1000.service", user_unit="redis.service") is None
    assert unit(unit="systemd-nspawn@x.service", machine="x") is None


def test_bound_inside_or_to_all() -> None:
    def door(*addresses: str) -> tuple[bool, bool]:
        (made,) = doors_of(report(*(listener(one, 1) for one in addresses)))
        return is_bound_inside(made), is_bound_to_all(made)

    assert door("127.0.0.1", "10.0.0.1") == (True, False)
    assert door("0.0.0.0") == (False, True)
    assert door("127.0.0.1", "8.8.8.8") == (False, False)


def test_name_servers_are_asked_over_udp_and_nobody_else() -> None:
    doors = doors_of(
        report(
            listener("127.0.0.53", 53, 1, UDP),
            listener("127.0.0.1", 68, 2, UDP),
            listener("127.0.0.1", 5353, 3, UDP),
        )
    )
    assert [door.port for door in name_servers(doors, ())] == [53]
    assert {door.port for door in name_servers(doors, {"redis-server"})} == {53, 68, 5353}
