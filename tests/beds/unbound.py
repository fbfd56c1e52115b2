"""Unbound, a resolver."""

import contextlib
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def unbound(text: str = "", *, address: str = LOOPBACK, port: int = 0) -> Iterator[Server]:
    """Knows www.example.test (192.0.2.80) and refuses all else: it must never ask the internet.

    `text` comes first and may open sections of its own. A forwarder needs its zone let through:

        server:
            local-zone: "dead.test." transparent
        forward-zone:
            name: "dead.test."
            forward-addr: 127.0.0.1@9
    """
    program = require("unbound")

    def configure(server: Server) -> list[str]:
        config = f"""
{text}
server:
    interface: {server.address}
    port: {server.port}
    access-control: 0.0.0.0/0 allow
    access-control: ::0/0 allow
    username: ""
    chroot: ""
    directory: "{server.folder}"
    pidfile: "{server.folder}/pid"
    use-syslog: no
    module-config: "iterator"
    do-not-query-localhost: no
    local-zone: "." refuse
    local-zone: "example.test." static
    local-data: "www.example.test. 60 IN A 192.0.2.80"
remote-control:
    control-enable: no
"""
        return [program, "-d", "-c", str(server.write("unbound.conf", config))]

    with serving("unbound", configure, wire.answers_dns, scheme="dns", address=address, port=port) as server:
        yield server
