"""Prometheus's Alertmanager."""

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.beds import wire
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@contextlib.contextmanager
def alertmanager(*, address: str = LOOPBACK, port: int = 0) -> Iterator[Server]:
    """Alone, without a cluster; it tells nobody."""
    program = require("prometheus-alertmanager")

    def configure(server: Server) -> list[str]:
        config = server.write("alertmanager.yml", json.dumps(CONFIG))  # JSON is YAML too
        return [
            program,
            f"--config.file={config}",
            f"--storage.path={server.make_folder('data')}",
            f"--web.listen-address={server.host}:{server.port}",
            "--cluster.listen-address=",
        ]

    with serving("alertmanager", configure, _answers, scheme="http", address=address, port=port) as server:
        yield server


def alerts(server: Server) -> list[dict[str, Any]]:
    """Those that fire. A resolved one is no more among them."""
    with urllib.request.urlopen(f"{server.url}/api/v2/alerts", timeout=10) as reply:
        found: list[dict[str, Any]] = json.load(reply)
        return found


def _answers(server: Server) -> bool:
    return wire.say(server, b"GET /-/ready HTTP/1.0", b"").startswith(b"HTTP/1.0 200")
