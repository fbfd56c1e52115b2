"""What is there to watch, here or on other machines: read, asked, and proposed as services."""

import asyncio
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from trueup.app.clock import SystemClock
from trueup.checks.check import Check, check_address
from trueup.checks.look import look
from trueup.config import Configuration, load_text
from trueup.discovery.doors import doors_of, is_held_by_us, name_servers
from trueup.discovery.fitting import ROUNDS, fitted
from trueup.discovery.found import Door, Link, Service
from trueup.discovery.identifying import Progress, identify_doors
from trueup.discovery.links import links_of, with_databases
from trueup.discovery.places import (
    ALL,
    ALL_PORTS_FOR_HOSTS,
    Host,
    in_turns,
    is_link_local,
    is_loopback,
    is_public,
    usual_ports,
)
from trueup.discovery.proposing import Surroundings, propose
from trueup.discovery.site_files import read_sites
from trueup.discovery.sweep import Progress as SweepProgress
from trueup.discovery.sweep import sweep
from trueup.discovery.writing import configuration_text
from trueup.domain.address import parse_address
from trueup.domain.clock import Clock
from trueup.domain.states import Outcome
from trueup.engine.engine import Engine
from trueup.host.connections import read_connections
from trueup.host.facts import Transport
from trueup.host.reader import ThisMachine
from trueup.host.report import HostReport
from trueup.host.software import SOFTWARE
from trueup.host.survey import Survey
from trueup.host.unreadable import HostUnreadable, Unreadable
from trueup.probes.registry import SCHEMES

FILE_NAME: Final = "what discover found"
PEERS_MAX: Final = 50
FITTED_WITHIN_S: Final = 5.0
ENGINE_WITHIN_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Discovered:
    """``doors`` are all that were found open, by whatever name they're written."""

    services: tuple[Service, ...]
    host: str
    at: datetime
    doors: tuple[Door, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def text(self) -> str:
        """The configuration."""
        return configuration_text(self.services, host=self.host, now=self.at, notes=self.notes)

    def identified(self) -> "Discovered":
        """Without those of whom nobody could tell who answers."""
        known = [service for service in self.services if not service.at.startswith("tcp://")]
        names = {service.name for service in known}
        return replace(self, services=tuple(_needing(service, names) for service in known))

    def configuration(self) -> Configuration:
        """The same, loaded."""
        return load_text(self.text, FILE_NAME)


def _needing(service: Service, names: Collection[str]) -> Service:
    """Of its needs only those."""
    needs = [name for name in service.keys.get("needs", ()) if name in names]
    keys = {key: value for key, value in service.keys.items() if key != "needs"}
    return replace(service, keys={**keys, "needs": needs} if needs else keys)


async def discover_here(
    *,
    ports: Collection[int] | None = None,
    leave_out: Collection[int] = (),
    progress: Progress | None = None,
) -> Discovered:
    """This machine's services. ``ports`` are those to look at where not all, ``leave_out`` those that aren't.

    Raises:
        HostUnreadable: this machine's sockets can't be read.
    """
    clock = SystemClock()
    reader = ThisMachine()
    try:
        reader.sockets()  # without these there's nothing to say
        report = await Survey(reader, socket.gethostname(), clock).take_listeners()
        doors = _wanted(doors_of(report, leave_out=leave_out), ports)
        links, gaps = _links(doors, report, reader)
        peers, notes = _peers(links, reader)
        async with Engine() as engine:
            found = await identify_doors(engine, clock, [*doors, *peers], progress=progress)
            found = with_databases((one for one in found if one.door.is_here or one.scheme), reader)
            sites, unread = await asyncio.to_thread(read_sites, [one.door for one in found])
            around = Surroundings(sites, links, _compose(report), _own(reader))
            services = await _fitted(engine, clock, propose(found, around))
            if ports is None:
                services += await _engines(engine, clock, reader, {service.name for service in services})
    finally:
        reader.close()
    return Discovered(
        services,
        report.host,
        clock.now(),
        tuple(one.door for one in found),
        tuple(notes),
        (*report.unreadable, *gaps, *unread),
    )


def ports_for(hosts: Sequence[Host], ports: Sequence[int] | None) -> Sequence[int]:
    """The ports to try: those asked for, else all of a few hosts, else the usual ones."""
    if ports is not None:
        return ports
    return tuple(ALL) if len(hosts) <= ALL_PORTS_FOR_HOSTS else usual_ports()


def sweep_hosts(
    hosts: Sequence[Host], ports: Sequence[int], rate: float, *, progress: SweepProgress | None = None
) -> list[tuple[str, int]]:
    """The places that are open; it blocks. ``rate`` is kept towards other machines."""
    bounded = not all(is_loopback(host.address) for host in hosts)
    return sweep(in_turns(hosts, ports), rate=rate if bounded else None, progress=progress).open


async def discover_hosts(
    open_places: Iterable[tuple[str, int]], hosts: Sequence[Host], *, progress: Progress | None = None
) -> Discovered:
    """The services at places of other machines that were found open by a sweep."""
    clock = SystemClock()
    texts = {host.address: host.text for host in hosts}
    ours = await _our_own(clock, hosts)
    doors = [
        Door(texts.get(address, address), port)
        for address, port in sorted(open_places)
        if (address, port) not in ours
    ]
    async with Engine() as engine:
        found = await identify_doors(engine, clock, doors, progress=progress)
        services = await _fitted(engine, clock, propose(found, Surroundings()))
    names = ", ".join(host.text for host in hosts[:3]) + (" ..." if len(hosts) > 3 else "")
    return Discovered(services, names, clock.now(), tuple(one.door for one in found))


async def _our_own(clock: Clock, hosts: Sequence[Host]) -> set[tuple[str, int]]:
    """Where trueup itself listens, of the hosts that are this machine."""
    reader = ThisMachine()
    try:
        is_own = _own(reader)
        here = [host.address for host in hosts if is_own(host.address)]
        if not here:
            return set()
        report = await Survey(reader, "", clock).take_listeners()
    finally:
        reader.close()
    ports = {one.socket.port for one in report.listeners if is_held_by_us(one, report)}
    return {(address, port) for address in here for port in ports}


def _wanted(doors: Sequence[Door], ports: Collection[int] | None) -> list[Door]:
    """Over UDP, name servers that don't answer over TCP at the same place alone."""
    wanted = [door for door in doors if ports is None or door.port in ports]
    tcp = [door for door in wanted if door.transport is Transport.TCP]
    places = {(door.host, door.port) for door in tcp}
    servers = name_servers(wanted, SOFTWARE["dns"].processes)
    return [*tcp, *(door for door in servers if (door.host, door.port) not in places)]


# ---- beside the doors -------------------------------------------------------------------------------------


def _links(
    doors: Sequence[Door], report: HostReport, reader: ThisMachine
) -> tuple[tuple[Link, ...], list[Unreadable]]:
    listening = {one.socket.port for one in report.listeners if one.socket.transport is Transport.TCP}
    try:
        return links_of(read_connections(), doors, reader, listening), []
    except HostUnreadable as error:
        return (), [Unreadable.of(error)]


def _peers(links: Iterable[Link], reader: ThisMachine) -> tuple[list[Door], list[str]]:
    """The doors of other machines that services here keep connections to; those on the internet aren't
    knocked at.
    """
    is_own = _own(reader)
    places = dict.fromkeys((one.peer, one.peer_port) for one in links if not is_own(one.peer))
    asked = [place for place in places if not (is_public(place[0]) or is_link_local(place[0]))][:PEERS_MAX]
    left = [f"{peer}:{port}" for peer, port in places if is_public(peer)]
    notes = (
        [f"Services here keep connections to the internet, not looked at: {', '.join(left)}"] if left else []
    )
    return [Door(peer, port) for peer, port in asked], notes


async def _engines(
    engine: Engine, clock: Clock, reader: ThisMachine, taken: Collection[str]
) -> tuple[Service, ...]:
    """The container engines that answer us at their sockets."""
    services = []
    for one in reader.engines():
        address = parse_address(f"docker://{one.socket_path}", SCHEMES)
        seen = (
            await look(engine, check_address(address, ENGINE_WITHIN_S), clock, follow_up=False)
        ).observations
        if all(each.outcome in (Outcome.PASS, Outcome.SLOW) for each in seen):
            name = one.name if one.name not in taken else f"{one.name}-socket"
            services.append(Service(name, address.text))
    return tuple(services)


def _own(reader: ThisMachine) -> Callable[[str], bool]:
    try:
        own = {one.address for one in reader.addresses()}
    except HostUnreadable:
        own = set()
    return lambda address: address in own or address.startswith("127.") or address == "::1"


def _compose(report: HostReport) -> dict[str, str]:
    return {one.name: one.compose_service for one in report.containers if one.compose_service}


# ---- a first look -----------------------------------------------------------------------------------------


async def _fitted(engine: Engine, clock: Clock, services: Sequence[Service]) -> tuple[Service, ...]:
    """The services with what a first look at each told. The look is the one that a monitor will take."""
    current = {service.name: service for service in services}
    doubtful = [name for name, service in current.items() if _may_need_fitting(service)]
    for _ in range(ROUNDS):
        text = configuration_text(
            [replace(one, keys=_alone(one)) for one in current.values()], host="", now=clock.now()
        )
        checks = load_text(text, FILE_NAME).checks
        told = await asyncio.gather(*(_look(engine, clock, checks[name], current[name]) for name in doubtful))
        doubtful = [service.name for service in told if service is not None]
        current |= {service.name: service for service in told if service is not None}
        if not doubtful:
            break
    return tuple(current.values())


def _may_need_fitting(service: Service) -> bool:
    scheme = service.at.partition(":")[0]
    return scheme in ("http", "ws", "tls", "wss", "grpcs") or scheme.endswith("s")


def _alone(service: Service) -> dict[str, object]:
    return {key: value for key, value in service.keys.items() if key != "needs"}


async def _look(engine: Engine, clock: Clock, checks: Sequence[Check], service: Service) -> Service | None:
    (check,) = checks
    seen = (await look(engine, replace(check, timeout_s=FITTED_WITHIN_S), clock)).observations
    return fitted(service, seen)
