"""The first account of a real monitor, made in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.cli.monitor import Monitor


def set_up(running: Monitor, page: Page, url: str) -> None:
    """By the word that the console shows, at the address by which the browser knows the monitor."""
    assert running.process.stderr is not None
    for line in running.process.stderr:
        match = re.search(r"/setup with (\S+)", line)
        if match is not None:
            break
    else:
        raise AssertionError("no word on the console")
    page.goto(f"{url}/setup")
    page.get_by_label("The word that trueup printed").fill(match[1])
    page.get_by_label("Your name").fill("ann")
    page.get_by_label("A password").fill("a long enough one")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("trueup watches")
