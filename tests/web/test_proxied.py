"""Behind a real nginx that speaks TLS, configured as the documents say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.beds import wire
from tests.beds.certificates import Authority
from tests.beds.nginx import nginx
from tests.cli.monitor import Monitor, monitor
from tests.web.chromium import chromium, reader
from tests.web.setting_up import set_up

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "open-the-dashboard.md"
CONFIGURATION = """
services: {door: "tcp://127.0.0.1:1"}
monitor: {trusted_proxies: [127.0.0.1/32]}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def location(running: Monitor) -> str:
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    text: str = block
    assert text.count("127.0.0.1:8642") == 1
    return text.replace("127.0.0.1:8642", f"127.0.0.1:{running.port}")


def test_through_the_proxy_of_the_documents(browser: Browser, authority: Authority, tmp_path: Path) -> None:
    tls = authority.valid()
    with (
        monitor(tmp_path, CONFIGURATION, settled=False) as running,
        nginx(location(running), tls=tls) as proxy,
    ):
        assert running.get("/api/v1/targets")[0] == 200
        assert b" 401 " in wire.say(proxy, b"GET /api/v1/targets HTTP/1.0", b"", tls=wire.unverified()), (
            "who comes by the proxy is nobody at this machine"
        )
        with reader(browser, proxy.url) as page:
            set_up(running, page, proxy.url)
            (cookie,) = [one for one in page.context.cookies() if one["name"] == "trueup_session"]
            assert cookie["secure"]
            page.goto(proxy.url)
            expect(page.locator("#live")).to_have_text("live")
            expect(page.locator("#t-door")).to_have_class(re.compile("is-down"))
