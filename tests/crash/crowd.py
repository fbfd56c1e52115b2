"""Many services at once: the addresses of a whole network on one port, which live and die together."""

import contextlib
import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import cast

from tests.beds.server import free_port


class Crowd:
    """Listens for all ``addresses``, and counts who is asked; ``listen`` before anybody asks.

    Where they are, the kernel takes every address of their network for its own, as it does 127.0.0.0/8.
    """

    def __init__(self, addresses: Sequence[str], *, port: int | None = None, silent_s: float = 0.0) -> None:
        """``silent_s``: how long each takes to answer."""
        self.addresses = tuple(addresses)
        self.silent_s = silent_s
        self.port = port or free_port()
        self.asked: list[tuple[str, float]] = []
        """The address, and when on the monotonic clock, of each connection."""
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def targets(self, stem: str, scheme: str = "tcp") -> dict[str, str]:
        """Each as a service of a configuration, by its name."""
        return {f"{stem}-{n}": f"{scheme}://{one}:{self.port}" for n, one in enumerate(self.addresses)}

    def asked_since(self, moment_s: float) -> Counter[str]:
        """How often each was asked since then."""
        return Counter(address for address, when_s in list(self.asked) if when_s >= moment_s)

    def listen(self) -> None:
        self._socket = socket.create_server(("", self.port), backlog=4096)
        self._thread = threading.Thread(target=self._accept, args=(self._socket,), daemon=True)
        self._thread.start()

    def _accept(self, listening: socket.socket) -> None:
        """Each is answered in the words of HTTP once it has spoken and its time has come."""
        waiting: deque[tuple[float, socket.socket]] = deque()
        with selectors.DefaultSelector() as ready:
            ready.register(listening, selectors.EVENT_READ)
            with contextlib.suppress(OSError):
                while True:
                    due_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
                    for key, _ in ready.select(due_s):
                        if key.fileobj is listening:
                            connection, _ = listening.accept()
                            self.asked.append((connection.getsockname()[0], time.monotonic()))
                            waiting.append((time.monotonic() + self.silent_s, connection))
                        else:
                            ready.unregister(key.fileobj)
                            _answer(cast("socket.socket", key.fileobj))
                    while waiting and waiting[0][0] <= time.monotonic():
                        ready.register(waiting.popleft()[1], selectors.EVENT_READ)
            left = [cast("socket.socket", key.fileobj) for key in ready.get_map().values()]
        for one in left + [connection for _, connection in waiting]:
            if one is not listening:
                one.close()

    def stop(self) -> None:
        """All of them die."""
        if self._socket is not None and self._thread is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # closing it alone doesn't wake who waits in it
            self._thread.join()
            self._socket.close()
        self._socket = None


def _answer(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        connection.recv(4096)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@contextlib.contextmanager
def crowd(number: int, network: str = "127.77", *, silent_s: float = 0.0) -> Iterator[Crowd]:
    """So many, listening; ``network`` is the first half of their addresses."""
    made = Crowd([f"{network}.{n // 250}.{n % 250 + 1}" for n in range(number)], silent_s=silent_s)
    made.listen()
    try:
        yield made
    finally:
        made.stop()
