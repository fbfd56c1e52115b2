"""The same ghosts, asked of blackbox_exporter and Monit as their manuals say."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tests.beds.blackbox import blackbox, probe
from tests.beds.monit import failing, monit
from tests.beds.server import Server

MODULES: Final = {
    "http": "http",
    "https": "http",
    "redis": "redis",
    "ssh": "ssh",
    "smtp": "smtp",
    "submission": "smtp",
}
MONIT_PROTOCOLS: Final = {
    "http": "http",
    "https": "https",
    "redis": "redis",
    "ssh": "ssh",
    "smtp": "smtp",
    "submission": "smtp",
    "mysql": "mysql",
    "postgres": "pgsql",
    "memcached": "memcache",
    "dns": "dns",
    "ftp": "ftp",
    "imap": "imap",
    "ws": "websocket",
    "mqtt": "mqtt",
    "ldap": "ldap3",
}


@dataclass(frozen=True, slots=True)
class Peers:
    """Who can be asked; None who isn't installed."""

    exporter: Server | None
    has_monit: bool

    def blackbox_on(self, at: str) -> bool | None:
        """Whether it reports a failure."""
        parts = urlsplit(at)
        if self.exporter is None or parts.port is None or parts.scheme == "dns":
            return None
        module = MODULES.get(parts.scheme, "tcp")
        return not probe(self.exporter, module, at if module == "http" else f"{parts.hostname}:{parts.port}")

    def monit_on(self, at: str) -> bool | None:
        """Whether it reports a failure in its first round."""
        parts = urlsplit(at)
        if not self.has_monit or parts.port is None:
            return None
        kind = "type udp" if parts.scheme == "dns" else "type tcpssl" if parts.scheme == "https" else ""
        protocol = MONIT_PROTOCOLS.get(parts.scheme)
        words = f"protocol {protocol}" if protocol else ""
        check = (
            f"check host ghost with address {parts.hostname}\n"
            f"  if failed port {parts.port} {kind} {words} with timeout 5 seconds then alert"
        )
        with monit(check) as server:
            until_s = time.monotonic() + 20
            while "ghost" not in (said := failing(server)):
                if time.monotonic() > until_s:
                    return None
                time.sleep(0.1)
        return said["ghost"]


@contextmanager
def peers() -> Iterator[Peers]:
    """Those that are installed, running."""
    has_monit = shutil.which("monit") is not None
    if shutil.which("prometheus-blackbox-exporter") is None:
        yield Peers(None, has_monit)
        return
    with blackbox() as exporter:
        yield Peers(exporter, has_monit)
