"""NATS."""

import contextlib
from collections.abc import Iterator

from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def nats(
    text: str = "", *, address: str = LOOPBACK, port: int = 0, tls: Credentials | None = None
) -> Iterator[Server]:
    """`text` is more of its configuration: `nats("max_connections: 1")`."""
    program = require("nats-server")

    def configure(server: Server) -> list[str]:
        lines = [f'listen: "{server.host}:{server.port}"', text]
        if tls is not None:
            lines.append(f'tls {{ cert_file: "{tls.certificate}", key_file: "{tls.key}" }}')
        return [program, "-c", str(server.write("nats.conf", lines))]

    with serving("nats", configure, _answers, address=address, port=port) as server:
        yield server


def _answers(server: Server) -> bool:
    """By its own word: a visit would count towards max_connections, longer than it lasts."""
    return "Server is ready" in server.log_since_start()
