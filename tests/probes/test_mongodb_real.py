"""The MongoDB probe against a real mongod: healthy, and in each state that looks like health."""

import contextlib
import signal
import socket
import ssl
from typing import Any

from cryptography import x509

from tests.beds import wire
from tests.beds.certificates import Authority, Credentials
from tests.beds.deadline import wait_until
from tests.beds.mongod import mongod
from tests.beds.server import Server
from tests.beds.small_disk import small_disk
from tests.probes.performing import look, perform
from tests.probes.test_mongodb import as_array
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.mongodb import PROBE, Expect
from trueup.probes.mongowire import command, parse

PRIMARY, REPLICA = Expect(role="primary"), Expect(role="replica")
LOGIN = Login(Secret("canary-word"), "monitor")


def run(
    server: Server, document: dict[str, Any], array: str = "", tls: ssl.SSLContext | None = None
) -> dict[str, Any]:
    """One command, by hand; the field named ``array`` is one."""
    said = as_array(command(1, document, document.get("$db", "admin")), array.encode())
    with wire.connection(server, tls) as stream:
        stream.settimeout(30)
        stream.sendall(said)
        reply = parse(stream.recv(65536))[0]
    assert reply["ok"], reply
    return reply


def test_healthy(mongod_server: Server) -> None:
    found = look(mongod_server.url)
    assert (found.outcome, found.facts["role"]) == (Outcome.PASS, "primary")
    assert "login" not in found.facts
    assert look(mongod_server.url, expect=PRIMARY).outcome is Outcome.PASS
    assert look(mongod_server.url, expect=REPLICA).cause is Cause.WRONG_ANSWER


def test_a_document_is_written_read_and_deleted(mongod_server: Server) -> None:
    for url in (mongod_server.url, f"{mongod_server.url}/shop"):
        found = look(url, roundtrip=True)
        assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS)
    left = run(mongod_server, {"count": "trueup_probe", "$db": "shop"})
    assert left["n"] == 0


def test_a_collection_for_which_there_is_no_space() -> None:
    with mongod("--directoryperdb") as server, small_disk(server.folder / "data" / "shop", 256) as disk:
        disk.fill()
        found = look(f"{server.url}/shop", roundtrip=True)
        assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.DISK_FULL)
        assert look(server.url).outcome is Outcome.PASS, "without a write it looks well"
        disk.empty()
        assert look(f"{server.url}/shop", roundtrip=True).outcome is Outcome.PASS


def test_writes_that_hang() -> None:
    """As under a backup that never ended (fsyncLock): it answers everything else."""
    with mongod() as server:
        run(server, {"fsync": 1, "lock": True})
        hangs = "it waits for the lock"
        wait_until(lambda: look(server.url, roundtrip=True, timeout_s=1.0).cause is Cause.SLOW, hangs)
        assert look(server.url).outcome is Outcome.PASS, "without a write it looks well"
        run(server, {"fsyncUnlock": 1})
        wait_until(lambda: look(server.url, roundtrip=True).outcome is Outcome.PASS, "it writes again")


def test_over_http_it_gives_itself_away(mongod_server: Server) -> None:
    with socket.create_connection((mongod_server.address, mongod_server.port), timeout=5) as stream:
        stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = stream.recv(4096)
    assert PROBE.recognise(said)


def test_frozen(mongod_server: Server) -> None:
    with mongod_server.paused():
        found = look(mongod_server.url, timeout_s=0.5)
    assert (found.layer, found.cause) == (Layer.SERVICE, Cause.SILENT)


def test_logins() -> None:
    with mongod("--auth", "--setParameter", "authenticationMechanisms=SCRAM-SHA-1,SCRAM-SHA-256") as server:
        user = {"createUser": "monitor", "pwd": "canary-word", "roles": {"0": "root"}}
        run(server, user, "roles")
        bare = look(server.url)
        assert (bare.outcome, bare.facts["login"]) == (Outcome.PASS, "demanded")
        assert "Unauthorized" not in server.log(), "a look must leave no complaint in the log"
        inside = perform(server.url, login=LOGIN, expect=PRIMARY)
        assert inside.answer is not None
        assert (inside.answer.outcome, inside.answer.facts.get("login")) == (Outcome.PASS, None)
        assert b"canary" not in b"".join(said.data for said in inside.said)
        refused = look(server.url, login=Login(Secret("canary-else"), "monitor"))
        assert (refused.cause, refused.facts["code"]) == (Cause.LOGIN_REFUSED, 18)
        assert look(server.url, login=Login(Secret("canary-word"), "nobody")).cause is Cause.LOGIN_REFUSED
        assert look(server.url, roundtrip=True).cause is Cause.LOGIN_REFUSED
        assert look(server.url, login=LOGIN, roundtrip=True).outcome is Outcome.PASS
        assert look(f"{server.url}/elsewhere", login=LOGIN).cause is Cause.LOGIN_REFUSED
        assert look(f"{server.url}/elsewhere?authSource=admin", login=LOGIN).outcome is Outcome.PASS


def test_the_older_way_to_log_in() -> None:
    with mongod("--auth", "--setParameter", "authenticationMechanisms=SCRAM-SHA-1") as server:
        user = {"createUser": "monitor", "pwd": "canary-word", "roles": {"0": "root"}}
        run(server, user, "roles")
        assert look(server.url, login=LOGIN).outcome is Outcome.PASS
        wrong = look(server.url, login=Login(Secret("canary-else"), "monitor"))
        assert wrong.cause is Cause.LOGIN_REFUSED


def test_tls(authority: Authority) -> None:
    with mongod(tls=authority.valid()) as server:
        assert look(server.url).cause is Cause.CLOSES
        assert look(server.url, tls=TlsSettings(ca=str(authority.file))).outcome is Outcome.PASS
        assert look(server.url, tls=TlsSettings()).cause is Cause.TLS_UNTRUSTED


def test_a_certificate_for_a_login(authority: Authority) -> None:
    ours, others = authority.client("probe"), authority.client("stranger")
    subject = x509.load_pem_x509_certificate(ours.certificate.read_bytes()).subject.rfc4514_string()
    with mongod(tls=authority.valid(), clients_of=authority.file) as server:
        user = {"createUser": subject, "roles": {"0": {"role": "readWrite", "db": "shop"}}}
        run(server, {**user, "$db": "$external"}, "roles", wire.unverified())
        server.stop_signal = signal.SIGTERM  # so that it keeps the user
        server.stop()
        server.argv = [*server.argv, "--auth"]
        server.start()
        at = f"{server.url}/shop?authMechanism=MONGODB-X509"

        def with_certificate(of: Credentials) -> TlsSettings:
            return TlsSettings(ca=str(authority.file), cert=str(of.certificate), key=str(of.key))

        assert look(at, tls=with_certificate(ours), roundtrip=True).outcome is Outcome.PASS
        refused = look(at, tls=with_certificate(others), roundtrip=True)
        assert refused.cause is Cause.LOGIN_REFUSED
        bare = look(server.url, tls=with_certificate(ours), roundtrip=True)
        assert bare.cause is Cause.LOGIN_REFUSED, "shown in the handshake alone, it lets nobody in"


def test_no_room() -> None:
    with mongod("--maxConns", "5") as server, contextlib.ExitStack() as sessions:

        def is_full() -> bool:
            sessions.enter_context(socket.create_connection((server.address, server.port), timeout=5))
            return look(server.url).cause is Cause.CLOSES

        wait_until(is_full, "there is no room")


def test_a_replica_set() -> None:
    with (
        mongod("--replSet", "rs") as first,
        mongod("--replSet", "rs") as second,
        mongod("--replSet", "rs") as arbiter,
    ):
        assert look(first.url).cause is Cause.STARTING_UP, "it waits to be initiated"
        members = {
            str(number): {"_id": number, "host": f"127.0.0.1:{server.port}", "priority": 1 - number}
            for number, server in enumerate((first, second))
        }
        members["2"] = {"_id": 2, "host": f"127.0.0.1:{arbiter.port}", "arbiterOnly": True}
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
        run(first, {"replSetInitiate": {"_id": "rs", "members": members, "settings": settings}}, "members")
        wait_until(lambda: look(first.url, expect=PRIMARY).outcome is Outcome.PASS, "it is elected", 30)
        wait_until(lambda: look(second.url, expect=REPLICA).outcome is Outcome.PASS, "it follows", 30)
        assert look(second.url).facts["primary"] == f"127.0.0.1:{first.port}"
        assert look(second.url, expect=PRIMARY).cause is Cause.READ_ONLY
        following = look(second.url, expect=Expect(role="replica", lag_s=30))
        assert (following.outcome, following.facts["lag_s"] < 30) == (Outcome.PASS, True)
        assert look(second.url, roundtrip=True).cause is Cause.READ_ONLY
        assert look(first.url, roundtrip=True).outcome is Outcome.PASS
        run(second, {"fsync": 1, "lock": True})
        near = Expect(role="replica", lag_s=1)

        def is_behind() -> bool:
            assert look(first.url, roundtrip=True).cause in {None, Cause.REPLICATION}
            return look(second.url, expect=near).cause is Cause.REPLICATION

        wait_until(is_behind, "it falls behind while it can't write", 30)
        run(second, {"fsyncUnlock": 1})
        wait_until(lambda: look(second.url, expect=near).outcome is Outcome.PASS, "it catches up", 30)
        with second.paused():
            unconfirmed = look(first.url, roundtrip=True)
            assert (unconfirmed.layer, unconfirmed.cause) == (Layer.SERVICE, Cause.REPLICATION)
            assert look(first.url, expect=PRIMARY).outcome is Outcome.PASS, "without a write it looks well"
        arbiter.stop()
        first.stop()
        wait_until(lambda: look(second.url).cause is Cause.NO_QUORUM, "it has noticed", 30)
