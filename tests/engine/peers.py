"""Peers on loopback that do exactly what a test says: a thread for each connection."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Handler = Callable[[socket.socket], None]
"""What a peer does with a connection, which is closed afterwards."""

PATIENCE_S = 10.0


@dataclass
class Peer:
    """`heard` is what came over each connection, `ended` how the client gave it up: "closed" or "reset"."""

    host: str
    port: int
    heard: list[bytearray] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def all_heard(self) -> bytes:
        return b"".join(self.heard)


@contextlib.contextmanager
def peer(
    handler: Handler,
    *,
    family: socket.AddressFamily = socket.AF_INET,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    backlog: int = 128,
) -> Iterator[Peer]:
    """A peer that handles every connection so. With `tls` the handshake comes first."""
    with socket.create_server((host, 0), family=family, backlog=backlog) as listener:
        known = Peer(host, listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not known.stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=_handle, args=(known, handler, connection, tls)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield known
        finally:
            known.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            for thread in [accepting, *threads]:
                thread.join(PATIENCE_S)


def _handle(known: Peer, handler: Handler, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    connection.settimeout(PATIENCE_S)
    with contextlib.suppress(OSError), connection:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection:
            handler(_Listening(known, connection))  # type: ignore[arg-type]  # as far as handlers use it


class _Listening:
    """The socket, with an ear on it."""

    def __init__(self, known: Peer, connection: socket.socket) -> None:
        self._connection = connection
        self._known = known
        self._heard = bytearray()
        known.heard.append(self._heard)

    def recv(self, size: int) -> bytes:
        try:
            data = self._connection.recv(size)
        except ConnectionResetError:
            self._known.ended.append("reset")
            raise
        if not data:
            self._known.ended.append("closed")
        self._heard.extend(data)
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def silent(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    with contextlib.suppress(OSError):
        while connection.recv(65_536):
            pass


def says(*pieces: bytes, then: Handler = silent) -> Handler:
    """Say this unasked, piece by piece."""

    def handle(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        then(connection)

    return handle


def closes(connection: socket.socket) -> None:
    """Hang up at once."""


def resets(connection: socket.socket) -> None:
    """Hang up by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def answers(*replies: bytes, then: Handler = silent) -> Handler:
    """Say each of these in turn, whenever something came."""

    def handle(connection: socket.socket) -> None:
        for reply in replies:
            if not connection.recv(65_536):
                return
            connection.sendall(reply)
        then(connection)

    return handle
