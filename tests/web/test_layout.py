"""Where the nodes of a graph stand."""

import itertools
import random

from trueup.web.layout import NODE_HEIGHT, NODE_WIDTH, layout


def test_who_needs_stands_left_of_who_is_needed() -> None:
    needs = {"checkout": ["web", "db"], "web": ["db"]}
    placed = layout(["db", "web", "checkout", "alone"], needs)
    assert placed.spots["checkout"].x < placed.spots["web"].x < placed.spots["db"].x


def test_three_hundred_nodes_do_not_overlap_and_no_line_runs_through_one() -> None:
    chance = random.Random(7)
    names = [f"n{number}" for number in range(300)]
    needs = {
        name: chance.sample(names[number + 1 :], min(2, 299 - number)) for number, name in enumerate(names)
    }
    placed = layout(names, needs)
    boxes = sorted((spot.x, spot.y) for spot in placed.spots.values())
    for (x1, y1), (x2, y2) in itertools.pairwise(boxes):
        assert x1 != x2 or y2 >= y1 + NODE_HEIGHT
    columns: dict[int, list[int]] = {}
    for x, y in boxes:
        columns.setdefault(x, []).append(y)
    for points in placed.lines.values():
        for x, y in points[1:-1:2]:
            assert not any(top <= y <= top + NODE_HEIGHT for top in columns[x])
    assert all(spot.x + NODE_WIDTH <= placed.width for spot in placed.spots.values())
    assert all(spot.y + NODE_HEIGHT <= placed.height for spot in placed.spots.values())


def test_sorting_takes_crossings_away() -> None:
    needs = {"a": ["z"], "b": ["y"], "c": ["x"]}
    spots = layout(["a", "b", "c", "x", "y", "z"], needs).spots
    left = sorted("abc", key=lambda name: spots[name].y)
    right = sorted("xyz", key=lambda name: spots[name].y)
    assert [needs[name][0] for name in left] == right


def test_nothing_is_nothing() -> None:
    assert layout([], {}).spots == {}
