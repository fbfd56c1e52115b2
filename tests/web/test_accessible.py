"""The pages judged by axe (WCAG 2.1, A and AA); colours in the other theme too, and some on a phone."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.web.chromium import DESK, PHONE, chromium, reader
from tests.web.served import served
from tests.web.shop import ShopMachines, shop, shop_trial

PAGES = (
    "/",
    "/incidents",
    "/incidents/17",
    "/targets/redis-cache",
    "/targets/checkout",
    "/map",
    "/machines",
    "/journeys",
    "/settings",
    "/status",
    "/welcome",
    "/login",
)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(shop(), machines=ShopMachines(), trial=shop_trial) as found:
        yield found


def violations(page: Page, rules: list[str]) -> list[str]:
    """What axe finds wrong, with where. It's run by the debugger: the page's own policy forbids it."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


FEW = ("/", "/incidents/17", "/targets/redis-cache", "/status")


@pytest.mark.parametrize(("size", "pages"), [(DESK, PAGES), (PHONE, FEW)])
def test_axe_finds_nothing(browser: Browser, url: str, size: tuple[int, int], pages: tuple[str, ...]) -> None:
    found: dict[str, list[str]] = {}
    with reader(browser, url, size=size, who="admin") as page:
        for path in pages:
            page.emulate_media(color_scheme="light")
            page.goto(url + path)
            wrong = violations(page, RULES)
            page.emulate_media(color_scheme="dark")
            wrong += violations(page, ["color-contrast"])
            if wrong:
                found[path] = wrong
    assert found == {}


def test_axe_would_find_something(browser: Browser, url: str) -> None:
    with reader(browser, url) as page:
        page.goto(f"{url}/login")
        page.evaluate("document.querySelector('label').replaceWith(document.createElement('input'))")
        assert any(one.startswith("label") for one in violations(page, RULES))
