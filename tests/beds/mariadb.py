"""MariaDB."""

import contextlib
from collections.abc import Iterator

from tests.beds.certificates import Credentials
from tests.beds.namespaces import network
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


@contextlib.contextmanager
def mariadb_with_named_client(*, max_connect_errors: int) -> Iterator[Server]:
    """In a network of its own, where the client's address has a name: no other is ever blocked."""
    with network("db") as (db,):
        db.add_loopback_address("10.9.9.1")
        with db.enter(), mariadb(address="10.9.9.1", max_connect_errors=max_connect_errors) as server:
            hosts = server.write("hosts", "127.0.0.1 localhost\n10.9.9.1 monitor.example.test\n", 0o644)
            server.stop()
            account = ["--reuid", str(server.account), "--regid", str(server.account), "--init-groups"]
            script = 'mount --bind "$0" /etc/hosts; exec setpriv "$@"'
            private = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, str(hosts)]
            server.argv = [*private, *account, *server.argv]
            server.account = None
            server.start()
            yield server


def sql(server: Server, statement: str) -> str:
    """The answer's rows as lines, columns apart by tabs. Raises ServerFailedError with MariaDB's words."""
    client = ["mariadb", "--no-defaults", f"--socket={server.folder}/socket", "-u", "root", "-N", "-B"]
    return server.run(*client, "-e", statement).rstrip("\n")


def _answers(server: Server) -> bool:
    """By its own word: a visit would count towards max_connections and max_connect_errors."""
    return "ready for connections" in server.log_since_start()
