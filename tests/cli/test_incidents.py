"""Incidents, as people read them."""

from typing import Any

from trueup.cli.incidents import _lines


def incident(**said: Any) -> dict[str, Any]:
    plain = {"id": 17, "target": "shop-db", "state": "down", "layer": "service", "cause": "overloaded"}
    times = {"opened_at": "T0", "closed_at": None, "acknowledged_by": None}
    return {"summary": "no room", "timeline": [], "notifications": [], **plain, **times, **said}


def test_what_is_said_again_and_again_is_one_line() -> None:
    said = [
        ("T1", "opened: to be told by a"),
        ("T2", "reminder: to be told by a"),
        ("T3", "reminder: to be told by a"),
    ]
    told = [
        {"channel": name, "event": event, "sent_at": at, "result": "200 OK"}
        for at, event in (("T1", "opened"), ("T2", "reminder"), (None, "reminder"))
        for name in ("a", "b")
    ]
    lines = [
        *_lines([incident(timeline=[{"at": at, "what": what} for at, what in said], notifications=told)])
    ]
    assert lines[3:] == [
        "  T1  opened: to be told by a",
        "  T2  reminder: to be told by a (2 times, last at T3)",
        "  told   a opened (T1): 200 OK",
        "  told   b opened (T1): 200 OK",
        "  untold a reminder (2 times, last not sent yet): 200 OK",
        "  untold b reminder (2 times, last not sent yet): 200 OK",
    ]
