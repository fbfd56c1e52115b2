"""Pictures of the pages for the documents: ``python -m tools.screenshots``, as root for the shop's Postfix.

Opens the example shop, watches it with a real monitor, breaks it, and takes them while it's broken.
"""

import json
import tempfile
import time
from pathlib import Path

from examples.shop.parts import BREAKAGES, PORTS, shop
from examples.shop.start import configuration, say
from tests.beds.server import free_port
from tests.cli.monitor import Monitor, monitor
from tests.web.chromium import DESK, PHONE, chromium, reader

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
BROKEN = "sessions"
PICTURES = {
    "overview": ("/", DESK, "light"),
    "overview-phone": ("/", PHONE, "dark"),
    "target": ("/targets/checkout", DESK, "light"),
    "map": ("/map", DESK, "dark"),
}
PATIENCE_S = 120


def main() -> None:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    ports = {name: free_port() for name in PORTS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with shop(ports, folder, say) as parts, monitor(folder, configuration(ports)) as ran:
            _, breakage = BREAKAGES[BROKEN]
            with breakage(parts):
                _wait_until_it_is_seen(ran)
                _take(ran.url)


def _wait_until_it_is_seen(ran: Monitor) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        states = {name: json.loads(ran.get(f"/api/v1/targets/{name}")[1]) for name in (BROKEN, "checkout")}
        if all(one["state"] == "down" and one["hard"] for one in states.values()):
            return
        time.sleep(0.5)
    raise AssertionError(f"the monitor didn't see it: {states}")


def _take(url: str) -> None:
    with chromium() as browser:
        for name, (path, size, theme) in PICTURES.items():
            with reader(browser, url, size=size, theme=theme) as page:
                page.goto(url + path)
                page.locator("#live.on").wait_for()
                page.screenshot(path=FOLDER / f"{name}.png")
                say(f"took {FOLDER / name}.png")


if __name__ == "__main__":
    main()
