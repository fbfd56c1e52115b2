"""Monit: the watcher of one machine that we are measured against."""

import contextlib
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from tests.beds import wire
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, Server, serving


@contextlib.contextmanager
def monit(checks: str, *, every_s: int = 1, address: str = LOOPBACK, port: int = 0) -> Iterator[Server]:
    """`checks` is text of its control file:

    check host cache with address 127.0.0.1
        if failed port 6379 protocol redis with timeout 5 seconds then alert
    """
    program = require("monit")

    def configure(server: Server) -> list[str]:
        config = f"""
set daemon {every_s}
set log {server.folder}/monit.log
set pidfile {server.folder}/pid
set idfile {server.folder}/id
set statefile {server.folder}/state
set httpd port {server.port} and use address {server.address} allow {server.address}
{checks}
"""
        return [program, "-I", "-c", str(server.write("monitrc", config))]

    with serving("monit", configure, _answers, scheme="http", address=address, port=port) as server:
        yield server


def failing(server: Server) -> dict[str, bool]:
    """By the name of each check that was made already: whether it fails. Raises OSError."""
    with urllib.request.urlopen(f"{server.url}/_status?format=xml", timeout=10) as reply:
        document = ET.fromstring(reply.read())
    return {
        service.findtext("name", ""): service.findtext("status") != "0"
        for service in document.iter("service")
        if service.findtext("monitor") == "1"
    }


def _answers(server: Server) -> bool:
    return b" 200 " in wire.say(server, b"GET / HTTP/1.0", b"")[:20]
