"""The monitor's own troubles, which must never be blamed on anybody."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from bench.ghosts.ghost import Asked, Catalogue
from tests.beds.namespaces import network
from tests.beds.redis import redis

GHOSTS = Catalogue()


@GHOSTS.ghost("we have no way out", "monitor-offline")
@contextmanager
def offline() -> Iterator[Asked]:
    with network("monitor", "server") as (monitor, _), monitor.enter():
        yield Asked("redis://192.0.2.1", elsewhere=True)


@GHOSTS.ghost("we have no local port left", "monitor-starved")
@contextmanager
def no_ports() -> Iterator[Asked]:
    with network("monitor", "server") as (monitor, place), place.enter(), redis(address=place.ipv4) as server:
        monitor.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=50000 50000")
        with monitor.enter(), socket.create_connection((server.address, server.port)):
            yield Asked(server.url, elsewhere=True)
