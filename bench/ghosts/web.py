"""Ghosts of the web, of TLS and of gateways."""

import functools
import http.server
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ghosts.ghost import Asked, Catalogue
from tests.beds.certificates import Authority
from tests.beds.fake_http import fake_http
from tests.beds.grpc_server import NOT_SERVING, grpc_server
from tests.beds.nginx import nginx
from tests.beds.server import LOOPBACK, free_port
from tests.beds.websocket_server import websocket_server
from tests.checks.strangers import listens, stranger

GHOSTS = Catalogue()
CERTIFICATES = {
    "expired": "tls-expired",
    "not_yet_valid": "tls-not-yet-valid",
    "wrong_name": "tls-name-mismatch",
    "self_signed": "tls-untrusted",
    "missing_intermediate": "tls-untrusted",
    "expiring": "tls-expiring",
}


@GHOSTS.ghost("a test server on postgres's port", "wrong-service")
@contextmanager
def test_server() -> Iterator[Asked]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        handler = functools.partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield Asked(f"postgres://{LOOPBACK}:{server.server_port}")
            finally:
                server.shutdown()
                thread.join()


@GHOSTS.ghost("nginx with a dead upstream (502)", "bad-upstream")
@contextmanager
def dead_upstream() -> Iterator[Asked]:
    with nginx(f"location / {{ proxy_pass http://{LOOPBACK}:{free_port()}; }}") as server:
        yield Asked(server.url)


@GHOSTS.ghost("nginx with a silent upstream (504)", "bad-upstream")
@contextmanager
def silent_upstream() -> Iterator[Asked]:
    with fake_http(b"", hold=True) as silent:
        body = f"location / {{ proxy_pass {silent.url}; proxy_read_timeout 200ms; }}"
        with nginx(body) as server:
            yield Asked(server.url)


@GHOSTS.ghost("the welcome page where the shop should be", "wrong-answer")
@contextmanager
def welcome_page() -> Iterator[Asked]:
    with nginx(
        "location / { default_type text/html; return 200 '<title>Welcome to nginx!</title>'; }"
    ) as server:
        yield Asked(server.url, {"expect": {"contains": "Our shop"}})


def _with_certificate(kind: str) -> None:
    @GHOSTS.ghost(f"certificate {kind.replace('_', ' ')}", CERTIFICATES[kind])
    @contextmanager
    def make() -> Iterator[Asked]:
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(Path(folder))
            with nginx(tls=getattr(authority, kind)()) as server:
                yield Asked(server.url, {"tls": {"ca": str(authority.file)}})


for _kind in CERTIFICATES:
    _with_certificate(_kind)


@GHOSTS.ghost("no ServerHello", "silent")
@contextmanager
def no_hello() -> Iterator[Asked]:
    with stranger(listens) as port:
        yield Asked(f"https://{LOOPBACK}:{port}")


@GHOSTS.ghost("plain HTTP where HTTPS is expected", "wrong-service")
@contextmanager
def plain() -> Iterator[Asked]:
    with nginx() as server:
        yield Asked(f"https://{LOOPBACK}:{server.port}")


@GHOSTS.ghost("gRPC health NOT_SERVING", "error-answer")
@contextmanager
def not_serving() -> Iterator[Asked]:
    with grpc_server(NOT_SERVING) as port:
        yield Asked(f"grpc://{LOOPBACK}:{port}")


@GHOSTS.ghost("a proxy that strips the WebSocket upgrade", "wrong-answer")
@contextmanager
def stripped() -> Iterator[Asked]:
    with (
        websocket_server() as port,
        nginx(f"location / {{ proxy_pass http://{LOOPBACK}:{port}; }}") as server,
    ):
        yield Asked(f"ws://{LOOPBACK}:{server.port}")


@GHOSTS.ghost("a body shorter than it says", "error-answer")
@contextmanager
def short_body() -> Iterator[Asked]:
    with fake_http(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it") as dying:
        yield Asked(dying.url)


@GHOSTS.ghost("200 with a database error in it", "wrong-answer")
@contextmanager
def cheerful_error() -> Iterator[Asked]:
    with nginx("location / { return 200 'database error'; }") as server:
        yield Asked(server.url, {"expect": {"contains": "ready"}})
