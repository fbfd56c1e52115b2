"""A receiver of webhooks: keeps what it's told."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """``events`` are the bodies as they came; ``statuses`` the answers to give first, then it's 200.

    ``before_answer`` is called with each event when it has come and nothing is answered yet.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.before_answer: Callable[[dict[str, Any]], None] = lambda _: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                receiver.headers.append(dict(self.headers))
                receiver.events.append(json.loads(body))
                receiver.before_answer(receiver.events[-1])
                with contextlib.suppress(OSError):  # who asked may be gone
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self) -> list[tuple[str, str]]:
        """Target and event of each, in order; a repeat of the same id counts once."""
        seen = {one["id"]: (one["target"], one["event"]) for one in self.events}
        return list(seen.values())

    def wait_for(self, wanted: Callable[[list[tuple[str, str]]], bool], within_s: float = 30.0) -> None:
        """Wait until what was told is as wanted."""
        ends_s = time.monotonic() + within_s
        while not wanted(self.told()):
            assert time.monotonic() < ends_s, f"told so far: {self.events}"
            time.sleep(0.02)


@contextlib.contextmanager
def webhook() -> Iterator[Webhook]:
    """Listening on a port of its own."""
    receiver = Webhook()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.close()
