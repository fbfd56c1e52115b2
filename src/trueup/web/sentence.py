"""How everything is, in one sentence: what a person reads first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

_NAMED_MAX: Final = 3


def sentence(documents: Sequence[dict[str, Any]], hosts: Mapping[str, str | None]) -> list[str]:
    """In parts, the worst first, to be joined by semicolons.

    ``hosts``: by name, the machine of a target where it is configured.
    """
    if not documents:
        return ["Nothing is watched yet"]
    broken = [one for one in documents if one["state"] == "down"]
    weak = [one for one in documents if one["state"] == "degraded"]
    unseen = sum(one["state"] == "unknown" for one in documents)
    parts = [_broken(broken, hosts)] if broken else []
    if weak:
        only = f": {weak[0]['name']}" if len(weak) == 1 else ""
        parts.append(f"{len(weak)} {_are(weak)} degraded{only}")
    if unseen:
        parts.append(f"{unseen} can’t be judged now")
    if parts:
        return parts
    return ["The one thing that is watched is up" if len(documents) == 1 else f"All {len(documents)} are up"]


def _are(some: Sequence[Any]) -> str:
    return "is" if len(some) == 1 else "are"


def _broken(broken: Sequence[dict[str, Any]], hosts: Mapping[str, str | None]) -> str:
    if len(broken) == 1:
        one = broken[0]
        root = one["blame"] if one["blame"] not in (None, one["name"]) else None
        why = f", and {_place(root, hosts)} is the cause" if root else ""
        return f"1 thing is broken: {_place(one['name'], hosts)}{why}"
    words = f"{len(broken)} things are broken"
    roots = Counter(one["blame"] or one["name"] for one in broken)
    if len(roots) == 1:
        every = "both" if len(broken) == 2 else "all of it"
        return f"{words}: {_place(next(iter(roots)), hosts)} is the cause of {every}"
    shared = [(name, count) for name, count in roots.most_common(_NAMED_MAX) if count > 1]
    if shared:
        named = ", ".join(f"{_place(name, hosts)} of {count}" for name, count in shared)
        return f"{words}: {named.replace(' of ', ' is the cause of ', 1)}"
    names = ", ".join(one["name"] for one in broken[:_NAMED_MAX])
    more = f" and {len(broken) - _NAMED_MAX} more" if len(broken) > _NAMED_MAX else ""
    return f"{words}: {names}{more}"


def _place(name: str, hosts: Mapping[str, str | None]) -> str:
    host = hosts.get(name)
    return f"{name} on {host}" if host else name
