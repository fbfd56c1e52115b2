"""A fake forward proxy: it makes tunnels and passes requests on, as squid would."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.beds.server import LOOPBACK

_ASKS = b"HTTP/1.1 407 Who Are You\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
_DEAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@dataclass
class FakeProxy:
    url: str
    password: bytes | None
    """The whole value of Proxy-Authorization that it wants, if it wants one."""
    heads: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def fake_proxy(*, password: bytes | None = None) -> Iterator[FakeProxy]:
    with socket.create_server((LOOPBACK, 0)) as listener:
        proxy = FakeProxy(f"http://{LOOPBACK}:{listener.getsockname()[1]}", password)
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, proxy, over))
        thread.start()
        try:
            yield proxy
        finally:
            over.set()
            thread.join(10)
            assert not thread.is_alive()


def _serve(listener: socket.socket, proxy: FakeProxy, over: threading.Event) -> None:
    listener.settimeout(0.05)
    while not over.is_set():
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            with client:
                client.settimeout(5)
                _pass_on(client, proxy, over)


def _pass_on(client: socket.socket, proxy: FakeProxy, over: threading.Event) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        if not (piece := client.recv(65536)):
            return
        head += piece
    proxy.heads.append(head)
    if proxy.password is not None and b"Proxy-Authorization: " + proxy.password + b"\r\n" not in head:
        client.sendall(_ASKS)
        return
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
    place = urlsplit(f"//{target}" if method == "CONNECT" else target)
    try:
        server = socket.create_connection((place.hostname or "", place.port or 80), timeout=2)
    except OSError:
        client.sendall(_DEAD)
        return
    with server:
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(head.replace(target.encode(), (place.path or "/").encode(), 1))
        _relay(client, server, over)


def _relay(client: socket.socket, server: socket.socket, over: threading.Event) -> None:
    other = {client: server, server: client}
    while not over.is_set():
        for ready in select.select([client, server], [], [], 0.05)[0]:
            if not (piece := ready.recv(65536)):
                return
            other[ready].sendall(piece)
