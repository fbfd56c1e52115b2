"""Machines: who listens on each, and what of it nobody watches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.domain.clock import timestamp
from trueup.domain.target import Kind, Target
from trueup.web.access import Need
from trueup.web.gates import Gate
from trueup.web.rendering import rendered
from trueup.web.shown import Shown

_PORT_ALONE: Final = frozenset({"tcp", ""})


@dataclass(frozen=True, slots=True)
class Machine:
    """``listeners`` are elements of the contract's ``who``. ``names``: by which its addresses are written.

    ``is_here``: it's the one that trueup runs on. ``own_ports`` are those that it listens on itself.
    ``is_fresh``: its agent reports.
    """

    host: str
    is_here: bool
    taken_at: datetime
    is_fresh: bool = True
    listeners: Sequence[dict[str, Any]] = ()
    names: frozenset[str] = frozenset()
    own_ports: frozenset[int] = frozenset()
    gaps: Sequence[str] = ()


class Machines(Protocol):
    """What the web needs to know of machines."""

    async def machines(self) -> list[Machine]:
        """This one first, then those whose agents have reported."""
        ...


@dataclass(frozen=True, slots=True)
class Covered:
    """A listener and the names of the targets that watch it. ``is_own``: it's trueup's."""

    listener: dict[str, Any]
    by: list[str]
    by_port_alone: bool
    is_own: bool = False

    @property
    def is_watched(self) -> bool:
        return self.is_own or bool(self.by)


@dataclass(frozen=True, slots=True)
class Coverage:
    machine: Machine
    covered: list[Covered] = field(default_factory=list)

    @property
    def unwatched(self) -> int:
        return sum(not one.is_watched for one in self.covered)


def coverage(machine: Machine, targets: Sequence[Target]) -> Coverage:
    """Which listeners are watched; one of UDP needs no port of TCP."""
    watching: dict[int, list[Target]] = {}
    for target in targets:
        if target.kind is not Kind.SERVICE:
            continue
        for address in target.at:
            is_here = target.host == machine.host or (target.host is None and address.host in machine.names)
            if address.port is not None and is_here:
                watching.setdefault(address.port, []).append(target)
    covered = []
    for listener in machine.listeners:
        is_tcp = listener["protocol"] == "tcp"
        found = watching.get(listener["port"], []) if is_tcp else []
        plain = all(address.scheme in _PORT_ALONE for target in found for address in target.at)
        names = list(dict.fromkeys(target.name for target in found))
        is_own = is_tcp and listener["port"] in machine.own_ports
        covered.append(Covered(listener, names, bool(found) and plain, is_own))
    covered.sort(key=lambda one: (one.is_watched, one.listener["port"]))
    return Coverage(machine, covered)


def machine_gates(shown: Shown, machines: Machines) -> list[Gate]:
    """The page, and the same for programs."""

    async def page(request: Request) -> Response:
        found = [coverage(one, shown.targets) for one in await machines.machines()]
        named = {target.host for target in shown.targets if target.host}
        silent = sorted(named - {one.machine.host for one in found})
        return rendered(request, "machines.html", found=found, silent=silent)

    async def listing(_: Request) -> Response:
        return JSONResponse({"machines": [_document(one) for one in await machines.machines()]})

    return [
        Gate("GET", "/machines", Need.READ, page, "Who listens where", gives="text/html"),
        Gate("GET", "/api/v1/machines", Need.READ, listing, "Who listens on each machine"),
    ]


def _document(one: Machine) -> dict[str, Any]:
    return {
        "host": one.host,
        "taken_at": timestamp(one.taken_at),
        "fresh": one.is_fresh,
        "here": one.is_here,
        "names": sorted(one.names),
        "own_ports": sorted(one.own_ports),
        "listeners": list(one.listeners),
    }
