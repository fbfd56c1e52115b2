"""BIND, an authoritative name server."""

import contextlib
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

ZONE = """$TTL 60
@       IN SOA  ns.example.test. hostmaster.example.test. 1 3600 600 86400 60
        IN NS   ns.example.test.
ns      IN A    127.0.0.1
www     IN A    192.0.2.80
        IN AAAA 2001:db8::80
alias   IN CNAME www
@       IN MX   10 www
"""


@contextlib.contextmanager
def bind(
    options: str = "recursion no;",
    zones: str = "",
    *,
    zone: str = ZONE,
    address: str = LOOPBACK,
    port: int = 0,
) -> Iterator[Server]:
    """Has the zone example.test, which is `zone`. `options` and `zones` are text of its configuration."""
    program = require("named")

    def configure(server: Server) -> list[str]:
        server.write("example.test.zone", zone)
        ipv4, ipv6 = (server.address, "none") if ":" not in server.address else ("none", server.address)
        config = f"""
            options {{
                directory "{server.folder}";
                pid-file "{server.folder}/pid";
                session-keyfile "{server.folder}/session.key";
                managed-keys-directory "{server.folder}";
                listen-on port {server.port} {{ {ipv4}; }};
                listen-on-v6 port {server.port} {{ {ipv6}; }};
                dnssec-validation no;
                empty-zones-enable no;
                notify no;
                {options}
            }};
            controls {{}};
            zone "." {{ type hint; file "/dev/null"; }};
            zone "example.test" {{ type primary; file "example.test.zone"; }};
            {zones}
        """
        return [program, "-g", "-n", "1", "-c", str(server.write("named.conf", config))]

    with serving(
        "bind", configure, wire.answers_dns, scheme="dns", address=address, port=port, account="bind"
    ) as server:
        yield server
