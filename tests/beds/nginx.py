"""nginx."""

import contextlib
import os
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.certificates import Credentials
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def nginx(
    body: str = "location / { return 200 'welcome\\n'; }",
    *,
    http: str = "",
    tls: Credentials | None = None,
    address: str = LOOPBACK,
    port: int = 0,
) -> Iterator[Server]:
    """One server block: `body` is what stands in it, `http` what stands beside it (zones, upstreams)."""
    program = require("nginx")

    def configure(server: Server) -> list[str]:
        # As root the workers stay root: the test's files are nobody else's.
        text = f"""
            {"user root;" if os.geteuid() == 0 else ""}
            daemon off;
            worker_processes 1;
            pid {server.folder}/nginx.pid;
            error_log stderr info;
            events {{}}
            http {{
                access_log off;
                {"".join(f"{kind}_temp_path {server.folder}/{kind};" for kind in _TEMPORARY)}
                {http}
                server {{
                    listen {server.host}:{server.port}{" ssl" if tls else ""};
                    {f"ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key};" if tls else ""}
                    {body}
                }}
            }}
        """
        return [
            program,
            "-e",
            "stderr",
            "-p",
            str(server.folder),
            "-c",
            str(server.write("nginx.conf", text)),
        ]

    def answers(server: Server) -> bool:
        """Malformed on purpose: answered with 400 before any of the test's own rules is asked."""
        return b"400 Bad Request" in wire.say(server, b"?", b"", tls=wire.unverified() if tls else None)

    scheme = "https" if tls else "http"
    with serving("nginx", configure, answers, scheme=scheme, address=address, port=port) as server:
        yield server


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
