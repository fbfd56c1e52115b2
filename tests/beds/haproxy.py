"""HAProxy."""

import contextlib
from collections.abc import Iterator
from typing import Literal

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def haproxy(
    backend: str,
    *,
    mode: Literal["tcp", "http"] = "http",
    text: str = "",
    tls: Credentials | None = None,
    address: str = LOOPBACK,
    port: int = 0,
) -> Iterator[Server]:
    """One door to one backend, an `ADDRESS:PORT`. `text` goes into the door's section."""
    program = require("haproxy")

    def configure(server: Server) -> list[str]:
        config = f"""
            defaults
                mode {mode}
                retries 1
                timeout connect 1s
                timeout client 5s
                timeout server 5s
            listen door
                bind {server.address}:{server.port} {f"ssl crt {tls.both}" if tls else ""}
                {text}
                server only {backend}
        \n"""
        return [program, "-db", "-f", str(server.write("haproxy.cfg", config))]

    scheme = ("https" if tls else "http") if mode == "http" else ("tls" if tls else "tcp")
    with serving("haproxy", configure, _answers, scheme=scheme, address=address, port=port) as server:
        yield server


def _answers(server: Server) -> bool:
    """A connection: what it says is the backend's affair."""
    with wire.connection(server):
        return True
