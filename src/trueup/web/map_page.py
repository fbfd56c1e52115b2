"""The map: who needs whom, where the root of the trouble is, and what it takes with it."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.domain.target import Target
from trueup.web.access import Need
from trueup.web.asked import queried
from trueup.web.gates import Gate
from trueup.web.layout import NODE_HEIGHT, NODE_WIDTH, Layout, layout
from trueup.web.rendering import rendered
from trueup.web.shown import Document, Shown

NODES_MAX: Final = 600
MANY: Final = 80
"""Of more than so many, while something is down, what is well is drawn only where it's asked for."""
_LABEL_CHARS: Final = 22


@dataclass(frozen=True, slots=True)
class Node:
    """``label`` is the name, cut to fit."""

    name: str
    label: str
    state: str
    cause: str
    is_root: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Edge:
    """``path`` as SVG has it; ``is_hit``: the trouble runs along it."""

    path: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class Map:
    nodes: list[Node]
    edges: list[Edge]
    width: int
    height: int
    left_out: int


def map_gates(shown: Shown) -> list[Gate]:
    """One gate: the page."""

    async def page(request: Request) -> Response:
        asked = queried(request)
        around = asked.text("around")
        show = asked.one_of("show", "all", "trouble")
        asked.finish()
        drawable = connected(shown.targets)
        documents = {one.name: shown.document(one) for one in shown.targets if one.name in drawable}
        is_ill = any(one["state"] == "down" for one in documents.values())
        if show is None:
            show = "trouble" if is_ill and not around and len(drawable) > MANY else "all"
        drawn = map_of(shown.targets, documents, around=around, only_trouble=show == "trouble")
        alone, names = len(shown.targets) - len(drawable), sorted(drawable)
        words = {"around": around, "show": show, "size": (NODE_WIDTH, NODE_HEIGHT)}
        return rendered(request, "map.html", map=drawn, alone=alone, names=names, chosen=words)

    return [Gate("GET", "/map", Need.READ, page, "Who needs whom", gives="text/html")]


def connected(targets: Sequence[Target]) -> set[str]:
    """The names of those that need something or are needed."""
    names = {target.name for target in targets}
    pairs = [(target.name, need) for target in targets for need in target.needs if need in names]
    return {name for pair in pairs for name in pair}


def map_of(
    targets: Sequence[Target],
    documents: Mapping[str, Document],
    *,
    around: str = "",
    only_trouble: bool = False,
) -> Map:
    """``around``: only what that target needs and is needed by, however far."""
    needs = {target.name: target.needs for target in targets}
    wanted = connected(targets)
    if around in wanted:
        wanted = reached(around, needs) | reached(around, _turned(needs))
    if only_trouble:
        wanted = {name for name in wanted if documents[name]["state"] != "up"}
    names = [target.name for target in targets if target.name in wanted]
    left_out = max(0, len(names) - NODES_MAX)
    if left_out:
        names = sorted(names, key=lambda name: documents[name]["state"] == "up")[:NODES_MAX]
    roots = {one["blame"] for one in documents.values() if one["state"] == "down" and one["blame"]}
    placed = layout(names, needs)
    nodes = [_node(documents[name], name in roots, placed) for name in names]
    edges = [_edge(points, documents[name], documents[need]) for (name, need), points in placed.lines.items()]
    return Map(nodes, edges, placed.width, placed.height, left_out)


def reached(start: str, ways: Mapping[str, Sequence[str]]) -> set[str]:
    """Everything that can be reached from there, itself too."""
    found, ahead = {start}, [start]
    while ahead:
        for name in ways.get(ahead.pop(), ()):
            if name not in found:
                found.add(name)
                ahead.append(name)
    return found


def _turned(ways: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    turned: dict[str, list[str]] = {}
    for name, others in ways.items():
        for other in others:
            turned.setdefault(other, []).append(name)
    return turned


def _node(one: Document, is_root: bool, placed: Layout) -> Node:
    name, spot = one["name"], placed.spots[one["name"]]
    label = name if len(name) <= _LABEL_CHARS else f"{name[: _LABEL_CHARS - 1]}…"
    return Node(name, label, one["state"], one["cause"] or "", is_root, spot.x, spot.y)


def _edge(points: Sequence[tuple[int, int]], one: Document, other: Document) -> Edge:
    """From point to point: bent between two columns, straight through one."""
    path = f"M{points[0][0]} {points[0][1]}"
    for place, ((x1, y1), (x2, y2)) in enumerate(itertools.pairwise(points)):
        bend = (x2 - x1) // 2
        is_between = place % 2 == 0
        path += f"C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" if is_between else f"L{x2} {y2}"
    return Edge(path, one["state"] == other["state"] == "down")
