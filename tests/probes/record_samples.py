"""Records how healthy servers talk to our probes, for `test_cut_short.py` to cut it at every byte.

    python -m tests.probes.record_samples [NAME...]

A sample is what the peer said, turn by turn, and whether it was asked each time. It needs the beds, as root.
What a server says about itself in it (a version, an identifier) may be another next time; that's no matter.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.beds.dockerd import dockerd
from tests.beds.dovecot import dovecot
from tests.beds.fake_elasticsearch import fake_elasticsearch
from tests.beds.fake_kafka import fake_kafka
from tests.beds.fake_opensearch import fake_opensearch
from tests.beds.fake_solr import fake_solr
from tests.beds.grpc_server import grpc_server
from tests.beds.mariadb import mariadb, sql
from tests.beds.memcached import memcached
from tests.beds.mongod import mongod
from tests.beds.mosquitto import mosquitto
from tests.beds.nats import nats
from tests.beds.nginx import nginx
from tests.beds.postfix import postfix
from tests.beds.postgres import postgres
from tests.beds.rabbitmq import rabbitmq
from tests.beds.redis import redis
from tests.beds.slapd import slapd
from tests.beds.sshd import sshd
from tests.beds.vsftpd import vsftpd
from tests.beds.websocket_server import websocket_server
from tests.probes.performing import perform
from tests.probes.sampled import FOLDER, OPTIONS
from tests.probes.test_hostile import PATHS
from trueup.engine.transcript import Transcript

Spoken = contextlib.AbstractContextManager[str]
"""A server that is up, by its URL."""


def of(bed: Callable[..., Any], *arguments: Any) -> Callable[[], Spoken]:
    """A bed whose server has a URL."""

    @contextlib.contextmanager
    def opened() -> Iterator[str]:
        with bed(*arguments) as server:
            yield (server[0] if isinstance(server, tuple) else server).url

    return opened


def of_port(bed: Callable[..., Any], scheme: str) -> Callable[[], Spoken]:
    """A bed that has a port alone."""

    @contextlib.contextmanager
    def opened() -> Iterator[str]:
        with bed() as port:
            yield f"{scheme}://127.0.0.1:{port if isinstance(port, int) else port[0].port}"

    return opened


@contextlib.contextmanager
def management() -> Iterator[str]:
    with rabbitmq(management=True) as server:
        yield f"rabbitmq://127.0.0.1:{server.ports['management']}"


@contextlib.contextmanager
def docker() -> Iterator[str]:
    with (
        dockerd() as engine,
        nginx(f"location / {{ proxy_pass http://unix:{engine.socket_path}:; }}") as server,
    ):
        yield f"docker://127.0.0.1:{server.port}"


@contextlib.contextmanager
def database() -> Iterator[str]:
    with mariadb() as server:
        sql(server, "create database shop")
        yield server.url


@contextlib.contextmanager
def stub_status() -> Iterator[str]:
    with nginx("location / { stub_status; }") as server:
        yield f"nginx://127.0.0.1:{server.port}/"


SPOKEN: dict[str, Callable[[], Spoken]] = {
    "amqp": of(rabbitmq),
    "docker": docker,
    "elasticsearch": of_port(fake_elasticsearch, "elasticsearch"),
    "ftp": of(vsftpd),
    "grpc": of_port(grpc_server, "grpc"),
    "http": of(nginx),
    "imap": of(dovecot, "imap"),
    "kafka": of(fake_kafka),
    "ldap": of(slapd),
    "memcached": of(memcached),
    "mongodb": of(mongod),
    "mqtt": of(mosquitto),
    "mysql": database,
    "nats": of(nats),
    "nginx": stub_status,
    "opensearch": of_port(fake_opensearch, "opensearch"),
    "pop3": of(dovecot, "pop3"),
    "postgres": of(postgres),
    "rabbitmq": management,
    "redis": of(redis),
    "smtp": of(postfix),
    "solr": of_port(fake_solr, "solr"),
    "ssh": of(sshd),
    "ws": of_port(websocket_server, "ws"),
}


def turns_of(transcript: Transcript) -> list[tuple[bool, str]]:
    """What the peer said between our turns, and whether we had spoken before."""
    turns: list[tuple[bool, bytes]] = []
    asked = fresh = False
    for said in transcript.said:
        if said.who == "us":
            asked = fresh = True
        elif said.who == "peer":
            if fresh or not turns:
                turns.append((asked, b""))
                asked = fresh = False
            turns[-1] = (turns[-1][0], turns[-1][1] + said.data)
    return [(asked, data.hex()) for asked, data in turns]


def record(name: str) -> None:
    with SPOKEN[name]() as url:
        transcript = perform(f"{url}{PATHS.get(name, '')}", **OPTIONS.get(name, {}))
    assert transcript.answer is not None, f"{name}: {transcript.fault}"
    assert transcript.answer.cause is None, f"{name}: {transcript.answer}"
    turns = turns_of(transcript)
    (FOLDER / f"{name}.json").write_text(json.dumps(turns, indent=1) + "\n")
    print(f"{name}: {sum(len(data) // 2 for _, data in turns)} bytes in {len(turns)} turns")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for chosen in sys.argv[1:] or SPOKEN:
        record(chosen)
