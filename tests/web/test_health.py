"""Health, badges and metrics: what other monitors read."""

import pytest

from tests.web.asking import FAR, ask, web
from tests.web.scripted import ScriptedMonitor, named, plain


@pytest.mark.parametrize(
    ("state", "status"), [("up", 200), ("degraded", 200), ("down", 503), ("unknown", 503)]
)
def test_health_of_a_target(state: str, status: int) -> None:
    answer = ask(web(plain(state)), "/health/t0", host=FAR)
    assert answer.status == status
    assert answer.json == {"name": "t0", "state": state}


def test_health_of_nobody_is_503() -> None:
    assert ask(web(plain("up")), "/health/nobody").status == 503


def test_health_follows_the_last_hard_state() -> None:
    monitor = plain("down")
    monitor.tell("t0", "down", hard=False)
    assert ask(web(monitor), "/health/t0").json["state"] == "unknown"


@pytest.mark.parametrize(("state", "status"), [("up", 200), ("degraded", 200), ("unknown", 503)])
def test_its_own_health_says_nothing_more_to_strangers(state: str, status: int) -> None:
    monitor = plain()
    monitor.health = {"state": state, "problems": ["/var/lib/trueup is full"]}
    answer = ask(web(monitor), "/health", host=FAR)
    assert (answer.status, answer.json) == (status, {"state": state})


def test_a_badge_shows_name_and_state_and_runs_nothing() -> None:
    name = '<script>alert(1)</script>"'
    answer = ask(web(ScriptedMonitor(*named([name]))), f"/badge/{name}.svg", host=FAR)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert "<script" not in answer.text
    assert ">up</text>" in answer.text
    assert ">unknown</text>" in ask(web(plain("up")), "/badge/nobody.svg").text


def test_metrics_are_prometheus_text() -> None:
    monitor = plain("up", "down", "unknown")
    answer = ask(web(monitor), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.text.splitlines() == [
        "# HELP trueup_up Whether a target is up",
        "# TYPE trueup_up gauge",
        'trueup_up{target="t0"} 1',
        'trueup_up{target="t1"} 0',
    ]
