"""A small web application: it lets in whom it knows, keeps a cart, and breaks where it's told to."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

PASSWORD = "s3same/öffne+dich"
TOKEN = "tok-0123456789"
SESSION = "sess-abcdef0123"


@dataclass
class Application:
    url: str
    requests: list[str] = field(default_factory=list)
    """Method and path of each, in order."""
    told: list[str] = field(default_factory=list)
    """Authorization, cookies and body of each, whatever it had."""


@contextlib.contextmanager
def application() -> Iterator[Application]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    served = Application(f"http://127.0.0.1:{server.server_port}")
    server.served = served  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        authorization, cookie = self.headers.get("Authorization", ""), self.headers.get("Cookie", "")
        served: Application = self.server.served  # type: ignore[attr-defined]
        if self.path != "/":  # there knocks only who sees who is at home at any door of this machine
            served.requests.append(f"{self.command} {self.path}")
            served.told.append(f"{authorization}|{cookie}|{body}")
        known = authorization == f"Bearer {TOKEN}" or f"session={SESSION}" in cookie
        path = self.path.partition("?")[0]
        if self.command == "OPTIONS":
            self._say(204)
        elif path == "/login" and self.command == "POST":
            self._log_in(body)
        elif path == "/enter":
            self._say(303, location="/cart")
        elif path.startswith("/cart"):
            self._say(*((200, f"total: 3 of {path}") if known else (403, "who are you?")))
        elif path == "/echo":
            self._say(500, f"{body} {self.headers}")
        elif path == "/round":
            self._say(302, location="/round")
        else:
            self._say(404, "no such page")

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = _answer  # noqa: N815 - so it calls them

    def _log_in(self, body: str) -> None:
        said = json.loads(body)
        if said.get("password") != PASSWORD:
            self._say(401, f"not {said.get('password')}")
            return
        self.close_connection = False
        self._say(200, json.dumps({"token": TOKEN, "cart": {"id": 17}}), cookie=f"session={SESSION}; Path=/")

    def _say(self, status: int, body: str = "", *, location: str = "", cookie: str = "") -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if location:
            self.send_header("Location", location)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_words: object) -> None:
        """Nobody reads it."""
