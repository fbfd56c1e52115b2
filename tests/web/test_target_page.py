"""What the page of a target is made of."""

from tests.web.asking import ask, web
from tests.web.scripted import incident, plain, seen
from trueup.web.target_page import certificate_of, grid_of, steps_of


def test_the_grid_has_what_each_vantage_saw_last() -> None:
    vantages, rows = grid_of(
        [
            seen("service", "fail"),
            seen("port"),
            seen("port", "fail", vantage="fra"),
            seen("port", "unknown", vantage="fra"),
        ]
    )
    assert vantages == ["local", "fra"]
    assert [(layer, [one and one["outcome"] for one in row]) for layer, row in rows] == [
        ("port", ["pass", "unknown"]),
        ("service", ["fail", None]),
    ]


def test_steps_follow_each_other_in_the_waterfall() -> None:
    steps = steps_of(
        [
            seen("function", facts={"step": "a"}, latency_ms=75.0),
            seen("function", facts={"step": "b"}, latency_ms=25.0),
            seen("function", facts={"step": "c"}, latency_ms=None),
            seen("port"),
        ]
    )
    assert [(one["begin"], one["width"]) for one in steps] == [(0.0, 75.0), (75.0, 25.0), (100.0, 0.5)]


def test_the_certificate_that_ends_first_is_shown() -> None:
    late, soon = ({"expires_at": f"2027-0{month}-01T00:00:00Z"} for month in (5, 2))
    assert certificate_of([seen("tls", facts=late), seen("tls", facts=soon), seen("port")]) == soon
    assert certificate_of([seen("port")]) is None


def test_a_page_shows_incidents_of_its_target_alone() -> None:
    monitor = plain("down", "up")
    monitor.incident_documents = [incident(1, "t0"), incident(2, "t1")]
    page = ask(web(monitor), "/targets/t0").text
    assert "#1</a>" in page
    assert "#2</a>" not in page


def test_a_wrong_range_and_a_wrong_name() -> None:
    assert ask(web(plain("up")), "/targets/t0?range=decade").status == 400
    missing = ask(web(plain("up")), "/targets/t01", accept="text/html")
    assert (missing.status, "did you mean t0?" in missing.text) == (404, True)


def test_a_runbook_that_is_no_web_address_is_no_link() -> None:
    from tests.web.scripted import ScriptedMonitor, named

    page = ask(web(ScriptedMonitor(*named(["t0"], runbook="javascript:alert(1)"))), "/targets/t0").text
    assert "javascript:" not in page
