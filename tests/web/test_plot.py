"""The plot that needs no script."""

from typing import Any

from trueup.web.plot import HEIGHT, WIDTH, plot


def point(minute: int, p95_ms: float | None, state: str = "up") -> dict[str, Any]:
    layers = {} if p95_ms is None else {"port": {"p95_ms": p95_ms}}
    return {"at": f"2026-11-21T10:{minute:02}:00Z", "state": state, "layers": layers}


def test_the_highest_is_near_the_top_and_time_fills_the_width() -> None:
    drawn = plot([point(0, 5.0), point(5, 10.0), point(10, None, "down"), point(20, 0.0)])
    assert drawn is not None
    assert drawn.most_ms == 10.0
    assert drawn.lines[0].points == f"0.0,84.0 {WIDTH / 4},8.0 {float(WIDTH)},{float(HEIGHT)}"
    assert [(band.x, band.state) for band in drawn.bands] == [(WIDTH / 2, "down")]


def test_nothing_to_draw() -> None:
    assert plot([]) is None
    assert plot([point(0, 1.0)]) is None
    assert plot([point(0, None), point(5, None)]) is None
