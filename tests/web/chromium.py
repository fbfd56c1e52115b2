"""A real Chromium, and what goes wrong in its pages."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.beds.requirements import require

expect.set_options(timeout=20_000)
PHONE, DESK, WALL = (390, 844), (1280, 900), (2560, 1440)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Within it, this thread has a running loop: nothing else may run one here."""
    path = require("chromium")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def reader(
    browser: Browser, url: str, *, size: tuple[int, int] = DESK, theme: str = "light", who: str | None = None
) -> Iterator[Page]:
    """A page of somebody, signed in as ``who``. Whatever it complains of fails the test at the end."""
    wrong: list[str] = []
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-GB",
        timezone_id="Europe/Berlin",
        ignore_https_errors=True,  # the certificates are the test's
    )
    context.set_default_timeout(20_000)
    if who is not None:
        context.add_cookies([{"name": "trueup_session", "value": f"session-{who}", "url": url}])
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    try:
        yield page
    finally:
        context.close()
    assert wrong == [], wrong
