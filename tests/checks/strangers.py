"""Little servers that misbehave in one way each, on a loopback port of their own."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket], None]


@contextlib.contextmanager
def stranger(behave: Behaviour | None, *, backlog: int = 16) -> Iterator[int]:
    """A listener whose every connection is given to ``behave``; None never accepts. Yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        over = threading.Event()
        threads: list[threading.Thread] = []

        def serve() -> None:
            listener.settimeout(0.05)
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = listener.accept()
                    thread = threading.Thread(target=_meet, args=(behave, client))
                    thread.start()
                    threads.append(thread)

        server = threading.Thread(target=serve)
        if behave is not None:
            server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            if behave is not None:
                server.join()
            for thread in threads:
                thread.join()


def _meet(behave: Behaviour | None, client: socket.socket) -> None:
    client.settimeout(5)
    with client, contextlib.suppress(OSError):
        assert behave is not None
        behave(client)


def hangs_up(client: socket.socket) -> None:
    """Accepts and closes."""
    client.close()


def says(words: bytes) -> Behaviour:
    """Greets with ``words`` and listens until the client leaves."""

    def behave(client: socket.socket) -> None:
        client.sendall(words)
        while client.recv(4096):
            pass

    return behave


def listens(client: socket.socket) -> None:
    """Takes everything and says nothing."""
    while client.recv(4096):
        pass
