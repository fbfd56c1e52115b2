"""OpenSSH's server."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.beds import wire
from tests.beds.deadline import wait_until
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, ROOT, Server, serving


@contextlib.contextmanager
def sshd(
    *, address: str = LOOPBACK, port: int = 0, authorized_keys: Sequence[str] = (), **options: str | int
) -> Iterator[Server]:
    """`MaxStartups="1:100:1"` and the like are options. The keys let in who runs the tests; SFTP is on."""
    program, keygen = require("sshd"), require("ssh-keygen")

    def configure(server: Server) -> list[str]:
        if ROOT:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself up before a login
        key = server.folder / "host_key"
        server.run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        chosen: dict[str, str | int | Path] = {
            "Port": server.port,
            "ListenAddress": server.address,
            "HostKey": key,
            "PidFile": server.folder / "pid",
            "AuthorizedKeysFile": server.write("authorized_keys", authorized_keys),
            "StrictModes": "no",
            "UsePAM": "no",
            "Subsystem": "sftp internal-sftp",
        }
        lines = [f"{name} {value}" for name, value in (chosen | options).items()]
        # Ubuntu 24.04's forgets MaxStartups when it executes itself anew for each connection: -r, don't.
        return [program, "-D", "-r", "-e", "-f", str(server.write("sshd_config", lines))]

    with serving("sshd", configure, _answers, scheme="ssh", address=address, port=port) as server:
        yield server


def _answers(server: Server) -> bool:
    """And the process that answered us is gone: it would count towards the server's limit."""
    answered = wire.greets(server, b"SSH-2.0-")
    return answered and wait_until(lambda: not server.children(), "our own visit has ended")
