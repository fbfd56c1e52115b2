"""Ghosts of SQL servers, caches and document stores."""

import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.ghosts.ghost import Asked, Catalogue
from tests.beds import mariadb as maria
from tests.beds.deadline import wait_until
from tests.beds.mariadb import mariadb, mariadb_with_named_client
from tests.beds.memcached import memcached
from tests.beds.namespaces import network
from tests.beds.nginx import nginx
from tests.beds.postgres import postgres, sql
from tests.beds.redis import redis
from tests.beds.server import LOOPBACK, Server, free_port
from tests.beds.sshd import sshd
from tests.beds.wire import say

GHOSTS = Catalogue()
PRIMARY = {"expect": {"role": "primary"}}


@contextmanager
def session(server: Server, user: str = "postgres") -> Iterator[None]:
    """A client of PostgreSQL that is let in and does nothing."""
    words = f"user\0{user}\0database\0postgres\0\0".encode()
    with socket.create_connection((server.address, server.port), timeout=5) as stream:
        stream.sendall(struct.pack("!II", 8 + len(words), 0x30000) + words)
        heard = b""
        while not heard.endswith(b"Z\0\0\0\x05I"):
            piece = stream.recv(4096)
            assert piece, f"refused: {heard!r}"
            heard += piece
        yield


@GHOSTS.ghost("postgres shuts down and waits for a session", "starting-up")
@contextmanager
def shutting_down() -> Iterator[Asked]:
    with postgres() as server, session(server):
        server.signal(signal.SIGTERM)
        wait_until(lambda: "smart shutdown" in server.log(), "it shuts down")
        yield Asked(server.url)


@GHOSTS.ghost("postgres without room", "overloaded")
@contextmanager
def no_connections() -> Iterator[Asked]:
    with (
        postgres(max_connections=5, superuser_reserved_connections=2, max_wal_senders=0) as server,
        ExitStack() as sessions,
    ):
        for _ in range(5):
            sessions.enter_context(session(server))
        yield Asked(server.url)


@GHOSTS.ghost("postgres standby where a primary is expected", "read-only")
@contextmanager
def standby() -> Iterator[Asked]:
    with postgres() as primary, postgres(standby_of=primary) as replica:
        yield Asked(replica.url, PRIMARY)


@GHOSTS.ghost("postgres replica whose primary died", "replication")
@contextmanager
def orphan() -> Iterator[Asked]:
    with postgres() as primary, postgres(standby_of=primary) as replica:
        receives = "select count(*) from pg_stat_wal_receiver"
        wait_until(lambda: sql(replica, receives).strip() == "1", "it streams")
        primary.stop()
        wait_until(lambda: sql(replica, receives).strip() == "0", "it has noticed")
        yield Asked(replica.url, {"expect": {"role": "replica"}})


@GHOSTS.ghost("postgres refuses this address (pg_hba)", "blocked")
@contextmanager
def refused_by_hba() -> Iterator[Asked]:
    with postgres(hba=["host all all all reject"]) as server:
        yield Asked(server.url)


@GHOSTS.ghost("postgres has no such database", "error-answer")
@contextmanager
def no_database() -> Iterator[Asked]:
    with postgres() as server:
        yield Asked(f"{server.url}/nobodys")


@GHOSTS.ghost("redis on postgres's port", "wrong-service")
@contextmanager
def redis_for_postgres() -> Iterator[Asked]:
    with redis() as server:
        yield Asked(f"postgres://{LOOPBACK}:{server.port}")


@GHOSTS.ghost("nginx on redis's port", "wrong-service")
@contextmanager
def nginx_for_redis() -> Iterator[Asked]:
    with nginx() as server:
        yield Asked(f"redis://{LOOPBACK}:{server.port}")


@GHOSTS.ghost("sshd on mysql's port", "wrong-service")
@contextmanager
def sshd_for_mysql() -> Iterator[Asked]:
    with sshd() as server:
        yield Asked(f"mysql://{LOOPBACK}:{server.port}")


@GHOSTS.ghost("redis loads a large dump", "starting-up")
@contextmanager
def loading() -> Iterator[Asked]:
    with redis(key_load_delay=1000, loading_process_events_interval_bytes=1024) as server:
        say(server, b"DEBUG POPULATE 30000", b"SAVE", b"QUIT")
        server.stop()
        server.start()
        wait_until(lambda: b"LOADING" in say(server, b"PING", b"QUIT"), "it loads")
        yield Asked(server.url)


@GHOSTS.ghost("redis can't persist", "disk-full")
@contextmanager
def cannot_persist() -> Iterator[Asked]:
    with redis(save="3600 1", stop_writes_on_bgsave_error="yes", enable_protected_configs="yes") as server:
        say(server, b"CONFIG SET dir /proc/self", b"SET a b", b"BGSAVE", b"QUIT")
        wait_until(lambda: b"MISCONF" in say(server, b"PING", b"QUIT"), "the save has failed")
        yield Asked(server.url)


@GHOSTS.ghost("redis takes no more clients", "overloaded")
@contextmanager
def no_clients() -> Iterator[Asked]:
    with redis(maxclients=1) as server, socket.create_connection((server.address, server.port)) as only:
        only.sendall(b"PING\r\n")
        only.recv(100)
        yield Asked(server.url)


@GHOSTS.ghost("redis at maxmemory", "overloaded")
@contextmanager
def no_memory() -> Iterator[Asked]:
    with redis(maxmemory="1") as server:
        yield Asked(server.url)


@GHOSTS.ghost("redis replica without its primary", "replication")
@contextmanager
def lonely() -> Iterator[Asked]:
    with redis(replicaof=f"{LOOPBACK} {free_port()}") as server:
        yield Asked(server.url)


@GHOSTS.ghost("redis busy in an endless script", "overloaded")
@contextmanager
def busy() -> Iterator[Asked]:
    with (
        redis(busy_reply_threshold=50) as server,
        socket.create_connection((server.address, server.port)) as stream,
    ):
        stream.sendall(b'EVAL "while true do end" 0\r\n')
        wait_until(lambda: b"BUSY" in say(server, b"PING", b"QUIT"), "the script runs")
        try:
            yield Asked(server.url)
        finally:
            say(server, b"SCRIPT KILL", b"QUIT")


@GHOSTS.ghost("mariadb without room (1040)", "overloaded")
@contextmanager
def too_many() -> Iterator[Asked]:
    with mariadb(max_connections=10) as server, ExitStack() as open_ones:
        while b"Too many connections" not in open_ones.enter_context(_greeted(server))[1]:
            pass
        yield Asked(server.url)


@contextmanager
def _greeted(server: Server) -> Iterator[tuple[socket.socket, bytes]]:
    with socket.create_connection((server.address, server.port), timeout=5) as stream:
        yield stream, stream.recv(4096)


@GHOSTS.ghost("mariadb has blocked this host (1129)", "blocked")
@contextmanager
def blocked() -> Iterator[Asked]:
    with mariadb_with_named_client(max_connect_errors=1) as server:
        maria.sql(server, "create user monitor@'%'")

        def is_blocked() -> bool:
            with _greeted(server) as (_, greeting):
                return b"is blocked because of many connection errors" in greeting

        wait_until(is_blocked, "this host has broken off too often")
        yield Asked(server.url, elsewhere=True)


@GHOSTS.ghost("mariadb lets in nobody from this host (1130)", "blocked")
@contextmanager
def not_let_in() -> Iterator[Asked]:
    with network("db") as (place,):
        place.add_loopback_address("10.9.9.1")
        with place.enter(), mariadb(address="10.9.9.1") as server:
            yield Asked(server.url, elsewhere=True)


@GHOSTS.ghost("mariadb is read-only", "read-only")
@contextmanager
def read_only() -> Iterator[Asked]:
    with mariadb(read_only=1) as server:
        maria.sql(
            server, "create user monitor@'127.0.0.1'; grant replica monitor on *.* to monitor@'127.0.0.1'"
        )
        yield Asked(server.url, PRIMARY | {"login": {"user": "monitor", "password": ""}})


@contextmanager
def _full_memcached(how: str) -> Iterator[Server]:
    """With as many clients as another one had room for: nobody has waited in vain at this one yet."""
    options = ("-c", "20", "-t", "1", "-o", how)
    with memcached(*options) as another, ExitStack() as clients:
        room = 0
        while _is_let_in(clients.enter_context(_client(another))):
            room += 1
    with memcached(*options) as server, ExitStack() as clients:
        for _ in range(room):
            assert _is_let_in(clients.enter_context(_client(server)))
        yield server


def _client(server: Server) -> socket.socket:
    return socket.create_connection((server.address, server.port), timeout=0.5)


def _is_let_in(stream: socket.socket) -> bool:
    try:
        stream.sendall(b"version\r\n")
        return stream.recv(100).startswith(b"VERSION")
    except OSError:  # a timeout is one
        return False


@GHOSTS.ghost("memcached full, and says so", "overloaded")
@contextmanager
def memcached_full() -> Iterator[Asked]:
    with _full_memcached("maxconns_fast") as server:
        yield Asked(server.url)


@GHOSTS.ghost("memcached full, and silent", "silent")
@contextmanager
def memcached_silent() -> Iterator[Asked]:
    with _full_memcached("no_maxconns_fast") as server:
        yield Asked(server.url)
