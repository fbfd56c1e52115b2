"""Ghosts of the network and of a program that is there and doesn't serve."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bench.ghosts.ghost import Asked, Catalogue
from tests.beds.deadline import wait_until
from tests.beds.delay import far_away
from tests.beds.firewall import Firewall
from tests.beds.haproxy import haproxy
from tests.beds.mariadb import mariadb
from tests.beds.namespaces import network
from tests.beds.nginx import nginx
from tests.beds.postgres import postgres
from tests.beds.redis import redis
from tests.beds.requirements import require
from tests.beds.server import LOOPBACK, free_port
from tests.checks.strangers import hangs_up, stranger

GHOSTS = Catalogue()


@GHOSTS.ghost("nothing listens", "refused")
@contextmanager
def nothing() -> Iterator[Asked]:
    yield Asked(f"redis://{LOOPBACK}:{free_port()}")


@GHOSTS.ghost("firewall drops", "no-answer")
@contextmanager
def dropped() -> Iterator[Asked]:
    with (
        network("monitor", "server") as (monitor, place),
        place.enter(),
        redis(address=place.ipv4, protected_mode="no") as server,
        Firewall(place).drop(server.port),
        monitor.enter(),
    ):
        yield Asked(server.url, elsewhere=True)


@GHOSTS.ghost("firewall rejects", "refused")
@contextmanager
def rejected() -> Iterator[Asked]:
    with (
        network("monitor", "server") as (monitor, place),
        place.enter(),
        redis(address=place.ipv4, protected_mode="no") as server,
        Firewall(place).reject(server.port),
        monitor.enter(),
    ):
        yield Asked(server.url, elsewhere=True)


@GHOSTS.ghost("bound to another address", "refused")
@contextmanager
def bound_elsewhere() -> Iterator[Asked]:
    with redis() as server:
        yield Asked(f"redis://127.0.0.2:{server.port}")


@GHOSTS.ghost("postgres stopped by a signal", "silent")
@contextmanager
def stopped_postgres() -> Iterator[Asked]:
    with postgres() as server, server.paused():
        yield Asked(server.url)


@GHOSTS.ghost("redis stopped by a signal", "silent")
@contextmanager
def stopped_redis() -> Iterator[Asked]:
    with redis() as server, server.paused():
        yield Asked(server.url)


@GHOSTS.ghost("mariadb stopped by a signal", "silent")
@contextmanager
def stopped_mariadb() -> Iterator[Asked]:
    with mariadb() as server, server.paused():
        yield Asked(server.url)


@GHOSTS.ghost("nginx workers stopped by a signal", "silent")
@contextmanager
def stopped_workers() -> Iterator[Asked]:
    with nginx() as server:
        listed = subprocess.run(
            ["pgrep", "-P", str(server.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        for pid in listed:
            signal.pidfd_send_signal(_open(int(pid)), signal.SIGSTOP)
        try:
            yield Asked(server.url)
        finally:
            for pid in listed:
                signal.pidfd_send_signal(_open(int(pid)), signal.SIGCONT)


def _open(pid: int) -> int:
    import os

    return os.pidfd_open(pid)


@GHOSTS.ghost("listens and never accepts", "silent")
@contextmanager
def never_accepts() -> Iterator[Asked]:
    with stranger(None) as port:
        yield Asked(f"postgres://{LOOPBACK}:{port}")


@GHOSTS.ghost("accept queue full", "no-answer")
@contextmanager
def full_queue() -> Iterator[Asked]:
    with stranger(None, backlog=1) as port:
        waiting = []
        for _ in range(8):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((LOOPBACK, port))
            waiting.append(sock)
        try:
            yield Asked(f"postgres://{LOOPBACK}:{port}")
        finally:
            for sock in waiting:
                sock.close()


@GHOSTS.ghost("accepts and hangs up", "closes")
@contextmanager
def hanging_up() -> Iterator[Asked]:
    with stranger(hangs_up) as port:
        yield Asked(f"postgres://{LOOPBACK}:{port}")


@GHOSTS.ghost("proxy without its backend", "bad-upstream", "closes")
@contextmanager
def dead_backend() -> Iterator[Asked]:
    with haproxy(f"{LOOPBACK}:{free_port()}", mode="tcp") as server:
        yield Asked(f"postgres://{LOOPBACK}:{server.port}", {"timeout": "8s"})


@contextmanager
def _activated(*service: str) -> Iterator[int]:
    """A port that systemd holds for a service, by its own tool for that."""
    program = require("systemd-socket-activate")
    port = free_port()
    held = subprocess.Popen(
        [program, f"--listen={LOOPBACK}:{port}", *service], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert held.stderr is not None
    try:
        while b"Listening on" not in held.stderr.readline():
            pass
        yield port
    finally:
        held.kill()
        held.wait()
        held.stderr.close()


@GHOSTS.ghost("socket activation of a service that fails", "closes")
@contextmanager
def activation_fails() -> Iterator[Asked]:
    with _activated("/bin/false") as port:
        yield Asked(f"redis://{LOOPBACK}:{port}")


@GHOSTS.ghost("socket activation of a service that sleeps", "silent")
@contextmanager
def activation_sleeps() -> Iterator[Asked]:
    with _activated("/bin/sleep", "60") as port:
        yield Asked(f"redis://{LOOPBACK}:{port}")


@GHOSTS.ghost("800 ms away", "slow")
@contextmanager
def far() -> Iterator[Asked]:
    with (
        network("monitor", "server") as (monitor, place),
        place.enter(),
        redis(address=place.ipv4, protected_mode="no") as server,
        far_away(monitor, 0.4),
        monitor.enter(),
    ):
        yield Asked(server.url, {"slow": "500ms", "timeout": "5s"}, elsewhere=True)


@GHOSTS.ghost("nginx reloaded without its port", "refused")
@contextmanager
def reloaded() -> Iterator[Asked]:
    with nginx() as server:
        config = server.folder / "nginx.conf"
        old, new = f"{LOOPBACK}:{server.port}", f"{LOOPBACK}:{free_port()}"
        config.write_text(config.read_text().replace(old, new))
        server.signal(signal.SIGHUP)

        def moved() -> bool:
            with socket.socket() as sock:
                return sock.connect_ex((LOOPBACK, server.port)) != 0

        wait_until(moved, "nginx has left its port")
        yield Asked(f"http://{old}")
