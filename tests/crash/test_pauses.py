"""Stopped as a whole and let go on: nobody is blamed, nothing is lost, and nothing comes in a burst."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.crash.crowd import crowd
from tests.crash.victim import TARGET, Victim, victim

STOPPED_S = 120.0 if os.environ.get("TRUEUP_CRASHES") else 7.0
"""Longer than the monitor takes for a busy moment."""
OTHERS = 40


class Slow(BaseHTTPRequestHandler):
    """Answers after half of the time between two looks: often one is under way."""

    def do_GET(self) -> None:
        time.sleep(0.5)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def slow() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def stopped(monitor: Victim) -> Iterator[None]:
    """For as long as it says above; what is in the block happens meanwhile."""
    assert monitor.process is not None
    monitor.process.send_signal(signal.SIGSTOP)
    try:
        ends_s = time.monotonic() + STOPPED_S
        yield
        time.sleep(max(0.0, ends_s - time.monotonic()))
    finally:
        monitor.process.send_signal(signal.SIGCONT)


def followed(monitor: Victim, heard: list[dict[str, Any]]) -> None:
    """Hear its events, in a thread of its own, until it ends."""

    def follow() -> None:
        try:
            with urlopen(f"http://127.0.0.1:{monitor.port}/api/v1/events") as stream:
                heard.append({"type": "connected"})
                for line in stream:
                    if line.startswith(b"data:"):
                        heard.append(json.loads(line.removeprefix(b"data:")))  # noqa: PERF401 - it's read while it grows
        except OSError:
            pass

    threading.Thread(target=follow, daemon=True).start()
    monitor.until(lambda: bool(heard), "heard")


def test_stopped_for_a_while_during_outages(tmp_path: Path) -> None:
    """One ends and another begins meanwhile; all others are well all the time."""
    with victim(tmp_path) as monitor, crowd(OTHERS) as others, crowd(1, "127.78") as dying, slow() as url:
        monitor.others = others.targets("well") | dying.targets("dying") | {"slow": url}
        monitor.configure()
        monitor.start()
        monitor.until(lambda: monitor.are_up(TARGET, "slow", "dying-0", *others.targets("well")), "up")
        heard: list[dict[str, Any]] = []
        followed(monitor, heard)
        monitor.service.stop()
        monitor.until(monitor.has_told("opened"), "told that it's down")
        with stopped(monitor):
            monitor.service.listen()
            dying.stop()
        went_on_s = time.monotonic()
        monitor.until(lambda: monitor.told_of(TARGET) == ["opened", "closed"], "told that one is up")
        monitor.until(lambda: monitor.told_of("dying-0") == ["opened"], "told that another is down")
        looked_s = time.monotonic() - went_on_s
        asked = others.asked_since(went_on_s)
        monitor.until(lambda: all(others.asked_since(went_on_s)[one] for one in others.addresses), "seen")
        dying.listen()
        monitor.until(lambda: monitor.told_of("dying-0") == ["opened", "closed"], "told that it's up")
        assert {one["target"] for one in monitor.receiver.came} == {TARGET, "dying-0"}
        assert monitor.receiver.repeats() == []
    # Once a second, once for the first look after the pause, and once for a look that it cut off.
    assert max(asked.values()) <= looked_s + 3
    said = [one["summary"] for one in heard if one["type"] == "target" and one["state"] == "unknown"]
    assert any("the monitor was stopped for" in words for words in said), said
    downs = {one["name"] for one in heard if one["type"] == "target" and one["state"] == "down"}
    assert downs <= {TARGET, "dying-0"}
