"""Redis."""

import contextlib
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def redis(
    *, address: str = LOOPBACK, port: int = 0, tls: Credentials | None = None, **directives: str | int
) -> Iterator[Server]:
    """`maxclients=1` becomes the directive `maxclients 1`; `min_replicas_to_write=1` is spelt with dashes."""
    program = require("redis-server")
    settings: dict[str, str | int] = {"save": "''", "appendonly": "no", "enable-debug-command": "local"}
    settings |= {name.replace("_", "-"): value for name, value in directives.items()}

    def configure(server: Server) -> list[str]:
        settings.update(bind=server.address, dir=str(server.folder), port=server.port)
        if tls is not None:
            settings.update({"port": 0, "tls-port": server.port, "tls-auth-clients": "no"})
            settings.update({"tls-cert-file": str(tls.certificate), "tls-key-file": str(tls.key)})
        lines = [f"{name} {value}" for name, value in settings.items()]
        return [program, str(server.write("redis.conf", lines))]

    def answers(server: Server) -> bool:
        """Loading, or asking for a password, is an answer too. QUIT, so that no client is left to count."""
        context = wire.unverified() if tls else None
        return wire.say(server, b"PING", b"QUIT", tls=context)[:1] in (b"+", b"-")

    scheme = "redis" if tls is None else "rediss"
    with serving("redis", configure, answers, scheme=scheme, address=address, port=port) as server:
        yield server
