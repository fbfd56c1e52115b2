"""Health that looks like failure to some: these must come out ``up``."""

from collections.abc import Iterator
from contextlib import contextmanager

from bench.ghosts.ghost import Asked, Catalogue
from tests.beds.deadline import wait_until
from tests.beds.fake_elasticsearch import fake_elasticsearch
from tests.beds.fake_smtp import fake_smtp
from tests.beds.mariadb import mariadb
from tests.beds.nginx import nginx
from tests.beds.postfix import postfix
from tests.beds.postgres import postgres, sql
from tests.beds.redis import redis
from tests.beds.server import LOOPBACK
from tests.beds.sshd import sshd
from tests.checks.strangers import says, stranger

CONTROLS = Catalogue()
REPLICA = {"expect": {"role": "replica"}}


@CONTROLS.control("redis with a password, none given")
@contextmanager
def guarded_redis() -> Iterator[Asked]:
    with redis(requirepass="sesame") as server:
        yield Asked(server.url)


@CONTROLS.control("postgres without TLS")
@contextmanager
def plain_postgres() -> Iterator[Asked]:
    with postgres(ssl="off") as server:
        yield Asked(server.url)


@CONTROLS.control("postgres with md5")
@contextmanager
def md5_postgres() -> Iterator[Asked]:
    with postgres(hba=["host all all all md5"]) as server:
        yield Asked(server.url)


@CONTROLS.control("postgres with scram")
@contextmanager
def scram_postgres() -> Iterator[Asked]:
    with postgres(hba=["host all all all scram-sha-256"]) as server:
        yield Asked(server.url)


@CONTROLS.control("mariadb that wants a login")
@contextmanager
def guarded_mariadb() -> Iterator[Asked]:
    with mariadb() as server:
        yield Asked(server.url)


@CONTROLS.control("a one-node search cluster that is yellow (fake Elasticsearch)")
@contextmanager
def yellow() -> Iterator[Asked]:
    with fake_elasticsearch() as (server, _):
        yield Asked(server.url.replace("http://", "elasticsearch://"))


@CONTROLS.control("ssh with lines before its banner")
@contextmanager
def talkative_ssh() -> Iterator[Asked]:
    with sshd() as server:
        yield Asked(server.url)


@CONTROLS.control("a 220 of several lines")
@contextmanager
def long_greeting() -> Iterator[Asked]:
    with fake_smtp(greeting=b"220-welcome\r\n220-to this\r\n220 fake.example.test ESMTP\r\n") as fake:
        yield Asked(fake.url)


@CONTROLS.control("a greeting split over many segments")
@contextmanager
def split_greeting() -> Iterator[Asked]:
    with fake_smtp(byte_by_byte=True) as fake:
        yield Asked(fake.url)


@CONTROLS.control("HTTP 401 where it is expected")
@contextmanager
def guarded_page() -> Iterator[Asked]:
    with nginx("location / { return 401; }") as server:
        yield Asked(server.url, {"expect": {"status": 401}})


@CONTROLS.control("a slow start within the timeout")
@contextmanager
def slow_start() -> Iterator[Asked]:
    with fake_smtp(delay_s=1.5) as fake:
        yield Asked(fake.url, {"timeout": "6s"})


@CONTROLS.control("a replica where a replica is expected")
@contextmanager
def replica() -> Iterator[Asked]:
    with postgres() as primary, postgres(standby_of=primary) as standby:
        receives = "select count(*) from pg_stat_wal_receiver"
        wait_until(lambda: sql(standby, receives).strip() == "1", "it streams")
        yield Asked(standby.url, REPLICA)


@CONTROLS.control("postfix as it comes")
@contextmanager
def mail() -> Iterator[Asked]:
    with postfix() as server:
        yield Asked(server.url)


@CONTROLS.control("nobody we know, asked as a bare address")
@contextmanager
def newcomer() -> Iterator[Asked]:
    with stranger(says(b"hello, I am new here\n")) as port:
        yield Asked(f"{LOOPBACK}:{port}")
