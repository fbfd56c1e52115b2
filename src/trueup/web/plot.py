"""A latency plot that needs no script: lines of each layer, and what was wrong in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from trueup.web.rendering import parsed

WIDTH: Final = 800
HEIGHT: Final = 160
RANGES: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class Line:
    """``points`` as an SVG polyline has them."""

    layer: str
    points: str


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch that wasn't up, in the plot's own units."""

    x: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class Plot:
    lines: list[Line]
    bands: list[Band]
    most_ms: float


def plot(points: Sequence[dict[str, Any]]) -> Plot | None:
    """The 95th percentiles; None where there's nothing to draw."""
    timed = [(at.timestamp(), point) for point in points if (at := parsed(point["at"])) is not None]
    spots = [ms["p95_ms"] for _, point in timed for ms in point["layers"].values()]
    if len(timed) < 2 or not spots:
        return None
    begin, length = timed[0][0], max(1.0, timed[-1][0] - timed[0][0])
    most_ms = max(spots) or 1.0
    layers = dict.fromkeys(layer for _, point in timed for layer in point["layers"])

    def x(at: float) -> float:
        return round((at - begin) / length * WIDTH, 1)

    lines = [
        Line(
            layer,
            " ".join(
                f"{x(at)},{round(HEIGHT - point['layers'][layer]['p95_ms'] / most_ms * (HEIGHT - 8), 1)}"
                for at, point in timed
                if layer in point["layers"]
            ),
        )
        for layer in layers
    ]
    step = WIDTH / len(timed)
    bands = [Band(x(at), round(step, 2), point["state"]) for at, point in timed if point["state"] != "up"]
    return Plot(lines, bands, most_ms)
