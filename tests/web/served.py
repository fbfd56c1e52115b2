"""The web application on a real port, for a real browser."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

from tests.web.fake_accounts import FakeAccounts
from trueup.web.access import Doorman
from trueup.web.api import application
from trueup.web.shown import Shown


@contextlib.contextmanager
def served(shown: Shown, accounts: FakeAccounts | None = None, **more: Any) -> Iterator[str]:
    """Its URL, while it's served in a thread of its own."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    own = {f"127.0.0.1:{port}", f"localhost:{port}"}
    doorman = Doorman(own.__contains__, accounts or FakeAccounts("viewer", "editor", "admin"))
    app = application(shown, doorman, **more)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    ends_s = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < ends_s, "it doesn't start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
        sock.close()
