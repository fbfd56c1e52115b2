"""Grafana's dashboard asks for metrics that the monitor has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "packaging" / "grafana-dashboard.json").read_text())
NAMED = {
    # The metrics that are promised, with their labels.
    "trueup_checks_total": {"layer", "outcome"},
    "trueup_up": {"target"},
    "trueup_verdict": {"target", "cause"},
    "trueup_latency_seconds": {"target", "layer"},
    "trueup_latency_histogram_seconds": {"kind", "layer"},
    "trueup_schedule_lag_seconds": set[str](),
    "trueup_incidents_open": set[str](),
    "trueup_notifications_total": {"channel", "result"},
}
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def metrics_in(expression: str) -> set[str]:
    names = re.findall(r"\btrueup_[a-z_]+", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    asked = metrics_in(expression)
    assert asked
    assert asked <= NAMED.keys()
    known = set[str]().union(*(NAMED[name] for name in asked)) | {"le"}
    labels = {*re.findall(r"[{,]\s*(\w+)\s*(?:=~|!=|=|!~)", expression)}
    labels |= {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
    assert labels <= known


def test_every_promised_metric_is_shown() -> None:
    assert {name for one in EXPRESSIONS for name in metrics_in(one)} == NAMED.keys()


def test_the_monitor_has_them() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src" / "trueup").rglob("*.py"))
    assert {name for name in NAMED if f'"{name}"' not in source} == set()


def test_panels_stand_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at: dict[str, Any] = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
