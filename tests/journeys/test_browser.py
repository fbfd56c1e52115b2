"""The browser step with Chromium and nginx; without them it knows nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.nginx import nginx
from tests.beds.server import Server, free_port
from tests.cli.trueup import trueup
from tests.journeys.performed import perform
from trueup.domain.states import State
from trueup.journeys import browser

SHOP = """
default_type text/html;
location = / {
    return 200 '<title>Shop</title><h1>Hello</h1><form action=/in><input id=word type=password name=w>
        <input id=q name=q><button id=go>Go</button></form>';
}
location /in { return 200 '<title>Inside</title><p>You search: <b>$arg_q</b></p>'; }
location /broken { return 500 'boom'; }
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with nginx(SHOP) as server:
        yield server


def test_what_a_person_does(shop: Server) -> None:
    done = perform(
        f"""
        - browser:
          - open: {shop.url}/
          - fill: {{"#word": "${{WORD}}", "#q": shoes}}
          - click: "#go"
          - see: "You search: shoes"
        """,
        env={"WORD": "canary-word"},
    )
    assert done.verdict.state is State.UP, done.verdict.summary
    assert done.look.observations[0].detail == f"1 browser: 5 actions done, at {shop.url}/in"
    assert "canary-word" not in repr(done.look)


def test_what_isnt_there_is_named_and_shown(shop: Server) -> None:
    actions = f"{{open: {shop.url}/}}, {{fill: {{'#word': canary-word}}}}, {{click: '#pay'}}"
    for _ in range(4):  # a busy machine may not come as far as that, and then says so or shows no page
        done = perform(f"- browser: [{actions}]\n  timeout: 3s")
        assert done.verdict.state in (State.DOWN, State.UNKNOWN)
        assert "canary-word" not in repr(done.look)
        if done.look.screenshot is not None:
            break
    assert done.inner == ("1 browser", "wrong-answer")
    assert done.failed.facts["expected"] == "something to click at '#pay'"
    assert done.failed.facts["seen"] == "Shop: Hello Go"
    assert done.look.screenshot is not None
    assert done.look.screenshot.startswith(b"\x89PNG")


def test_pages_that_dont_open(shop: Server) -> None:
    broken = perform(f"- browser: [{{open: {shop.url}/broken}}]")
    assert broken.inner == ("1 browser", "error-answer")
    assert "HTTP 500" in broken.verdict.summary
    nobody = perform(f"- browser: [{{open: 'http://127.0.0.1:{free_port()}/'}}]")
    assert nobody.inner == ("1 browser", "refused")


def test_without_playwright_nobody_knows(shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    done = perform(f"- browser: [{{open: {shop.url}/}}]")
    assert done.verdict.state is State.UNKNOWN
    assert 'pip install "trueup[browser]"' in done.verdict.summary


def test_without_playwrights_driver_nobody_knows(shop: Server, tmp_path: Path) -> None:
    """In a process of its own: Playwright doesn't wait for the end of a driver that it couldn't start."""
    config = tmp_path / "trueup.yaml"
    config.write_text(f"journeys: {{checkout: {{steps: [{{browser: [{{open: '{shop.url}/'}}]}}]}}}}\n")
    done = trueup("check", "-c", str(config), env={"PLAYWRIGHT_NODEJS_PATH": "/bin/false"})
    assert done.returncode == 3
    assert "Playwright's driver has ended" in done.stdout
    assert "trueup.service" in done.stdout


def test_without_chromium_nobody_knows(shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "PROGRAMS", ())
    done = perform(f"- browser: [{{open: {shop.url}/}}]")
    assert done.verdict.state is State.UNKNOWN
    assert "apt install chromium" in done.verdict.summary
