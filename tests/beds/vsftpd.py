"""vsftpd."""

import contextlib
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.deadline import wait_until
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, ROOT, Server, serving


@contextlib.contextmanager
def vsftpd(
    *, address: str = LOOPBACK, port: int = 0, tls: Credentials | None = None, **directives: str | int
) -> Iterator[Server]:
    """`max_clients=1` and the like are directives. Anonymous users find a file named `welcome`."""
    program = require("vsftpd")

    def configure(server: Server) -> list[str]:
        files = server.make_folder("files")
        (files / "welcome").write_text("welcome\n")
        files.chmod(0o555)  # it refuses a folder that an anonymous user could write to
        chosen: dict[str, str | int] = {
            "listen": "YES",
            ("listen_address6" if ":" in server.address else "listen_address"): server.address,
            "listen_port": server.port,
            "background": "NO",
            "anonymous_enable": "YES",
            "anon_root": str(files),
            "secure_chroot_dir": str(files),
            "seccomp_sandbox": "NO",
            "xferlog_enable": "NO",
        }
        if ":" in server.address:
            chosen |= {"listen": "NO", "listen_ipv6": "YES"}
        if not ROOT:
            chosen["run_as_launching_user"] = "YES"
        if tls is not None:
            chosen |= {"ssl_enable": "YES", "rsa_cert_file": str(tls.certificate)}
            chosen |= {"rsa_private_key_file": str(tls.key), "allow_anon_ssl": "YES"}
        lines = [f"{name}={value}" for name, value in (chosen | directives).items()]
        return [program, str(server.write("vsftpd.conf", lines))]

    with serving("vsftpd", configure, _answers, scheme="ftp", address=address, port=port) as server:
        yield server


def _answers(server: Server) -> bool:
    """And the process that answered us is gone: it would count towards the server's limit."""
    answered = wire.greets(server, b"220 ")
    return answered and wait_until(lambda: not server.children(), "our own visit has ended")
