"""Prometheus's blackbox_exporter: the prober that we are measured against."""

import contextlib
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping

from tests.beds import wire
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

MODULES: Mapping[str, object] = {
    "tcp": {"prober": "tcp", "timeout": "5s"},
    "tls": {"prober": "tcp", "timeout": "5s", "tcp": {"tls": True}},
    "http": {"prober": "http", "timeout": "5s", "http": {"preferred_ip_protocol": "ip4"}},
    "redis": {
        "prober": "tcp",
        "timeout": "5s",
        "tcp": {"query_response": [{"send": "PING"}, {"expect": r"^\+PONG"}]},
    },
    "ssh": {"prober": "tcp", "timeout": "5s", "tcp": {"query_response": [{"expect": "^SSH-2.0-"}]}},
    "smtp": {"prober": "tcp", "timeout": "5s", "tcp": {"query_response": [{"expect": "^220 "}]}},
}
"""Those of its example configuration and manual, for the services that they know."""


@contextlib.contextmanager
def blackbox(
    modules: Mapping[str, object] = MODULES, *, address: str = LOOPBACK, port: int = 0
) -> Iterator[Server]:
    program = require("prometheus-blackbox-exporter")

    def configure(server: Server) -> list[str]:
        config = server.write("blackbox.yml", json.dumps({"modules": modules}))  # JSON is YAML too
        return [program, f"--config.file={config}", f"--web.listen-address={server.host}:{server.port}"]

    with serving("blackbox", configure, _answers, scheme="http", address=address, port=port) as server:
        yield server


def probe(server: Server, module: str, target: str) -> bool:
    """What it says of the target: success or not. Raises OSError when it gives no answer itself."""
    query = urllib.parse.urlencode({"module": module, "target": target})
    with urllib.request.urlopen(f"{server.url}/probe?{query}", timeout=30) as reply:
        return b"\nprobe_success 1\n" in reply.read()


def _answers(server: Server) -> bool:
    return wire.say(server, b"GET /-/healthy HTTP/1.0", b"").startswith(b"HTTP/1.0 200")
