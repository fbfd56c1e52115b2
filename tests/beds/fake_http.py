"""A fake HTTP server: it says what it's told to, byte for byte, for what no real server would say."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.beds.server import LOOPBACK

Reply = bytes | Callable[[bytes], bytes]
"""What it answers, or how it finds that out from the request, its body included."""


@dataclass
class FakeHttp:
    url: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    """In their order."""


@contextlib.contextmanager
def fake_http(reply: Reply, *, hold: bool = False) -> Iterator[FakeHttp]:
    """Reads each request, answers and closes; with `hold` it leaves the connection open."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        fake = FakeHttp(f"http://{LOOPBACK}:{port}", port)
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, reply, fake, over, hold))
        thread.start()
        try:
            yield fake
        finally:
            over.set()
            thread.join(10)
            assert not thread.is_alive()


def _serve(listener: socket.socket, reply: Reply, fake: FakeHttp, over: threading.Event, hold: bool) -> None:
    listener.settimeout(0.05)
    talks = []
    while not over.is_set():
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            talks.append(threading.Thread(target=_talk, args=(peer, reply, fake, over, hold)))
            talks[-1].start()
    for talk in talks:
        talk.join(10)
        assert not talk.is_alive()


def _talk(peer: socket.socket, reply: Reply, fake: FakeHttp, over: threading.Event, hold: bool) -> None:
    with peer, contextlib.suppress(OSError):
        peer.settimeout(2)
        _answer(peer, reply, fake)
        if hold:
            over.wait()


def _answer(peer: socket.socket, reply: Reply, fake: FakeHttp) -> None:
    request = b""
    while (size := _size_of(request)) is None or len(request) < size:
        if not (piece := peer.recv(65536)):
            return
        request += piece
    if b" HTTP/1." not in request.partition(b"\r\n")[0]:
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return
    fake.requests.append(request)
    peer.sendall(reply if isinstance(reply, bytes) else reply(request))


def _size_of(request: bytes) -> int | None:
    head, end, _ = request.partition(b"\r\n\r\n")
    if not end:
        return None
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return len(head) + 4 + (int(length[1]) if length else 0)


def says(status: int, document: object, *heads: str) -> bytes:
    """An answer that is JSON, unless it's bytes already."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} Word", *heads, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def asked(request: bytes) -> tuple[str, str, bytes]:
    """Method, path without its query, and body of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
    return method, target.partition("?")[0], body
