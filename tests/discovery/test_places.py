import pytest

from trueup.discovery.places import (
    ALL,
    Host,
    PlaceError,
    in_turns,
    is_public,
    read_hosts,
    read_ports,
    usual_ports,
)


@pytest.mark.parametrize(
    ("text", "ports"),
    [("22", (22,)), ("80-82,22, 81", (22, 80, 81, 82)), ("65535", (65535,)), ("all", tuple(ALL))],
)
def test_ports(text: str, ports: tuple[int, ...]) -> None:
    assert read_ports(text) == ports


@pytest.mark.parametrize("text", ["", "0", "65536", "x", "90-80", "1-", "22;23", "-5", "٣"])
def test_what_is_no_port_is_said_to_be_none(text: str) -> None:
    with pytest.raises(PlaceError, match="write 6379, 8000-8100, all or usual"):
        read_ports(text)


def test_the_usual_ports_are_those_of_every_scheme_and_more() -> None:
    assert {22, 25, 443, 5432, 6379, 8080, 27017} <= set(usual_ports())
    assert read_ports("usual") == usual_ports()


def test_hosts_are_addresses_ranges_and_names_each_once() -> None:
    assert read_hosts(["10.0.0.0/30", "10.0.0.1", "[::1]"]) == (
        Host("10.0.0.1", "10.0.0.1"),
        Host("10.0.0.2", "10.0.0.2"),
        Host("::1", "::1"),
    )
    (named,) = read_hosts(["localhost"])
    assert named.text == "localhost"


@pytest.mark.parametrize(
    "text", ["10.0.0.0/99", "1.2.3.4:80", "no.such.name.invalid", "10.0.0.0/8", "a\0b", "fe80::1%lo"]
)
def test_what_is_no_host_is_said_to_be_none(text: str) -> None:
    with pytest.raises(PlaceError):
        read_hosts([text])


def test_the_internet_is_looked_at_only_when_asked_for() -> None:
    with pytest.raises(PlaceError, match="--public"):
        read_hosts(["1.1.1.1"])
    assert read_hosts(["1.1.1.1"], public=True) == (Host("1.1.1.1", "1.1.1.1"),)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.1.1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::1", False),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("224.0.0.1", True),
    ],
)
def test_whose_addresses_are_the_internet_s(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_neighbours_in_a_sweep_are_of_different_hosts() -> None:
    hosts = [Host("10.0.0.1", ""), Host("10.0.0.2", "")]
    assert list(in_turns(hosts, [1, 2])) == [
        ("10.0.0.1", 1),
        ("10.0.0.2", 1),
        ("10.0.0.1", 2),
        ("10.0.0.2", 2),
    ]
