"""Settings, and the first page after set-up."""

from tests.web.asking import as_asker, ask, doorman, web
from tests.web.shop import shop
from trueup.web.api import application


def test_what_was_found_here_is_kept_by_a_command() -> None:
    found = ask(application(shop(), doorman(), is_discovered=True), "/welcome").text
    assert "What was found on this machine" in found
    assert "trueup discover -o trueup.yaml" in found
    assert "What the configuration names" in ask(web(shop()), "/welcome").text


def test_settings_offer_what_one_may_change() -> None:
    shown = {
        who: ask(web(shop()), "/settings", **as_asker(who)).text for who in ("viewer", "editor", "admin")
    }
    assert [who for who, page in shown.items() if 'action="/api/v1/silences"' in page] == ["editor", "admin"]
    assert [who for who, page in shown.items() if 'action="/api/v1/tokens"' in page] == ["admin"]


def test_what_the_file_owns_has_no_button() -> None:
    monitor = shop()
    window = {"from": "2026-11-21T10:00:00Z", "until": "2026-11-21T12:00:00Z"}
    monitor.planned = [
        {"id": None, "targets": ["queue"], **window, "author": "the configuration", "note": ""}
    ]
    page = ask(web(monitor), "/settings", **as_asker("admin")).text
    assert "queue" in page
    assert "End maintenance" not in page


def test_no_url_of_a_channel_is_shown() -> None:
    assert "token/chat" not in ask(web(shop()), "/settings", **as_asker("admin")).text
