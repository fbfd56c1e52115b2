"""A configuration beside what is found: what is new, gone or otherwise than it's written. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trueup.config import Configuration
from trueup.discovery.found import Door, Service
from trueup.domain.address import Address
from trueup.domain.target import Kind, Target
from trueup.probes.registry import by_scheme

HERE: Final = "here"
"""Any address of this machine."""

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Gone:
    """A service of the configuration at whose address nothing listens any more."""

    name: str
    at: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A service that isn't what is written: ``says`` is a phrase."""

    name: str
    at: str
    says: str


@dataclass(frozen=True, slots=True)
class Compared:
    new: tuple[Service, ...]
    gone: tuple[Gone, ...]
    changed: tuple[Changed, ...]

    @property
    def is_same(self) -> bool:
        return not (self.new or self.gone or self.changed)


def compare(
    configuration: Configuration,
    services: Sequence[Service],
    *,
    machine_of: Callable[[str], str],
    was_looked_at: Callable[[Place], bool],
) -> Compared:
    """``machine_of`` makes one of a host's names and addresses, and ``HERE`` of this machine's.
    ``was_looked_at`` tells whether a place would have been found if something listened there. A virtual
    host is known by its name, everything else by its place.
    """
    written = dict(_written(configuration, machine_of))
    found: dict[Place, list[Service]] = {}
    for service in services:
        if service.door is not None:
            found.setdefault((machine_of(service.door.host), service.door.port), []).append(service)
    taken = {target.name for target in configuration.targets}
    new = [
        _with_own_name(service, taken)
        for place, there in found.items()
        for service in there
        if (service.name not in taken if "send" in service.keys else place not in written)
    ]
    gone = [
        Gone(target.name, address.text)
        for place, at_place in written.items()
        for target, address in at_place
        if place not in found and was_looked_at(place)
    ]
    changed = [
        Changed(target.name, address.text, says)
        for place, at_place in written.items()
        for target, address in at_place
        for says in _changes(target, address, found.get(place, ()))
    ]
    return Compared(tuple(new), tuple(dict.fromkeys(gone)), tuple(dict.fromkeys(changed)))


def _with_own_name(service: Service, taken: set[str]) -> Service:
    """As it could be added: the name may be another's already."""
    name = service.name
    if name in taken and service.door is not None:
        name = f"{name}-{service.door.port}"
    return replace(service, name=name)


def _written(
    configuration: Configuration, machine_of: Callable[[str], str]
) -> Mapping[Place, list[tuple[Target, Address]]]:
    places: dict[Place, list[tuple[Target, Address]]] = {}
    for target in configuration.targets:
        for address in target.at if target.kind is Kind.SERVICE else ():
            port = _port(address)
            if port is not None and not address.socket_path:
                places.setdefault((machine_of(address.host), port), []).append((target, address))
    return places


def _port(address: Address) -> int | None:
    if address.port is not None:
        return address.port
    probe = by_scheme().get(address.scheme)
    return probe.schemes[address.scheme].port if probe is not None else None


def _changes(target: Target, address: Address, found: Iterable[Service]) -> Iterable[str]:
    services = list(found)
    if not services:
        return
    speaks = {_protocol(service.at.partition("://")[0]) for service in services} - {"tcp"}
    if speaks and address.scheme not in ("", "tcp", "tls", "udp") and _protocol(address.scheme) not in speaks:
        yield f"{' or '.join(sorted(speaks))} answers there now"
    units = {str(service.keys["unit"]) for service in services if "unit" in service.keys}
    if target.unit is not None and units and _unit(target.unit) not in units:
        yield f"{' and '.join(sorted(units))} holds it now, and not {_unit(target.unit)}"
    containers = {str(service.keys["container"]) for service in services if "container" in service.keys}
    if target.container is not None and containers and target.container not in containers:
        yield f"the container {' and '.join(sorted(containers))} holds it now, and not {target.container}"
    if target.internal and (doors := _open_to_all(services)):
        yield f"it's internal, and bound to {', '.join(sorted(doors))} now"


def _open_to_all(services: Iterable[Service]) -> set[str]:
    doors: list[Door] = [service.door for service in services if service.door is not None]
    return {one for door in doors for one in door.bound_to if one in ("0.0.0.0", "::")}


def _protocol(scheme: str) -> str:
    """Without TLS and other names of the same; what is built on HTTP is HTTP, for its probe asks more."""
    probe = by_scheme().get(scheme)
    if probe is None:
        return scheme
    return "http" if probe.over_http else probe.name


def _unit(name: str) -> str:
    return name if "." in name else f"{name}.service"
