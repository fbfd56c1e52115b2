"""Each bed once: the real server answers in its own words, seen by raw sockets."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Literal

import pytest

from tests.beds import mariadb as mariadb_bed
from tests.beds import postgres as postgres_bed
from tests.beds import rabbitmq as rabbitmq_bed
from tests.beds import wire
from tests.beds.bind import bind
from tests.beds.blackbox import blackbox, probe
from tests.beds.certificates import Authority, Credentials
from tests.beds.deadline import wait_until
from tests.beds.dovecot import PASSWORD, USER, dovecot
from tests.beds.haproxy import haproxy
from tests.beds.mariadb import mariadb
from tests.beds.memcached import memcached
from tests.beds.mongod import HELLO, mongod
from tests.beds.monit import failing, monit
from tests.beds.mosquitto import CONNECT, mosquitto
from tests.beds.nats import nats
from tests.beds.nginx import nginx
from tests.beds.postfix import postfix
from tests.beds.postgres import postgres
from tests.beds.rabbitmq import PROTOCOL_HEADER
from tests.beds.redis import redis
from tests.beds.server import Server
from tests.beds.slapd import ANONYMOUS_BIND, SUFFIX, slapd
from tests.beds.sshd import sshd
from tests.beds.stunnel import stunnel
from tests.beds.unbound import unbound
from tests.beds.vsftpd import vsftpd


def test_redis_and_its_directives() -> None:
    with redis(maxclients=1) as server:
        assert wire.say(server, b"PING", b"QUIT") == b"+PONG\r\n+OK\r\n"
        with wire.connection(server) as first:
            first.sendall(b"PING\r\n")
            assert first.recv(100) == b"+PONG\r\n"
            with wire.connection(server) as second:
                assert second.recv(100) == b"-ERR max number of clients reached\r\n"


def test_redis_over_tls_and_ipv6(authority: Authority) -> None:
    with redis(tls=authority.valid(), address="::1") as server:
        assert server.url == f"rediss://[::1]:{server.port}"
        assert wire.say(server, b"PING", b"QUIT", tls=authority.context()) == b"+PONG\r\n+OK\r\n"


def test_nginx() -> None:
    with nginx("location / { return 503 'later'; }") as server:
        reply = wire.say(server, b"GET / HTTP/1.0", b"")
        assert reply.startswith(b"HTTP/1.1 503 ")
        assert reply.endswith(b"later")


def test_nginx_over_tls(authority: Authority) -> None:
    with nginx(tls=authority.valid()) as server:
        assert b"welcome" in wire.say(server, b"GET / HTTP/1.0", b"", tls=authority.context())


def test_postgres(postgres_server: Server) -> None:
    with wire.connection(postgres_server) as stream:
        stream.sendall(postgres_startup("postgres"))
        assert stream.recv(9) == b"R\0\0\0\x08\0\0\0\0", "AuthenticationOk"
    assert postgres_bed.sql(postgres_server, "select 1, 2") == "1|2"


def test_postgres_with_an_address_rejected() -> None:
    with postgres(hba=["host all all all reject"]) as server, wire.connection(server) as stream:
        stream.sendall(postgres_startup("postgres"))
        assert b"C28000\0" in wire.read_all(stream)


def test_postgres_over_tls(authority: Authority) -> None:
    with postgres(tls=authority.valid()) as server, wire.connection(server) as stream:
        stream.sendall(struct.pack("!II", 8, 80877103))
        assert stream.recv(1) == b"S"
        with authority.context().wrap_socket(stream, server_hostname="localhost"):
            pass


def test_a_standby_of_postgres() -> None:
    with postgres() as primary, postgres(standby_of=primary) as standby:
        assert postgres_bed.sql(primary, "select pg_is_in_recovery()") == "f"
        assert postgres_bed.sql(standby, "select pg_is_in_recovery()") == "t"


def postgres_startup(user: str) -> bytes:
    parameters = f"user\0{user}\0\0".encode()
    return struct.pack("!II", 8 + len(parameters), 196608) + parameters


def test_mariadb(mariadb_server: Server) -> None:
    with wire.connection(mariadb_server) as stream:
        assert b"MariaDB" in stream.recv(200)
    assert mariadb_bed.sql(mariadb_server, "select 1, 2") == "1\t2"


def test_mariadb_does_not_count_how_we_looked_whether_it_answers(authority: Authority) -> None:
    with mariadb(max_connect_errors=1, tls=authority.valid()) as server:
        with wire.connection(server) as stream:
            assert stream.recv(5)[4] == 10, "no 1129: its greeting"
        assert mariadb_bed.sql(server, "show variables like 'have_ssl'") == "have_ssl\tYES"


def test_memcached() -> None:
    with memcached() as server:
        assert wire.say(server, b"version", b"quit").startswith(b"VERSION 1.")


def test_sshd() -> None:
    with sshd(MaxStartups="1:100:1") as server, wire.connection(server) as first:
        assert wire.read_until(first, b"\n").startswith(b"SSH-2.0-OpenSSH")
        assert wire.talk(server) == [b"Exceeded MaxStartups\r\n"]


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_haproxy(mode: Literal["http", "tcp"]) -> None:
    with nginx() as behind, haproxy(f"127.0.0.1:{behind.port}", mode=mode) as server:
        assert b"welcome" in wire.say(server, b"GET / HTTP/1.0", b"")


def test_haproxy_before_nobody() -> None:
    with haproxy("127.0.0.1:1") as server:
        assert wire.say(server, b"GET / HTTP/1.0", b"").startswith(b"HTTP/1.1 503 ")


def test_unbound() -> None:
    text = 'server:\n local-data: "more.example.test. 60 IN A 192.0.2.81"\n'
    with unbound(text) as server:
        assert "192.0.2.80" in str(wire.ask_dns(server, "www.example.test").answer)
        assert "192.0.2.81" in str(wire.ask_dns(server, "more.example.test").answer)
        assert wire.ask_dns(server, "none.example.test").rcode() == 3
        assert wire.ask_dns(server, "elsewhere.example").rcode() == 5


def test_bind() -> None:
    with bind() as server:
        assert "2001:db8::80" in str(wire.ask_dns(server, "www.example.test", "AAAA").answer)
        assert wire.ask_dns(server, "none.example.test").rcode() == 3
        assert wire.ask_dns(server, "elsewhere.example").rcode() == 5


def test_nats() -> None:
    with nats("max_connections: 1") as server, wire.connection(server) as first:
        assert wire.read_until(first, b"\n").startswith(b"INFO {")
        first.sendall(b"CONNECT {}\r\nPING\r\n")  # until then it isn't counted
        assert b"PONG\r\n" in wire.read_until(first, b"PONG\r\n")
        assert b"maximum connections exceeded" in wire.say(server)


def test_mosquitto(authority: Authority) -> None:
    with mosquitto() as server, wire.connection(server) as stream:
        stream.sendall(CONNECT)
        assert stream.recv(4) == bytes.fromhex("20020000")
    with (
        mosquitto(["allow_anonymous false"], tls=authority.valid()) as server,
        wire.connection(server, authority.context()) as stream,
    ):
        stream.sendall(CONNECT)
        assert stream.recv(4) == bytes.fromhex("20020005")


def test_slapd(authority: Authority) -> None:
    with slapd() as server, wire.connection(server) as stream:
        stream.sendall(ANONYMOUS_BIND)
        assert stream.recv(100) == bytes.fromhex("300c02010161070a010004000400")
        stream.sendall(search_of_the_root())
        assert SUFFIX.encode() in stream.recv(4096)
    with (
        slapd(tls=authority.valid(), from_the_first_byte=True) as server,
        wire.connection(server, authority.context()) as stream,
    ):
        stream.sendall(ANONYMOUS_BIND)
        assert stream.recv(100)[5] == 0x61


def search_of_the_root() -> bytes:
    """RFC 4511, section 4.5: base object "", filter (objectClass=*), attribute namingContexts."""
    attribute = b"namingContexts"
    request = (
        bytes.fromhex("0400 0a0100 0a0100 020100 020100 010100 870b")
        + b"objectClass"
        + bytes([0x30, len(attribute) + 2, 0x04, len(attribute)])
        + attribute
    )
    message = bytes.fromhex("020102 63") + bytes([len(request)]) + request
    return bytes([0x30, len(message)]) + message


def test_vsftpd() -> None:
    with vsftpd(max_clients=1) as server, wire.connection(server) as first:
        assert wire.read_until(first, b"\n").startswith(b"220 ")
        assert wire.say(server).startswith(b"421 ")


def test_vsftpd_lets_anonymous_users_in(authority: Authority) -> None:
    with vsftpd(tls=authority.valid()) as server:
        answers = wire.talk(server, b"USER anonymous", b"PASS probe@", b"SIZE welcome")
        assert [answer[:3] for answer in answers] == [b"220", b"331", b"230", b"213"]
        assert wire.talk(server, b"AUTH TLS")[1].startswith(b"234 ")


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_dovecot_imap(scheme: Literal["imap", "imaps"], authority: Authority) -> None:
    tls = authority.context() if scheme == "imaps" else None
    with dovecot(scheme, tls=authority.valid()) as server:
        login = f"a LOGIN {USER} {PASSWORD}".encode()
        greeting, answer = wire.talk(server, login, tls=tls)
        assert greeting.startswith(b"* OK ")
        assert answer.startswith(b"a OK ")
        assert (b"STARTTLS" in greeting) == (tls is None)


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
def test_dovecot_pop3(scheme: Literal["pop3", "pop3s"], authority: Authority) -> None:
    tls = authority.context() if scheme == "pop3s" else None
    with dovecot(scheme, tls=authority.valid()) as server:
        answers = wire.talk(server, f"USER {USER}".encode(), f"PASS {PASSWORD}".encode(), tls=tls)
        assert [answer[:3] for answer in answers] == [b"+OK"] * 3


def test_postfix() -> None:
    with postfix() as server:
        answers = wire.talk(server, b"HELO probe", b"MAIL FROM:<>", b"RCPT TO:<a@localhost>", b"RSET")
        assert [answer[:3] for answer in answers] == [b"220", b"250", b"250", b"250", b"250"]


def test_postfix_as_submission_and_from_the_first_byte(authority: Authority) -> None:
    with postfix("submission", tls=authority.valid()) as server:
        assert wire.talk(server, b"HELO probe", b"MAIL FROM:<>")[2].startswith(b"530 ")
        with wire.connection(server) as stream:
            wire.read_until(stream, b"\n")
            stream.sendall(b"STARTTLS\r\n")
            assert stream.recv(100).startswith(b"220 ")
            with authority.context().wrap_socket(stream, server_hostname="localhost"):
                pass
    with postfix("smtps", tls=authority.valid()) as server:
        assert wire.talk(server, tls=authority.context())[0].startswith(b"220 ")


def test_rabbitmq(rabbitmq_server: Server) -> None:
    with wire.connection(rabbitmq_server) as stream:
        stream.sendall(PROTOCOL_HEADER)
        start = stream.recv(1024)
        assert start[0] == 1, "a method frame"
        assert start[7:11] == bytes.fromhex("000a000a"), "Connection.Start"
    with socket.create_connection(("127.0.0.1", rabbitmq_server.ports["management"]), 5) as stream:
        stream.sendall(b"GET /api/overview HTTP/1.0\r\n\r\n")
        assert b" 401 " in stream.recv(1024)
    assert "guest" in rabbitmq_bed.ctl(rabbitmq_server, "list_users")


def test_mongod(mongod_server: Server) -> None:
    with wire.connection(mongod_server) as stream:
        stream.sendall(HELLO)
        assert b"\x08isWritablePrimary\0\x01" in stream.recv(4096)


def test_mongod_over_tls_without_its_set(authority: Authority) -> None:
    with (
        mongod("--replSet", "rs0", tls=authority.valid()) as server,
        wire.connection(server, authority.context()) as stream,
    ):
        stream.sendall(HELLO)
        assert b"\x08isWritablePrimary\0\0" in stream.recv(4096)


def test_stunnel(authority: Authority) -> None:
    with redis() as behind, stunnel(f"127.0.0.1:{behind.port}", authority.valid()) as server:
        assert wire.say(server, b"PING", b"QUIT", tls=authority.context()) == b"+PONG\r\n+OK\r\n"


@pytest.mark.parametrize(
    ("flaw", "complaint"),
    [
        (Authority.valid, None),
        (Authority.through_intermediate, None),
        (Authority.expiring, None),
        (Authority.expired, "certificate has expired"),
        (Authority.not_yet_valid, "certificate is not yet valid"),
        (Authority.wrong_name, "Hostname mismatch"),
        (Authority.self_signed, "self-signed certificate"),
        (Authority.missing_intermediate, "unable to get local issuer certificate"),
    ],
)
def test_certificates(
    authority: Authority, flaw: Callable[[Authority], Credentials], complaint: str | None
) -> None:
    with nginx(tls=flaw(authority)) as server:
        expected = pytest.raises(ssl.SSLCertVerificationError, match=complaint) if complaint else None
        with expected or contextlib.nullcontext():
            assert b"welcome" in wire.say(server, b"GET / HTTP/1.0", b"", tls=authority.context())


def test_a_client_certificate(authority: Authority) -> None:
    demand = (
        f"ssl_client_certificate {authority.file}; ssl_verify_client on; location / {{ return 200 known; }}"
    )
    with nginx(demand, tls=authority.valid()) as server:
        context = authority.context()
        assert b"No required SSL certificate was sent" in wire.say(
            server, b"GET / HTTP/1.0", b"", tls=context
        )
        client = authority.client()
        context.load_cert_chain(client.certificate, client.key)
        assert wire.say(server, b"GET / HTTP/1.0", b"", tls=context).endswith(b"known")


def test_blackbox_exporter() -> None:
    with blackbox() as server, redis() as alive:
        assert probe(server, "redis", f"127.0.0.1:{alive.port}")
        alive.stop()
        assert not probe(server, "redis", f"127.0.0.1:{alive.port}")


def test_monit() -> None:
    with redis() as alive:
        rule = f"if failed port {alive.port} protocol redis then alert"
        with monit(f"check host cache with address 127.0.0.1\n{rule}\n") as server:
            wait_until(lambda: failing(server).get("cache") is False, "it found redis alive")
            alive.stop()
            wait_until(lambda: failing(server)["cache"], "it found redis dead")
