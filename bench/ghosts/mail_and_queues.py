"""Ghosts of DNS, mail, file transfer, shells and queues."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from bench.ghosts.ghost import Asked, Catalogue
from tests.beds.bind import bind
from tests.beds.deadline import wait_until
from tests.beds.fake_smtp import fake_smtp
from tests.beds.firewall import Firewall
from tests.beds.namespaces import network
from tests.beds.nats import nats
from tests.beds.postfix import postfix
from tests.beds.rabbitmq import ctl, rabbitmq
from tests.beds.server import LOOPBACK, Server
from tests.beds.sshd import sshd
from tests.beds.unbound import unbound
from tests.beds.vsftpd import vsftpd

GHOSTS = Catalogue()


@GHOSTS.ghost("DNS with a dead forwarder", "error-answer")
@contextmanager
def dead_forwarder() -> Iterator[Asked]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind((LOOPBACK, 0))
        zone = f"""
server:
    local-zone: "dead.test." transparent
forward-zone:
    name: "dead.test."
    forward-addr: {LOOPBACK}@{dead.getsockname()[1]}
"""
        with unbound(zone) as server:
            yield Asked(f"{server.url}/www.dead.test")


@GHOSTS.ghost("DNS says NXDOMAIN", "error-answer", "wrong-answer")
@contextmanager
def no_such_name() -> Iterator[Asked]:
    with bind() as server:
        yield Asked(f"{server.url}/nobody.example.test")


@GHOSTS.ghost("DNS refuses", "error-answer", "blocked")
@contextmanager
def refuses() -> Iterator[Asked]:
    with bind() as server:
        yield Asked(f"{server.url}/www.elsewhere.example")


@GHOSTS.ghost("DNS over TCP dropped while UDP answers", "no-answer")
@contextmanager
def no_tcp() -> Iterator[Asked]:
    with (
        network("monitor", "server") as (monitor, place),
        place.enter(),
        bind(address=place.ipv4) as server,
        Firewall(place).drop(server.port),
        monitor.enter(),
    ):
        yield Asked(f"{server.url}/www.example.test", {"expect": {"tcp": True}}, elsewhere=True)


@GHOSTS.ghost("SMTP 421", "overloaded")
@contextmanager
def busy_mail() -> Iterator[Asked]:
    with fake_smtp(greeting=b"421 4.3.2 too many connections\r\n") as fake:
        yield Asked(fake.url)


@GHOSTS.ghost("SMTP 454 after STARTTLS", "error-answer")
@contextmanager
def no_tls_now() -> Iterator[Asked]:
    replies = {b"STARTTLS": b"454 4.7.0 TLS not available due to local problem\r\n"}
    replies[b"EHLO"] = b"250-fake.example.test\r\n250 STARTTLS\r\n"
    with fake_smtp(replies, scheme="submission") as fake:
        yield Asked(fake.url)


@GHOSTS.ghost("SMTP greeting delayed", "slow")
@contextmanager
def slow_greeting() -> Iterator[Asked]:
    with fake_smtp(delay_s=1.0) as fake:
        yield Asked(fake.url, {"slow": "300ms", "timeout": "8s"})


@GHOSTS.ghost("no STARTTLS on the submission port", "wrong-answer")
@contextmanager
def no_starttls() -> Iterator[Asked]:
    with postfix() as server:
        yield Asked(server.url.replace("smtp://", "submission://"))


@GHOSTS.ghost("RabbitMQ under a memory alarm", "overloaded")
@contextmanager
def memory_alarm() -> Iterator[Asked]:
    with rabbitmq() as server:
        ctl(server, "set_vm_memory_high_watermark", "0.00001")
        alarms = "rabbit_alarm:get_alarms()."
        wait_until(lambda: "memory" in ctl(server, "eval", alarms), "the alarm is raised", timeout_s=30)
        yield Asked(server.url, {"roundtrip": True, "login": {"user": "guest", "password": "guest"}})


@GHOSTS.ghost("sshd at MaxStartups", "overloaded")
@contextmanager
def max_startups() -> Iterator[Asked]:
    with sshd(MaxStartups="1:100:1") as server, _held(server):
        yield Asked(server.url)


@GHOSTS.ghost("vsftpd at max_clients", "overloaded")
@contextmanager
def max_clients() -> Iterator[Asked]:
    with vsftpd(max_clients=1) as server, _held(server):
        yield Asked(server.url)


@GHOSTS.ghost("NATS at max_connections", "overloaded")
@contextmanager
def max_connections() -> Iterator[Asked]:
    with nats("max_connections: 1") as server, _held(server, b"CONNECT {}\r\nPING\r\n"):
        yield Asked(server.url)


@contextmanager
def _held(server: Server, words: bytes = b"") -> Iterator[None]:
    """Another client takes the only place."""
    with socket.create_connection((server.address, server.port), timeout=5) as first:
        first.recv(4096)
        if words:
            first.sendall(words)
            first.recv(4096)
        yield
