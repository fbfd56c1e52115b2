"""PostgreSQL."""

import contextlib
import signal
from collections.abc import Iterator, Sequence

from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

TRUST_ALL = ("host all all all trust", "host replication all all trust")


@contextlib.contextmanager
def postgres(
    *,
    address: str = LOOPBACK,
    port: int = 0,
    tls: Credentials | None = None,
    hba: Sequence[str] = TRUST_ALL,
    standby_of: Server | None = None,
    **settings: str | int,
) -> Iterator[Server]:
    """`max_connections=5` and the like are settings; `hba` the lines for TCP clients of pg_hba.conf.

    The unix socket in its folder always lets `sql` in. `standby_of` copies another server and follows it.
    """
    program = require("postgres")
    initdb, basebackup = require("initdb"), require("pg_basebackup")

    def configure(server: Server) -> list[str]:
        data = server.folder / "data"
        if standby_of is None:
            server.run(initdb, "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        else:
            source = ["-h", standby_of.address, "-p", str(standby_of.port), "-U", "postgres"]
            server.run(
                basebackup, *source, "-D", str(data), "--write-recovery-conf", "--no-sync", "-c", "fast"
            )
        server.write("data/pg_hba.conf", ["local all all trust", "local replication all trust", *hba])
        chosen: dict[str, str | int] = {
            "listen_addresses": server.address,
            "port": server.port,
            "unix_socket_directories": str(server.folder),
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        if tls is not None:
            own = tls.copied_to(server)
            chosen |= {"ssl": "on", "ssl_cert_file": str(own.certificate), "ssl_key_file": str(own.key)}
        chosen |= settings
        return [program, "-D", str(data), *(f"--{name}={value}" for name, value in chosen.items())]

    with serving(
        "postgres",
        configure,
        _answers,
        address=address,
        port=port,
        account="postgres",
        stop_signal=signal.SIGINT,  # a fast shutdown: sessions are ended, not waited for
    ) as server:
        yield server


def sql(server: Server, statement: str, database: str = "postgres", user: str = "postgres") -> str:
    """The answer's rows as lines, columns apart by `|`. Raises ServerFailedError with PostgreSQL's words."""
    where = ["-h", str(server.folder), "-p", str(server.port), "-U", user, "-d", database]
    psql = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"]
    return server.run(*psql, *where, "-c", statement).rstrip("\n")


def _answers(server: Server) -> bool:
    """By its own word: a visit counts towards max_connections, and one too early is logged as FATAL."""
    said = server.log_since_start()
    return "ready to accept connections" in said or "ready to accept read-only connections" in said
