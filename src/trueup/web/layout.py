"""A graph laid out in layers: who needs stands left of who is needed, and lines cross as little as a few
rounds of sorting by neighbours make them. A line that passes a column has a place of its own in it.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NODE_WIDTH: Final = 190
NODE_HEIGHT: Final = 34
COLUMN_GAP: Final = 90
ROW_GAP: Final = 14
LANE_HEIGHT: Final = 6
"""What a line that passes takes."""
MARGIN: Final = 20
_ROUNDS: Final = 8

Lane = tuple[str, str, int]
"""A line on its way: from whom, to whom, in which column."""
Place = str | Lane


@dataclass(frozen=True, slots=True)
class Spot:
    """The upper left corner of a node, or the left end of a lane."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Layout:
    """``spots`` of nodes by name; ``lines``: by their ends, the points that each passes."""

    spots: dict[str, Spot]
    lines: dict[tuple[str, str], list[tuple[int, int]]]
    width: int
    height: int


def layout(names: Sequence[str], needs: Mapping[str, Sequence[str]]) -> Layout:
    """``needs`` has no circle; what it names and ``names`` doesn't is left out."""
    known = set(names)
    edges = {name: [need for need in needs.get(name, ()) if need in known] for name in names}
    depths = _depths(names, edges)
    columns, ways = _with_lanes(names, edges, depths)
    _untangle(columns, ways)
    heights = [sum(map(_pitch, column)) - ROW_GAP for column in columns]
    tallest = max(heights, default=0)
    spots: dict[Place, Spot] = {}
    for depth, column in enumerate(columns):
        x, y = MARGIN + depth * (NODE_WIDTH + COLUMN_GAP), MARGIN + (tallest - heights[depth]) // 2
        for place in column:
            spots[place] = Spot(x, y)
            y += _pitch(place)
    lines = {(name, need): _line(name, need, depths, spots) for name in names for need in edges[name]}
    width = 2 * MARGIN + len(columns) * NODE_WIDTH + max(0, len(columns) - 1) * COLUMN_GAP
    nodes = {place: spot for place, spot in spots.items() if isinstance(place, str)}
    return Layout(nodes, lines, width, 2 * MARGIN + tallest)


def _pitch(place: Place) -> int:
    return ROW_GAP + (NODE_HEIGHT if isinstance(place, str) else LANE_HEIGHT)


def _depths(names: Sequence[str], edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Each stands right of everything that needs it, as far left as that lets it; who nobody needs stands
    beside what it needs.
    """
    waiting = dict.fromkeys(names, 0)
    for needed in edges.values():
        for name in needed:
            waiting[name] += 1
    depths = dict.fromkeys(names, 0)
    first = [name for name in names if waiting[name] == 0]
    ready = list(first)
    while ready:
        name = ready.pop()
        for need in edges[name]:
            depths[need] = max(depths[need], depths[name] + 1)
            waiting[need] -= 1
            if waiting[need] == 0:
                ready.append(need)
    return depths | {name: min(depths[need] for need in edges[name]) - 1 for name in first if edges[name]}


def _with_lanes(
    names: Sequence[str], edges: Mapping[str, Sequence[str]], depths: Mapping[str, int]
) -> tuple[list[list[Place]], list[tuple[Place, Place]]]:
    """The columns with a lane for each line that passes, and what is joined to what in the next column."""
    columns: list[list[Place]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for name in names:
        columns[depths[name]].append(name)
    ways: list[tuple[Place, Place]] = []
    for name in names:
        for need in edges[name]:
            lanes: list[Place] = [(name, need, depth) for depth in range(depths[name] + 1, depths[need])]
            for offset, lane in enumerate(lanes, depths[name] + 1):
                columns[offset].append(lane)
            chain: list[Place] = [name, *lanes, need]
            ways += itertools.pairwise(chain)
    return columns, ways


def _untangle(columns: list[list[Place]], ways: Sequence[tuple[Place, Place]]) -> None:
    """Sort each column by where its neighbours stand, from left to right and back."""
    right: dict[Place, list[Place]] = {}
    left: dict[Place, list[Place]] = {}
    for one, other in ways:
        right.setdefault(one, []).append(other)
        left.setdefault(other, []).append(one)
    rows = {place: row / max(1, len(column)) for column in columns for row, place in enumerate(column)}
    for turn in range(_ROUNDS):
        neighbours = left if turn % 2 == 0 else right
        for column in columns if turn % 2 == 0 else reversed(columns):
            middles = {place: _middle(place, neighbours.get(place, ()), rows) for place in column}
            column.sort(key=middles.__getitem__)
            rows |= {place: row / max(1, len(column)) for row, place in enumerate(column)}


def _middle(place: Place, neighbours: Sequence[Place], rows: Mapping[Place, float]) -> float:
    return sum(rows[one] for one in neighbours) / len(neighbours) if neighbours else rows[place]


def _line(
    name: str, need: str, depths: Mapping[str, int], spots: Mapping[Place, Spot]
) -> list[tuple[int, int]]:
    begin, end = spots[name], spots[need]
    points = [(begin.x + NODE_WIDTH, begin.y + NODE_HEIGHT // 2)]
    for depth in range(depths[name] + 1, depths[need]):
        lane = spots[name, need, depth]
        y = lane.y + LANE_HEIGHT // 2
        points += [(lane.x, y), (lane.x + NODE_WIDTH, y)]
    return [*points, (end.x, end.y + NODE_HEIGHT // 2)]
