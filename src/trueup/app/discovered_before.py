"""What was found, beside a configuration that's there already."""

import socket
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, Final

from trueup.app.discovering import Discovered
from trueup.config import Configuration
from trueup.discovery.comparing import HERE, Compared, Place, compare
from trueup.discovery.places import Host
from trueup.discovery.writing import service_document, service_lines
from trueup.host.addresses import read_addresses
from trueup.host.unreadable import HostUnreadable

_LOOPBACK: Final = ("localhost", "ip6-localhost")


def compare_with(
    configuration: Configuration,
    found: Discovered,
    hosts: Sequence[Host] = (),
    ports: Collection[int] | None = None,
) -> Compared:
    """``hosts`` are those that were looked at, none for this machine; ``ports`` where not all of them were.

    It asks the system's resolver for the names of the configuration.
    """
    machine_of = _machines()
    looked_at = {machine_of(host.address) for host in hosts} or {HERE}

    def was_looked_at(place: Place) -> bool:
        return place[0] in looked_at and (ports is None or place[1] in ports)

    return compare(configuration, found.services, machine_of=machine_of, was_looked_at=was_looked_at)


def _machines() -> Callable[[str], str]:
    try:
        own = {one.address for one in read_addresses()}
    except HostUnreadable:
        own = set()

    @cache
    def machine_of(host: str) -> str:
        if host in _LOOPBACK:
            return HERE
        try:
            address = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError):
            return host
        return HERE if address in own or address.startswith("127.") or address == "::1" else address

    return machine_of


def compared_document(compared: Compared) -> dict[str, Any]:
    """The comparison as JSON."""
    return {
        "new": [service_document(service) for service in compared.new],
        "gone": [{"name": one.name, "at": one.at} for one in compared.gone],
        "changed": [{"name": one.name, "at": one.at, "says": one.says} for one in compared.changed],
    }


def compared_lines(compared: Compared) -> list[str]:
    """The same for people; what is new is as it would be written."""
    lines = [f"gone     {one.name}: nothing listens at {one.at}" for one in compared.gone]
    lines += [f"changed  {one.name} ({one.at}): {one.says}" for one in compared.changed]
    if compared.new:
        lines += [f"new      {service.name} ({service.at})" for service in compared.new]
        lines += ["", "What is new, to be added below services:", *service_lines(compared.new)]
    return lines
