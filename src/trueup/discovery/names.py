"""Names as a person would give them: after the unit of one's own, the container, the product. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from trueup.discovery.found import Found
from trueup.discovery.kinds import is_distributions, is_interpreter, product_of
from trueup.probes.registry import by_scheme

_ODD: Final = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)
_CHARS_MAX: Final = 60


def names_of(found: Sequence[Found], services: Mapping[str, str]) -> list[str]:
    """A name for each, all different. ``services`` are the compose services of containers, by container.

    Of several with one name, the one at its protocol's own port keeps it bare; the others have their scheme
    or port in it, or their address.
    """
    elsewhere = {one.door.host for one in found if not one.door.is_here}
    alone = len(elsewhere) == 1 and not any(one.door.is_here for one in found)
    bare = [bare_name(one, services, with_host=not alone) for one in found]
    names: list[str] = [""] * len(found)
    for name in dict.fromkeys(bare):
        places = [place for place, other in enumerate(bare) if other == name]
        for place, told in zip(places, _told_apart(name, [found[place] for place in places]), strict=True):
            names[place] = told
    return _unique(names)


def bare_name(found: Found, services: Mapping[str, str], *, with_host: bool = False) -> str:
    """What it would be called if there were no other; ``with_host`` where it's another machine's."""
    door, holder = found.door, found.door.holder
    if holder is None:
        kind = found.scheme or f"port-{door.port}"
        return slug(f"{kind}-{_short(door.host)}" if with_host else kind)
    if holder.container is not None:
        return slug(services.get(holder.container, holder.container))
    product = product_of(holder.process, found.scheme)
    if holder.unit is not None and not is_distributions(holder.unit, product):
        return slug(holder.unit.removesuffix(".service"))
    if found.scheme == "postgres" and found.part.strip("/"):
        database = slug(found.part.strip("/"))
        return database if database.endswith("db") else f"{database}-db"
    if product is not None:
        return product
    if holder.unit is not None:
        return slug(holder.unit.removesuffix(".service").partition("@")[0].removesuffix("-server"))
    if holder.process is not None and not is_interpreter(holder.process):
        return slug(holder.process)
    return slug(f"{found.scheme or 'port'}-{door.port}")


def _short(host: str) -> str:
    """The first label of a name, the whole of an address."""
    return host if ":" in host or host.replace(".", "").isdecimal() else host.partition(".")[0]


def slug(text: str) -> str:
    """``text`` with nothing in it that would have to be quoted."""
    return _ODD.sub("-", text)[:_CHARS_MAX].strip("-.") or "service"


def _told_apart(name: str, found: Sequence[Found]) -> list[str]:
    if len(found) == 1:
        return [name]
    order = sorted(range(len(found)), key=lambda place: _rank(found[place]))
    schemes = [one.scheme for one in found]
    names = [""] * len(found)
    for turn, place in enumerate(order):
        one = found[place]
        if turn == 0:
            names[place] = name
        elif one.scheme and schemes.count(one.scheme) == 1 and one.scheme not in name:
            names[place] = f"{name}-{one.scheme}"
        else:
            names[place] = f"{name}-{one.door.port}"
    return names


def _rank(found: Found) -> tuple[bool, bool, int, str]:
    """At its protocol's own port first, then whoever was identified, then by port."""
    probe = by_scheme().get(found.scheme)
    own = probe.schemes[found.scheme].port if probe is not None else None
    return found.door.port != own, not found.scheme, found.door.port, found.door.host


def _unique(names: Sequence[str]) -> list[str]:
    """The last word: a number behind what would still be the same."""
    taken: set[str] = set()
    unique = []
    for name in names:
        told, number = name, 2
        while told in taken:
            told, number = f"{name}-{number}", number + 1
        taken.add(told)
        unique.append(told)
    return unique
