"""What was found as services to watch: names, tiers, units, what is internal, who needs whom. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trueup.discovery.doors import is_bound_inside, is_bound_to_all
from trueup.discovery.found import Door, Found, Link, Service
from trueup.discovery.kinds import INSIDE, is_interpreter, tier_of
from trueup.discovery.names import names_of, slug
from trueup.discovery.nginx_sites import Listen, Site
from trueup.host.facts import Transport

_WEB: Final = ("http", "https")
_GUESS_NEEDS: Final = "a guess: connections that it keeps"
_GUESS_BACKENDS: Final = "where nginx passes it on to"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the doors. ``compose`` are the compose services of containers by their names;
    ``is_own`` tells this machine's addresses.
    """

    sites: Mapping[Door, Sequence[Site]] = field(default_factory=dict)
    links: Sequence[Link] = ()
    compose: Mapping[str, str] = field(default_factory=dict)
    is_own: Callable[[str], bool] = lambda address: address.startswith("127.") or address == "::1"


def propose(found: Sequence[Found], around: Surroundings) -> tuple[Service, ...]:
    """A service for each that was found, and one for each virtual host, with their needs."""
    names = names_of(found, around.compose)
    services = [_service(name, one) for name, one in zip(names, found, strict=True)]
    by_door = {one.door: service.name for one, service in zip(found, services, strict=True)}
    reached = _Reached(by_door, around.is_own)
    wanted: dict[str, list[tuple[str, str]]] = {}
    for link in around.links:
        for need in reached.by(link.peer, link.peer_port):
            wanted.setdefault(by_door.get(link.holder, ""), []).append((need, _GUESS_NEEDS))
    hosts = list(_virtual_hosts(found, around.sites, by_door, set(by_door.values())))
    for site, service, front in hosts:
        backends = [name for place in site.backends for name in reached.by(*place)]
        wanted[service.name] = [(front, ""), *((name, _GUESS_BACKENDS) for name in backends)]
    return _with_needs([*services, *(service for _, service, _ in hosts)], wanted)


# ---- one service ------------------------------------------------------------------------------------------


def _service(name: str, found: Found) -> Service:
    keys: dict[str, Any] = {}
    guesses: dict[str, str] = {}
    notes = list(found.notes)
    tier = tier_of(found.scheme)
    if tier != 2:
        keys["tier"] = tier
    keys |= _held_by(found.door)
    if found.scheme in INSIDE and is_bound_inside(found.door):
        keys["internal"] = True
        guesses["internal"] = f"a guess: it listens on {', '.join(found.door.bound_to[:3])} only"
    elif found.scheme in INSIDE and is_bound_to_all(found.door):
        notes.append("it listens on all addresses: internal: true would tell when strangers reach it")
    if not found.scheme:
        notes.append("nobody that trueup knows answers there: it's a connection and no more")
    keys |= found.keys
    return Service(name, found.at, keys, tuple(notes), guesses, found.door)


def _held_by(door: Door) -> dict[str, Any]:
    holder = door.holder
    if holder is None:
        return {}
    if holder.container is not None:
        return {"container": holder.container}
    if holder.unit is not None:
        return {"unit": holder.unit}
    if holder.process is not None and not is_interpreter(holder.process):
        return {"process": holder.process}
    return {}


# ---- needs ------------------------------------------------------------------------------------------------


class _Reached:
    """Who is met at an address and port."""

    def __init__(self, by_door: Mapping[Door, str], is_own: Callable[[str], bool]) -> None:
        self._by_port: dict[int, list[Door]] = {}
        self._names = by_door
        self._is_own = is_own
        for door in by_door:
            if door.transport is Transport.TCP:
                self._by_port.setdefault(door.port, []).append(door)

    def by(self, peer: str, port: int) -> list[str]:
        """The names of those services; a name is taken for this machine's where it's localhost."""
        own = peer == "localhost" or self._is_own(peer)
        return [
            self._names[door]
            for door in self._by_port.get(port, ())
            if door.host == peer or (own and door.is_here and (peer == "localhost" or _takes(door, peer)))
        ]


def _takes(door: Door, address: str) -> bool:
    return address in door.bound_to or is_bound_to_all(door)


def _with_needs(
    services: Sequence[Service], wanted: Mapping[str, Sequence[tuple[str, str]]]
) -> tuple[Service, ...]:
    """The services with their needs; what would close a circle is left out."""
    needs: dict[str, list[str]] = {service.name: [] for service in services}
    told: dict[str, list[str]] = {service.name: [] for service in services}
    for name, others in wanted.items():
        if name not in needs:
            continue
        for other, why in others:
            if other != name and other not in needs[name] and not _leads(needs, other, name):
                needs[name].append(other)
                if why and why not in told[name]:
                    told[name].append(why)
    return tuple(
        replace(
            service,
            keys={**service.keys, "needs": needs[service.name]},
            guesses={**service.guesses, "needs": "; ".join(told[service.name])},
        )
        if needs[service.name]
        else service
        for service in services
    )


def _leads(needs: Mapping[str, Iterable[str]], start: str, end: str) -> bool:
    ahead, seen = [start], {start}
    while ahead:
        for need in needs.get(ahead.pop(), ()):
            if need == end:
                return True
            if need not in seen:
                seen.add(need)
                ahead.append(need)
    return False


# ---- virtual hosts ----------------------------------------------------------------------------------------


def _virtual_hosts(
    found: Sequence[Found],
    sites: Mapping[Door, Sequence[Site]],
    names: Mapping[Door, str],
    taken: set[str],
) -> Iterator[tuple[Site, Service, str]]:
    """Each named site once, asked where nginx listens, over TLS where it does; and who serves it."""
    fronts = [one for one in found if one.scheme in _WEB and one.door in sites]
    for site in dict.fromkeys(site for one in fronts for site in sites[one.door]):
        if not site.names:
            continue
        serving = [one for one in fronts if any(_is_at(one, listen) for listen in site.listens)]
        front = max(serving, key=lambda one: one.scheme == "https", default=None)
        if front is None or (name := slug(site.names[0])) in taken:
            continue
        taken.add(name)
        keys: dict[str, Any] = {"tier": 1, **_held_by(front.door)}
        keys["send"] = {"headers": {"Host": site.names[0]}}
        if front.scheme == "https":
            keys["tls"] = {"server_name": site.names[0]}
        service = Service(name, f"{front.scheme}://{front.door.place}/", keys, door=front.door)
        yield site, service, names[front.door]


def _is_at(found: Found, listen: Listen) -> bool:
    door = found.door
    return (
        listen.port == door.port
        and listen.tls == (found.scheme == "https")
        and (not listen.address or listen.address in door.bound_to)
    )
