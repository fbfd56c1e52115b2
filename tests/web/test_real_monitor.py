"""The pages of a real ``trueup run``, in a real browser, while a real service dies and comes back."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.beds.server import free_port
from tests.cli.monitor import Monitor, monitor
from tests.web.chromium import chromium, reader
from tests.web.setting_up import set_up

CONFIGURATION = """
services:
  door: {{at: "tcp://127.0.0.1:{port}", every: 1s, recover: 1, confirm: {{failures: 2, apart: 100ms}}}}
  guest: {{at: "tcp://127.0.0.1:{port}", needs: [door], every: 1s}}
heartbeats:
  nightly: {{every: 24h, token: a-token-for-the-night}}
status_page: {{title: Example, groups: {{Doors: [door]}}}}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def listener(port: int) -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    found.listen(100)
    return found


def of_door(running: Monitor) -> list[dict[str, Any]]:
    return [one for one in running.incidents() if one["target"] == "door"]


def test_from_the_first_visit_to_the_end_of_an_incident(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    door = listener(port)
    with (
        monitor(tmp_path, CONFIGURATION.format(port=port), settled=False) as running,
        reader(browser, running.url) as page,
    ):
        set_up(running, page, running.url)
        assert running.get("/api/v1/heartbeats/a-token-for-the-night")[0] == 200
        page.goto(running.url)
        expect(page.locator("#sentence")).to_have_text("All 3 are up")
        expect(page.locator("#live")).to_have_text("live")
        door.close()
        expect(page.locator("#t-door")).to_have_class(re.compile("is-down"))
        expect(page.locator("#sentence")).to_contain_text("broken: door")
        running.until(lambda: bool(of_door(running)))
        page.locator("#t-door a").click()
        page.get_by_role("button", name="Look now").click()
        page.get_by_role("button", name="Acknowledge").click()
        page.get_by_text("Silence …").click()
        page.get_by_role("button", name="Silence", exact=True).click()
        expect(page.get_by_text("Silenced by ann")).to_be_visible()
        incident = of_door(running)[0]
        assert incident["acknowledged_by"] == "ann"
        page.goto(f"{running.url}/incidents/{incident['id']}")
        expect(page.locator("main")).to_contain_text("acknowledged by ann")
        expect(page.locator("main")).to_contain_text("guest")
        page.goto(f"{running.url}/status")
        expect(page.get_by_role("heading", level=1)).to_have_text("Something is broken")
        page.goto(f"{running.url}/incidents/{incident['id']}")
        door = listener(port)
        expect(page.locator("main")).to_contain_text("over")
        for path in ("/map", "/machines", "/journeys", "/settings", "/incidents", "/targets/nightly"):
            assert page.goto(running.url + path).status == 200  # type: ignore[union-attr]
        page.goto(f"{running.url}/machines")
        own = page.locator("tr", has_text=f"{running.port} tcp")
        expect(own).to_contain_text("trueup itself")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        door.close()


def test_a_changed_configuration_is_seen_on_open_pages(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with (
        listener(port),
        monitor(tmp_path, CONFIGURATION.format(port=port), settled=False) as running,
        reader(browser, running.url) as page,
    ):
        beside = browser.new_context().new_page()
        for one, path in ((page, "/"), (beside, "/targets/guest")):
            one.goto(running.url + path)
            one.locator("#live.on").wait_for()
        expect(page.locator("#t-guest.is-up")).to_be_visible()
        file = tmp_path / "trueup.yaml"
        file.write_text(re.sub("  guest:.*\n", "", file.read_text()))
        expect(page.locator("#t-guest")).to_have_count(0)
        expect(beside.get_by_role("heading", name="no such target")).to_be_visible()
        file.write_text("services: {door: 5}\n")
        expect(page.locator(".problem")).to_contain_text("The configuration doesn't hold")
        beside.context.close()
