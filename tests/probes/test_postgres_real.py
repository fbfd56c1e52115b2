"""The PostgreSQL probe against the real server: healthy, and in each state that looks like health."""

import asyncio
import contextlib
import signal
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.postgres import postgres, sql
from tests.beds.server import Server
from tests.beds.small_disk import small_disk
from tests.probes.performing import look, perform
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.engine.engine import Engine
from trueup.probes.registry import SCHEMES, probe_for
from trueup.probes.sql_expect import SqlExpect

PRIMARY, REPLICA = SqlExpect(role="primary"), SqlExpect(role="replica")
LOGIN = Login(Secret("canary-word"), "monitor")
WRONG = Login(Secret("canary-else"), "monitor")


@contextlib.contextmanager
def session(server: Server, user: str = "postgres") -> Iterator[None]:
    """A client that is let in and does nothing."""
    words = f"user\0{user}\0database\0postgres\0\0".encode()
    with socket.create_connection((server.address, server.port), timeout=5) as stream:
        stream.sendall(struct.pack("!II", 8 + len(words), 0x30000) + words)
        heard = b""
        while not heard.endswith(b"Z\0\0\0\x05I"):
            piece = stream.recv(4096)
            assert piece, f"refused: {heard!r}"
            heard += piece
        yield


def test_healthy(postgres_server: Server) -> None:
    found = look(postgres_server.url)
    assert (found.outcome, found.facts["role"]) == (Outcome.PASS, "primary")
    assert look(postgres_server.url, expect=PRIMARY).outcome is Outcome.PASS
    assert look(postgres_server.url, expect=REPLICA).cause is Cause.WRONG_ANSWER


def test_the_other_name_of_the_scheme(postgres_server: Server) -> None:
    assert look(postgres_server.url.replace("postgres:", "postgresql:")).outcome is Outcome.PASS


def test_a_query(postgres_server: Server) -> None:
    asked: dict[str, Any] = {
        "query": "select n from generate_series(7, 9) n",
        "expect": SqlExpect(rows=3, value=7),
    }
    found = look(postgres_server.url, **asked)
    assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS)
    for statement, cause in {
        "select 1": Cause.WRONG_ANSWER,
        "select nothing": Cause.ERROR_ANSWER,
        "create table trueup_was_here ()": Cause.ERROR_ANSWER,
        "select repeat('x', 2000000)": Cause.WRONG_ANSWER,
        "select repeat('x', 9000) from generate_series(1, 200)": Cause.WRONG_ANSWER,
        "select pg_terminate_backend(pg_backend_pid())": Cause.STARTING_UP,
    }.items():
        assert look(postgres_server.url, **{**asked, "query": statement}).cause is cause, statement
    assert sql(postgres_server, "select count(*) from pg_tables where tablename = 'trueup_was_here'") == "0"


def test_a_query_that_takes_too_long(postgres_server: Server) -> None:
    found = look(postgres_server.url, query="select pg_sleep(3)", timeout_s=0.5)
    assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.SLOW)


def test_nobody_and_nothing_of_that_name(postgres_server: Server) -> None:
    nowhere = look(f"{postgres_server.url}/nosuch")
    assert (nowhere.cause, nowhere.facts["sqlstate"]) == (Cause.ERROR_ANSWER, "3D000")
    assert look(postgres_server.url.replace("//", "//nobody@")).cause is Cause.LOGIN_REFUSED


def test_passwords() -> None:
    # The server's ssl is off: a control that must come out up.
    with postgres(hba=["host md5 all all md5", "host all all all scram-sha-256"]) as server:
        sql(server, "set password_encryption = 'md5'; create role older login password 'canary-word'")
        sql(server, "create role monitor login password 'canary-word'")
        sql(server, "create database md5")
        before = server.log()
        for url, login in {
            server.url: LOGIN,
            f"{server.url}/md5": Login(Secret("canary-word"), "older"),
        }.items():
            bare = look(url)
            assert (bare.outcome, bare.facts["login"]) == (Outcome.PASS, "demanded")
            inside = perform(url, login=login, expect=PRIMARY, query="select 1")
            assert inside.answer is not None
            assert inside.answer.outcome is Outcome.PASS
            assert b"canary" not in b"".join(said.data for said in inside.said)
        assert look(server.url.replace("//", "//monitor:canary-word@")).facts["role"] == "primary"
        assert server.log()[len(before) :] == "", "a look leaves nothing in the log"
        for url in (server.url, f"{server.url}/md5"):
            refused = look(url, login=WRONG)
            assert (refused.cause, refused.facts["sqlstate"]) == (Cause.LOGIN_REFUSED, "28P01")
        assert look(server.url, query="select 1").cause is Cause.LOGIN_REFUSED


def test_a_look_is_over_when_it_is_over(authority: Authority) -> None:
    """It waits for no password, and keeps no place while it says goodbye."""
    count = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
    with postgres(hba=["host all all all scram-sha-256"], tls=authority.valid()) as server:

        async def look_and_count() -> None:
            address = parse_address(server.url, SCHEMES)
            probe = probe_for("postgres")
            async with Engine() as engine:
                for tls in (None, TlsSettings(verify=False)):
                    begun = probe.conversation(probe.options(address, tls=tls))
                    await engine.perform(probe.dial(address, None), begun, 5.0, polite=True)
                deadline_s = time.monotonic() + 0.5  # half of what the engine would linger
                while (counted := await asyncio.to_thread(sql, server, count)) != "1":
                    assert time.monotonic() < deadline_s, f"{counted} sessions"

        before = server.log()
        asyncio.run(look_and_count())
        assert server.log()[len(before) :] == "", "a look leaves nothing in the log"


def test_rules_of_pg_hba(authority: Authority) -> None:
    rules = ["hostssl tls all all trust", "host shut all all reject", "hostssl all all all scram-sha-256"]
    with postgres(hba=rules, tls=authority.valid()) as server:
        sql(server, "create role monitor login password 'canary-word'")
        sql(server, "create database tls")
        through_tls = perform(f"{server.url}/tls")
        assert through_tls.answer is not None
        assert (through_tls.answer.outcome, through_tls.tls_verified) == (Outcome.PASS, False)
        assert look(f"{server.url}/shut").cause is Cause.BLOCKED
        assert look(server.url, login=LOGIN).facts["tls"] == "used"
        trusted = TlsSettings(ca=str(authority.file))
        assert look(server.url, login=LOGIN, tls=trusted).outcome is Outcome.PASS
        assert look(server.url, login=LOGIN, tls=TlsSettings()).cause is Cause.TLS_UNTRUSTED


def test_tls_where_there_is_none(postgres_server: Server) -> None:
    assert look(postgres_server.url, tls=TlsSettings(verify=False)).cause is Cause.WRONG_ANSWER


def test_frozen(postgres_server: Server) -> None:
    with postgres_server.paused():
        found = look(postgres_server.url, timeout_s=0.5)
    assert (found.layer, found.cause) == (Layer.SERVICE, Cause.SILENT)


def test_a_smart_shutdown_waits_for_a_session() -> None:
    with postgres() as server, session(server):
        server.signal(signal.SIGTERM)
        wait_until(lambda: "smart shutdown" in server.log(), "it shuts down")
        found = look(server.url)
        assert (found.cause, found.facts["sqlstate"]) == (Cause.STARTING_UP, "57P03")


def test_no_room() -> None:
    with postgres(max_connections=5, superuser_reserved_connections=2, max_wal_senders=0) as server:
        sql(server, "create role app login")
        with contextlib.ExitStack() as sessions:
            for _ in range(3):
                sessions.enter_context(session(server, "app"))
            reserved = look(server.url)
            assert reserved.cause is Cause.OVERLOADED, "a superuser is let in where the application isn't"
            assert look(server.url.replace("//", "//app@")).facts["sqlstate"] == "53300"
            for _ in range(2):
                sessions.enter_context(session(server))
            full = look(server.url)
            assert (full.cause, full.facts["sqlstate"]) == (Cause.OVERLOADED, "53300")
        wait_until(lambda: look(server.url).outcome is Outcome.PASS, "there is room again")


def test_little_room() -> None:
    with postgres(max_connections=13, superuser_reserved_connections=3, max_wal_senders=0) as server:
        with contextlib.ExitStack() as sessions:
            for _ in range(9):
                sessions.enter_context(session(server))
            found = look(server.url, query="select 1")
            assert found.outcome is Outcome.PASS, "it does what it's asked"
            crowded = look(server.url)
            assert (crowded.outcome, crowded.cause) == (Outcome.SLOW, Cause.OVERLOADED)
        wait_until(lambda: look(server.url).outcome is Outcome.PASS, "there is room again")


ROWS = "select count(*) from trueup_probe"


def test_a_row_is_written_read_and_deleted() -> None:
    with postgres(synchronous_standby_names="nobody", synchronous_commit="local") as server:
        sql(server, "create role monitor login; create role reader login")
        sql(server, "alter role reader set default_transaction_read_only = on")
        for _ in range(2):  # it makes its table, and finds it
            found = look(server.url, roundtrip=True, query="select 1")
            assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS)
        assert sql(server, ROWS) == "0"
        assert "WARNING" not in server.log()
        forbidden = look(server.url.replace("//", "//monitor@"), roundtrip=True)
        assert (forbidden.layer, forbidden.facts["sqlstate"]) == (Layer.FUNCTION, "42501")
        sql(server, "grant select, insert, delete on trueup_probe to monitor, reader")
        for user in ("monitor", "reader"):
            allowed = look(server.url.replace("//", f"//{user}@"), roundtrip=True)
            assert allowed.outcome is Outcome.PASS, "the rights to its table are enough"
        sql(server, "alter database postgres set synchronous_commit = 'on'")
        never = "it waits for a standby that never comes"
        wait_until(lambda: look(server.url, roundtrip=True, timeout_s=0.5).cause is Cause.SLOW, never)
        assert look(server.url).outcome is Outcome.PASS, "without a write it looks well"


def test_a_row_for_which_there_is_no_space() -> None:
    with postgres() as server, small_disk(server.folder / "small") as disk:
        server.own(disk.folder)
        sql(server, f"create tablespace small location '{disk.folder}'")
        sql(server, "create table trueup_probe (word text) tablespace small")
        disk.fill()
        found = look(server.url, roundtrip=True)
        assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.DISK_FULL)
        assert "No space left on device" in found.detail
        assert look(server.url).outcome is Outcome.PASS, "without a write it looks well"
        disk.empty()
        assert look(server.url, roundtrip=True).outcome is Outcome.PASS
        assert sql(server, ROWS) == "0"


def test_a_primary_and_its_replica() -> None:
    with postgres() as primary, postgres(standby_of=primary) as replica:
        wait_until(lambda: look(replica.url).facts.get("receiver"), "it streams")
        expected = look(replica.url, expect=REPLICA)
        assert (expected.outcome, expected.facts["role"]) == (Outcome.PASS, "replica")
        assert look(replica.url, expect=PRIMARY).cause is Cause.READ_ONLY
        assert look(replica.url, roundtrip=True).cause is Cause.READ_ONLY
        assert look(replica.url).outcome is Outcome.PASS
        wait_until(lambda: look(replica.url, expect=SqlExpect(lag_s=30)).cause is None, "it catches up")
        sql(replica, "select pg_wal_replay_pause()")
        sql(primary, "create table behind ()")
        far = SqlExpect(role="replica", lag_s=0.1)
        wait_until(lambda: look(replica.url, expect=far).cause is Cause.REPLICATION, "it falls behind")
        assert look(replica.url, expect=REPLICA).outcome is Outcome.PASS
        primary.stop()
        wait_until(lambda: look(replica.url).cause is Cause.REPLICATION, "it has noticed")
        replica.stop()
        replica.start()
        wait_until(lambda: look(replica.url).cause is Cause.REPLICATION, "it never met its primary")


def test_a_primary_that_refuses_to_write(postgres_server: Server) -> None:
    sql(postgres_server, "create database frozen")
    sql(postgres_server, "alter database frozen set default_transaction_read_only = on")
    assert look(f"{postgres_server.url}/frozen").cause is Cause.READ_ONLY
    assert look(f"{postgres_server.url}/frozen", expect=PRIMARY).cause is Cause.READ_ONLY


def test_a_monitoring_user_who_is_read_only_himself(postgres_server: Server) -> None:
    sql(postgres_server, "create role reader login; alter role reader set default_transaction_read_only = on")
    assert look(postgres_server.url.replace("//", "//reader@"), expect=PRIMARY).outcome is Outcome.PASS
