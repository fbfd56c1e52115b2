"""stunnel: TLS in front of a server that has none."""

import contextlib
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def stunnel(
    to: str, tls: Credentials, text: str = "", *, scheme: str = "tls", address: str = LOOPBACK, port: int = 0
) -> Iterator[Server]:
    """Before `ADDRESS:PORT`. `text` goes into the service's section."""
    program = require("stunnel4")

    def configure(server: Server) -> list[str]:
        config = f"""
foreground = yes
pid =
[door]
accept = {server.address}:{server.port}
connect = {to}
cert = {tls.both}
{text}
"""
        return [program, str(server.write("stunnel.conf", config))]

    with serving("stunnel", configure, _answers, scheme=scheme, address=address, port=port) as server:
        yield server


def _answers(server: Server) -> bool:
    with wire.connection(server, wire.unverified()):
        return True
