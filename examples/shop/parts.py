"""The parts of the shop, started and stopped, and the ways in which they can be broken.

The servers are those of trueup's own tests (tests/beds), with their configuration.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.beds import wire
from tests.beds.dovecot import dovecot
from tests.beds.nginx import nginx
from tests.beds.postfix import postfix
from tests.beds.postgres import postgres, sql
from tests.beds.rabbitmq import rabbitmq
from tests.beds.redis import redis
from tests.beds.server import Server, serving

PORTS = {
    "web": 23080,
    "app": 23081,
    "db": 23432,
    "sessions": 23379,
    "queue": 23672,
    "outbox": 23025,
    "mailbox": 23143,
}
"""Where each part is, as trueup.yaml has it."""

TABLES = """
create table carts (user_name text, article text, price int);
create table orders (id serial primary key, user_name text, total int);
"""
HERE = Path(__file__).parent


@dataclass
class Shop:
    """All parts, running. ``wrong_prices`` is a file: while it's there, the shop can't add up."""

    web: Server
    app: Server
    db: Server
    sessions: Server
    queue: Server
    outbox: Server
    mailbox: Server
    wrong_prices: Path


@contextlib.contextmanager
def shop(ports: Mapping[str, int], folder: Path, say: Callable[[str], None]) -> Iterator[Shop]:
    """Start all parts, those first that others need."""
    wrong_prices = folder / "wrong-prices"
    with contextlib.ExitStack() as parts:

        def begin(name: str, server: AbstractContextManager[Server]) -> Server:
            running = parts.enter_context(server)
            say(f"{name:9} {running.url}")
            return running

        db = begin("db", postgres(port=ports["db"]))
        sql(db, TABLES)
        sessions = begin("sessions", redis(port=ports["sessions"]))
        queue = begin("queue", rabbitmq(management=True, port=ports["queue"]))
        environment = {
            "SHOP_PORT": str(ports["app"]),
            "SHOP_DB": f"host=127.0.0.1 port={db.port} user=postgres dbname=postgres",
            "SHOP_SESSIONS_PORT": str(sessions.port),
            "SHOP_QUEUE_API_PORT": str(queue.ports["management"]),
            "SHOP_WRONG_PRICES": str(wrong_prices),
        }
        app = begin("app", application(ports["app"], environment))
        proxy = f"location / {{ proxy_pass {app.url}; proxy_read_timeout 10s; }}"
        web = begin("web", nginx(proxy, port=ports["web"]))
        mailbox = begin("mailbox", dovecot(port=ports["mailbox"]))
        outbox = begin("outbox", delivering(ports["outbox"], mailbox))
        yield Shop(web, app, db, sessions, queue, outbox, mailbox, wrong_prices)


def application(port: int, environment: Mapping[str, str]) -> AbstractContextManager[Server]:
    """The shop's own program."""

    def configure(server: Server) -> list[str]:
        server.environment = environment
        return [sys.executable, str(HERE / "application.py")]

    def answers(server: Server) -> bool:
        return b"ready" in wire.say(server, b"GET /healthz HTTP/1.0", b"")

    return serving("shop", configure, answers, scheme="http", port=port)


def delivering(port: int, mailbox: Server) -> AbstractContextManager[Server]:
    """Postfix, which delivers into the folder of Dovecot's only mailbox."""
    return postfix(
        port=port,
        mydestination="",
        virtual_mailbox_domains="localhost",
        virtual_mailbox_base=str(mailbox.folder),
        virtual_mailbox_maps="static:mail/",
        virtual_uid_maps="static:65534",
        virtual_gid_maps="static:65534",
    )


# -- breaking them -----------------------------------------------------------------------------------


@contextlib.contextmanager
def stopped(server: Server) -> Iterator[None]:
    """Ended, and started again on the same data."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def read_only(db: Server) -> Iterator[None]:
    """The database refuses to write, as after a failover."""
    reload = "select pg_reload_conf()"
    sql(db, "alter system set default_transaction_read_only = on")
    sql(db, reload)
    try:
        yield
    finally:
        sql(db, "alter system reset default_transaction_read_only")
        sql(db, reload)


@contextlib.contextmanager
def full(sessions: Server) -> Iterator[None]:
    """Redis has no memory left, and evicts nothing."""
    wire.say(sessions, b"CONFIG SET maxmemory 1", b"QUIT")
    try:
        yield
    finally:
        wire.say(sessions, b"CONFIG SET maxmemory 0", b"QUIT")


@contextlib.contextmanager
def losing_mail(outbox: Server) -> Iterator[None]:
    """The mail server takes every mail and throws it away."""
    config = outbox.folder / "main.cf"
    whole = config.read_text()
    for text in (f"{whole}virtual_transport = discard\n", whole):
        outbox.stop()
        config.write_text(text)
        outbox.start()
        if text != whole:
            try:
                yield
            except BaseException:
                config.write_text(whole)
                raise


@contextlib.contextmanager
def wrong_prices(marker: Path) -> Iterator[None]:
    """Everything runs, and the cart's total is wrong."""
    marker.touch()
    try:
        yield
    finally:
        marker.unlink()


BREAKAGES: dict[str, tuple[str, Callable[[Shop], AbstractContextManager[None]]]] = {
    "web": ("nginx is stopped", lambda shop: stopped(shop.web)),
    "app": ("the application is stopped", lambda shop: stopped(shop.app)),
    "db": ("PostgreSQL is stopped", lambda shop: stopped(shop.db)),
    "read-only": ("PostgreSQL refuses to write", lambda shop: read_only(shop.db)),
    "sessions": ("Redis has no memory left", lambda shop: full(shop.sessions)),
    "queue": ("RabbitMQ is frozen", lambda shop: shop.queue.paused()),
    "outbox": ("Postfix is stopped", lambda shop: stopped(shop.outbox)),
    "mailbox": ("Dovecot is stopped", lambda shop: stopped(shop.mailbox)),
    "lost-mail": ("Postfix takes mail and loses it", lambda shop: losing_mail(shop.outbox)),
    "prices": ("the shop adds up wrongly", lambda shop: wrong_prices(shop.wrong_prices)),
}
"""By name: what is broken then, and how."""
