"""A fake SMTP server: it says what it's told to, for what no real server can be made to say.

with fake_smtp(greeting=b"421 4.3.2 shutting down\r\n") as server: ...
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.beds.server import LOOPBACK

HEALTHY = {
    b"EHLO": b"250-fake.example.test\r\n250 8BITMIME\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}


@dataclass
class FakeSmtp:
    url: str
    commands: list[bytes] = field(default_factory=list)
    """What clients said, line by line; what came before the greeting too."""


@contextlib.contextmanager
def fake_smtp(
    replies: Mapping[bytes, bytes] | None = None,
    *,
    greeting: bytes = b"220 fake.example.test ESMTP\r\n",
    delay_s: float = 0,
    byte_by_byte: bool = False,
    scheme: str = "smtp",
) -> Iterator[FakeSmtp]:
    """`replies` by their command's first word, besides the healthy ones; to others it says 502.

    It closes after QUIT, and after what begins with 421 or 554. `delay_s` comes before the greeting.
    """
    with socket.create_server((LOOPBACK, 0)) as listener:
        fake = FakeSmtp(f"{scheme}://{LOOPBACK}:{listener.getsockname()[1]}")
        over = threading.Event()
        says = {**HEALTHY, **(replies or {})}

        def say(peer: socket.socket, words: bytes) -> bool:
            """Whether it stays afterwards."""
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in (
                [words[place : place + 1] for place in range(len(words))] if byte_by_byte else [words]
            ):
                peer.sendall(piece)
                if byte_by_byte:
                    time.sleep(0.0002)  # so that each is a segment of its own
            return words[:3] not in {b"421", b"554", b"221"}

        def serve(peer: socket.socket) -> None:
            if delay_s:
                over.wait(delay_s)
            if not say(peer, greeting):
                return
            for line in peer.makefile("rb"):
                fake.commands.append(line)
                verb = line.split()[:1] or [b""]
                if not say(peer, says.get(verb[0].upper(), b"502 5.5.2 what?\r\n")):
                    return

        thread = threading.Thread(target=_accept, args=(listener, serve, over))
        thread.start()
        try:
            yield fake
        finally:
            over.set()
            thread.join(10)
            assert not thread.is_alive()


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None], over: threading.Event) -> None:
    """One client after the other: a look opens one connection."""
    listener.settimeout(0.05)
    while not over.is_set():
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            peer.settimeout(5)
            with peer:
                serve(peer)
