"""MariaDB."""

import contextlib
from collections.abc import Iterator

from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

_SMALL: dict[str, str | int] = {
    "innodb_log_file_size": "4M",
    "innodb_buffer_pool_size": "8M",
    "innodb_flush_log_at_trx_commit": 0,
}


@contextlib.contextmanager
def mariadb(
    *, address: str = LOOPBACK, port: int = 0, tls: Credentials | None = None, **settings: str | int
) -> Iterator[Server]:
    """`max_connections=10` and the like are settings. root has no password; `sql` comes in by unix socket."""
    program, install = require("mariadbd"), require("mariadb-install-db")

    def configure(server: Server) -> list[str]:
        data = f"--datadir={server.folder}/data"
        # One that starts removes the temporary tables of all that share its folder for them.
        spare = f"--tmpdir={server.folder}"
        normal = "--auth-root-authentication-method=normal"
        small = "--innodb-log-file-size=4M"
        server.run(install, "--no-defaults", data, spare, normal, "--skip-test-db", small)
        chosen: dict[str, str | int] = {
            **_SMALL,
            "bind_address": server.address,
            "port": server.port,
            "socket": f"{server.folder}/socket",
            "pid_file": f"{server.folder}/pid",
        }
        if tls is not None:
            own = tls.copied_to(server)
            chosen |= {"ssl_cert": str(own.certificate), "ssl_key": str(own.key)}
        chosen |= settings
        options = [f"--{name}={value}" for name, value in chosen.items()]
        return [program, "--no-defaults", data, spare, *options]

    with serving(
        "mariadb", configure, _answers, scheme="mysql", address=address, port=port, account="mysql"
    ) as server:
        yield server


def sql(server: Server, statement: str) -> str:
    """The answer's rows as lines, columns apart by tabs. Raises ServerFailedError with MariaDB's words."""
    client = ["mariadb", "--no-defaults", f"--socket={server.folder}/socket", "-u", "root", "-N", "-B"]
    return server.run(*client, "-e", statement).rstrip("\n")


def _answers(server: Server) -> bool:
    """By its own word: a visit would count towards max_connections and max_connect_errors."""
    return "ready for connections" in server.log_since_start()
