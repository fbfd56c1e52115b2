"""Incidents by what was really broken: the root that is blamed, and its cause."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from trueup.domain.causes import Cause
from trueup.reports.material import Document, Material, span


@dataclass(slots=True)
class Root:
    """One target with one cause. ``lasted`` sums its own incidents up; ``dragged`` are the targets that were
    broken for want of it, with how often.
    """

    target: str
    cause: str
    layer: str
    incidents: list[int] = field(default_factory=list)
    lasted: timedelta = timedelta()
    dragged: dict[str, int] = field(default_factory=dict)
    summary: str = ""
    is_open: bool = False


def roots_of(material: Material) -> list[Root]:
    """All of them, what cost most time first."""
    roots: dict[tuple[str, str], Root] = {}
    for one in _oldest_first(material.incidents):
        if not _is_dragged(one):
            root = roots.setdefault(
                (one["target"], str(one["cause"])), Root(one["target"], str(one["cause"]), str(one["layer"]))
            )
            start, end = span(one, material)
            root.incidents.append(one["id"])
            root.lasted += end - start
            root.summary = one["summary"]
            root.is_open |= one["closed_at"] is None
    for one in material.incidents:
        if _is_dragged(one):
            _drag(roots, one)
    return sorted(roots.values(), key=lambda root: (-root.lasted.total_seconds(), root.target))


def _is_dragged(incident: Document) -> bool:
    return incident["cause"] == Cause.NEEDS.value and incident["blame"] not in (None, incident["target"])


def _drag(roots: dict[tuple[str, str], Root], incident: Document) -> None:
    """Charge it to the blamed target: to its cause that lasted longest, else to one that nobody knows."""
    own = [root for root in roots.values() if root.target == incident["blame"]]
    root = max(own, key=lambda one: one.lasted) if own else None
    if root is None:
        root = roots.setdefault(
            (incident["blame"], ""), Root(incident["blame"], "", "", summary="no incident of its own")
        )
    root.dragged[incident["target"]] = root.dragged.get(incident["target"], 0) + 1


def _oldest_first(incidents: Iterable[Document]) -> list[Document]:
    return sorted(incidents, key=lambda one: (one["opened_at"], one["id"]))
