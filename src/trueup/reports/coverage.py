"""What nobody covers: listeners without a target, targets that ask a port alone or alert nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.domain.address import AddressError, parse_address
from trueup.probes.registry import SCHEMES, by_scheme
from trueup.reports.material import Document, Material

_OURS: Final = "trueup"
_PORT_ALONE: Final = frozenset({"tcp", "udp", ""})


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A listener that no target looks at; ``speaks`` is empty where nobody knows."""

    host: str
    address: str
    port: int
    speaks: str
    owner: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class PortAlone:
    """A target that is up as long as someone is home; ``likely`` is a scheme of that port's, or empty."""

    target: str
    at: str
    likely: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """``silent`` is None where the configuration isn't known; ``never_seen`` were unknown all the time."""

    unwatched: list[Unwatched] = field(default_factory=list)
    port_alone: list[PortAlone] = field(default_factory=list)
    silent: list[str] | None = None
    never_seen: list[str] = field(default_factory=list)
    has_channels: bool = True


def coverage_of(material: Material) -> Coverage:
    """All that is uncovered."""
    return Coverage(
        unwatched=[one for machine in material.machines for one in _unwatched(machine, material.targets)],
        port_alone=[one for target in material.targets for one in _port_alone(target)],
        silent=None if material.silent is None else sorted(material.silent),
        never_seen=[target["name"] for target in material.targets if _never_seen(target, material)],
        has_channels=bool(material.channels),
    )


def _addresses(target: Document) -> Iterator[Any]:
    for text in str(target.get("at") or "").split(", "):
        try:
            yield parse_address(text, SCHEMES)
        except AddressError:
            continue  # a journey has none, a socket no port


def _ports(target: Document, machine: Document) -> Iterator[int]:
    """Those of a machine that a target looks at: by a name of it, or with its agent's word."""
    agent = f"agent:{machine['host']}"
    has_word = any(seen.get("vantage") == agent for seen in target["observations"])
    for address in _addresses(target):
        if not has_word and address.host not in machine["names"]:
            continue
        scheme = by_scheme()[address.scheme].schemes[address.scheme] if address.scheme else None
        port = address.port or (scheme.port if scheme else None)
        if port is not None:
            yield port


def _unwatched(machine: Document, targets: Sequence[Document]) -> Iterator[Unwatched]:
    watched = {port for target in targets for port in _ports(target, machine)}
    watched.update(machine.get("own_ports", ()))
    here = bool(machine["here"])
    seen: set[tuple[int, str]] = set()
    for one in machine["listeners"]:
        owner = str(one["unit"] or one["container"] or one["process"] or "")
        is_ours = one["process"] == _OURS or str(one["unit"]).startswith(_OURS)
        if one["protocol"] != "tcp" or one["port"] in watched or is_ours or (one["port"], owner) in seen:
            continue
        seen.add((one["port"], owner))
        yield Unwatched(machine["host"], one["address"], one["port"], str(one["speaks"] or ""), owner, here)


def _port_alone(target: Document) -> Iterator[PortAlone]:
    addresses = list(_addresses(target))
    if target["kind"] == "service" and addresses and all(one.scheme in _PORT_ALONE for one in addresses):
        first = addresses[0]
        yield PortAlone(
            target["name"], str(target["at"]), _likely(first.port) if first.scheme != "udp" else ""
        )


def _likely(port: int | None) -> str:
    """The scheme whose own port it is; of several the one that probes are named after."""
    found = [
        (name != probe.name, name)
        for name, probe in by_scheme().items()
        if probe.schemes[name].port == port
        and name not in {"nginx", "sftp", "mariadb", "postgresql", "opensearch"}
    ]
    return min(found)[1] if found else ""


def _never_seen(target: Document, material: Material) -> bool:
    history = material.histories.get(target["name"])
    points = history["points"] if history is not None else []
    return target["state"] == "unknown" and all(point["state"] == "unknown" for point in points)
