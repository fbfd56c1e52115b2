"""A real WebSocket server (websockets) that says back what it hears."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.beds.server import LOOPBACK

Handler = Callable[[ServerConnection], None]
Screen = Callable[[ServerConnection, Request], Response | None]


def echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@contextlib.contextmanager
def websocket_server(handler: Handler = echo, *, screen: Screen | None = None) -> Iterator[int]:
    """Its port. `screen` may answer a request before it's upgraded."""
    with serve(handler, LOOPBACK, 0, process_request=screen) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(5)
