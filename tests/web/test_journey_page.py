"""Journeys, their steps, and what a browser showed."""

from tests.web.asking import ask, web
from tests.web.shop import shop


def test_the_step_that_failed_says_what_was_expected_and_seen() -> None:
    page = ask(web(shop()), "/journeys").text
    assert "expected <b>status 200</b>, seen <b>status 503</b>" in page
    assert "screenshot" not in page


def test_a_picture_is_shown_where_there_is_one() -> None:
    monitor = shop()
    monitor.pictures["checkout"] = b"\x89PNG"
    app = web(monitor)
    for path in ("/journeys", "/targets/checkout"):
        assert 'src="/api/v1/targets/checkout/screenshot"' in ask(app, path).text
    picture = ask(app, "/api/v1/targets/checkout/screenshot")
    assert (picture.headers["content-type"], picture.body) == ("image/png", b"\x89PNG")
    assert ask(app, "/api/v1/targets/shop-db/screenshot").status == 404
