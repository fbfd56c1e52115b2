"""How words, times and numbers stand in pages."""

from typing import Any

import pytest
from starlette.requests import Request

from trueup.web.rendering import lasting, rendered, said


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59.6, "1m"), (61, "1m 1s"), (3600, "1h"), (3661, "1h 1m"), (90_000, "1d 1h"), (-5, "0s")],
)
def test_a_length_of_time_has_two_units(seconds: float, shown: str) -> None:
    assert lasting(seconds) == shown


@pytest.mark.parametrize(
    ("fact", "shown"), [(None, "–"), (["a", 1], "a, 1"), ({"a": [1, 2]}, "a: 1, 2"), (0.5, "0.5")]
)
def test_facts_are_said_plainly(fact: Any, shown: str) -> None:
    assert said(fact) == shown


def test_every_word_of_a_page_is_printable_and_escaped() -> None:
    scope = {"type": "http", "method": "GET", "path": "/login", "query_string": b"", "headers": []}
    words: dict[str, Any] = {"next": '/"><script>\x1b\u202e', "problem": "<b>\x00</b>", "provider": None}
    page = bytes(rendered(Request(scope), "login.html", **words).body).decode()
    assert "<script>" not in page.replace('<script src="', "").replace('<script type="', "")
    assert "&lt;b&gt;\\x00&lt;/b&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
