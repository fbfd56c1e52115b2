"""Which hosts and ports are meant: names, addresses and ranges; ports, and spans of them."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.domain.printable import printable
from trueup.domain.understood import NotUnderstood
from trueup.probes.registry import all_probes

HOSTS_MAX: Final = 65_536
ALL_PORTS_FOR_HOSTS: Final = 4
"""Of so many hosts every port is tried where none is named; of more, those where services usually are."""

ALL: Final = range(1, 65_536)
_BESIDES: Final = (
    (81, 2375, 2376, 2379, 3000, 3001, 4000, 5000, 5001, 5432, 5433, 5601, 5984, 6380, 6432, 7000, 7001),
    (8000, 8001, 8008, 8009, 8080, 8081, 8082, 8086, 8088, 8090, 8123, 8161, 8222, 8443, 8500, 8888, 8889),
    (9000, 9001, 9042, 9090, 9091, 9093, 9100, 9115, 9300, 9443, 10000, 15671, 15672, 16379, 26379, 27018),
)
"""Where services often are besides the ports of their own: second instances, applications, dashboards."""

_SPAN: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


class PlaceError(NotUnderstood):
    """A host or a port that can't be read, or that may not be looked at without being asked for."""


@dataclass(frozen=True, slots=True)
class Host:
    """``text`` is what was named, else the address itself: that's what a configuration should say."""

    address: str
    text: str


def usual_ports() -> tuple[int, ...]:
    """Those of every scheme over TCP, and where people often put second instances."""
    own = {how.port for probe in all_probes() for how in probe.schemes.values() if how.port is not None}
    return tuple(sorted(own.union(*_BESIDES)))


def read_ports(text: str) -> tuple[int, ...]:
    """``22,8000-8100``, ``all`` or ``usual``.

    Raises:
        PlaceError: it's none of these.
    """
    if text == "all":
        return tuple(ALL)
    if text == "usual":
        return usual_ports()
    ports: set[int] = set()
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if first not in ALL or last not in ALL or last < first:
            raise PlaceError(f"{printable(part, 40)!r} is no port", "write 6379, 8000-8100, all or usual")
        ports.update(range(first, last + 1))
    return tuple(sorted(ports))


def read_hosts(texts: Sequence[str], *, public: bool = False) -> tuple[Host, ...]:
    """The hosts that are named, each once; it asks the system's resolver for names.

    ``public`` allows addresses of the internet.

    Raises:
        PlaceError: one isn't understood, has no address, or is on the internet and that isn't allowed.
    """
    found: dict[str, Host] = {}
    for text in texts:
        for host in _hosts(text):
            if not public and is_public(host.address):
                raise PlaceError(
                    f"{printable(text)} is on the internet",
                    "look at what is yours only; --public says that you may",
                )
            found.setdefault(host.address, host)
            if len(found) > HOSTS_MAX:
                raise PlaceError(f"more than {HOSTS_MAX} addresses", "name a smaller range")
    return tuple(found.values())


def is_public(address: str) -> bool:
    """Whether it's an address of the internet."""
    read = ipaddress.ip_address(address.partition("%")[0])
    mapped = read.ipv4_mapped if isinstance(read, ipaddress.IPv6Address) else None
    return (mapped or read).is_global or read.is_multicast


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def is_link_local(address: str) -> bool:
    """Whether it says nothing without an interface. IPv4's have but one."""
    read = ipaddress.ip_address(address.partition("%")[0])
    return read.version == 6 and read.is_link_local


def _hosts(text: str) -> Iterator[Host]:
    if "/" in text:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise PlaceError(f"{printable(text)!r} is no range", "write one as 10.0.0.0/24") from None
        if network.num_addresses > HOSTS_MAX:
            raise PlaceError(f"{printable(text)} has more than {HOSTS_MAX} addresses", "name a smaller range")
        yield from (Host(str(one), str(one)) for one in network.hosts())
        return
    bare = text.strip("[]")
    try:
        address = str(ipaddress.ip_address(bare))
    except ValueError:
        yield _named(text)
        return
    if is_link_local(address):
        raise PlaceError(
            f"{printable(text)} is an address of one link alone", "write another of its addresses or a name"
        )
    yield Host(address, bare)


def _named(name: str) -> Host:
    hint = "write a name, an address, or a range as 10.0.0.0/24"
    if ":" in name or "\0" in name:
        raise PlaceError(f"{printable(name)!r} is no host", f"{hint}; ports go to --ports")
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PlaceError(f"{printable(name)!r} has no address", hint) from None
    return Host(str(rows[0][4][0]), name)


def in_turns(hosts: Iterable[Host], ports: Iterable[int]) -> Iterator[tuple[str, int]]:
    """Every port of every host; neighbours are of different hosts, so that none is flooded."""
    addresses = [host.address for host in hosts]
    return ((address, port) for port in ports for address in addresses)
