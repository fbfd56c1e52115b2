"""The MySQL probe against real MariaDB: healthy, and in each state that looks like health."""

import contextlib
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.mariadb import mariadb, mariadb_with_named_client, sql
from tests.beds.requirements import require
from tests.beds.server import Server, ServerFailedError
from tests.beds.small_disk import small_disk
from tests.probes.fake_mysql_sha2 import fake_mysql_sha2
from tests.probes.performing import look, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.sql_expect import SqlExpect

PRIMARY, REPLICA = SqlExpect(role="primary"), SqlExpect(role="replica")
LOGIN = Login(Secret("canary-word"), "monitor")
WRONG = Login(Secret("canary-else"), "monitor")


def as_root(server: Server) -> str:
    return server.url.replace("//", "//root@")


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


@contextlib.contextmanager
def session(server: Server, user: str) -> Iterator[bytes]:
    """A client that asks to be let in and then does nothing; what it was told in the end."""
    with socket.create_connection((server.address, server.port), timeout=5) as stream:
        heard = stream.recv(4096)
        if heard[4] == 0x0A:
            head = (
                (0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000).to_bytes(4, "little")
                + bytes(4)
                + b"\x2d"
                + bytes(23)
            )
            stream.sendall(packet(1, head + user.encode() + b"\0\0mysql_native_password\0"))
            heard = stream.recv(4096)
        yield heard[4:]


def test_healthy(mariadb_server: Server) -> None:
    bare = look(mariadb_server.url)
    assert (bare.outcome, bare.facts["login"]) == (Outcome.PASS, "demanded")
    assert "MariaDB" in bare.facts["version"]
    inside = look(as_root(mariadb_server), expect=PRIMARY)
    assert (inside.outcome, inside.facts["role"]) == (Outcome.PASS, "primary")
    assert look(as_root(mariadb_server), expect=REPLICA).cause is Cause.WRONG_ANSWER
    assert look(mariadb_server.url.replace("mysql:", "mariadb:")).outcome is Outcome.PASS


def test_a_query(mariadb_server: Server) -> None:
    asked: dict[str, Any] = {"query": "select 7 union all select 8", "expect": SqlExpect(rows=2, value=7)}
    found = look(as_root(mariadb_server), **asked)
    assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS)
    for statement, cause in {
        "select 1": Cause.WRONG_ANSWER,
        "select nothing": Cause.ERROR_ANSWER,
        "create table mysql.trueup_was_here (a int)": Cause.ERROR_ANSWER,
        "update mysql.global_priv set user = 'x'": Cause.ERROR_ANSWER,
        "select repeat('x', 2000000)": Cause.WRONG_ANSWER,
        "kill connection_id()": Cause.ERROR_ANSWER,
        "do 1": Cause.WRONG_ANSWER,
    }.items():
        assert look(as_root(mariadb_server), **{**asked, "query": statement}).cause is cause, statement
    assert sql(mariadb_server, "show tables in mysql like 'trueup%'") == ""


def test_a_query_that_takes_too_long(mariadb_server: Server) -> None:
    found = look(as_root(mariadb_server), query="select sleep(3)", timeout_s=0.5)
    assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.SLOW)


def test_no_such_database(mariadb_server: Server) -> None:
    nowhere = look(f"{as_root(mariadb_server)}/nosuch")
    assert (nowhere.cause, nowhere.facts["code"]) == (Cause.ERROR_ANSWER, 1049)


def test_passwords(authority: Authority) -> None:
    with mariadb(tls=authority.valid()) as server:
        sql(server, "create user monitor@'127.0.0.1' identified by 'canary-word'")
        inside = perform(server.url, login=LOGIN, query="select 1", expect=PRIMARY)
        assert inside.answer is not None
        assert inside.answer.outcome is Outcome.PASS
        assert inside.tls_ms is not None
        assert b"canary" not in b"".join(said.data for said in inside.said)
        refused = look(server.url, login=WRONG)
        assert (refused.cause, refused.facts["code"]) == (Cause.LOGIN_REFUSED, 1045)
        assert look(server.url, query="select 1").cause is Cause.LOGIN_REFUSED
        assert look(server.url, login=LOGIN, expect=REPLICA).cause is Cause.LOGIN_REFUSED, "may not see it"
        trusted = TlsSettings(ca=str(authority.file))
        assert look(server.url, login=LOGIN, tls=trusted).outcome is Outcome.PASS
        assert look(server.url, login=LOGIN, tls=TlsSettings()).cause is Cause.TLS_UNTRUSTED
        assert look(server.url).facts["tls"] == "offered"


def test_the_other_passwords_of_mariadb() -> None:
    with mariadb(plugin_load_add="auth_ed25519") as server:
        sql(server, "create user monitor@'127.0.0.1' identified via ed25519 using password('canary-word')")
        inside = perform(server.url, login=LOGIN, query="select 1")
        assert inside.answer is not None
        assert inside.answer.outcome is Outcome.PASS
        assert b"canary" not in b"".join(said.data for said in inside.said)
        refused = look(server.url, login=WRONG)
        assert (refused.cause, refused.facts["code"]) == (Cause.LOGIN_REFUSED, 1045)


def test_tls_where_there_is_none(mariadb_server: Server) -> None:
    assert look(mariadb_server.url, tls=TlsSettings(verify=False)).cause is Cause.WRONG_ANSWER


def test_frozen(mariadb_server: Server) -> None:
    with mariadb_server.paused():
        found = look(mariadb_server.url, timeout_s=0.5)
    assert (found.layer, found.cause) == (Layer.SERVICE, Cause.SILENT)


def test_no_room() -> None:
    with mariadb(max_connections=10) as server, contextlib.ExitStack() as sessions:
        sql(server, "create user app@'127.0.0.1'")
        while not sessions.enter_context(session(server, "app")).startswith(b"\xff\x10\x04"):
            pass
        wait_until(
            lambda: sql(server, "show status like 'Threads_connected'").endswith("\t11"), "all are there"
        )
        reserved = look(as_root(server))
        assert reserved.cause is Cause.OVERLOADED, "an administrator is let in where the application isn't"
        assert look(server.url.replace("//", "//app@")).facts["code"] == 1040
        with session(server, "root"):
            full = look(server.url)
            assert (full.cause, full.facts["code"]) == (Cause.OVERLOADED, 1040)


def test_a_row_is_written_read_and_deleted() -> None:
    with mariadb(max_connections=10) as server, contextlib.ExitStack() as sessions:
        sql(server, "create database shop; create user monitor@'127.0.0.1'")
        shop = f"{as_root(server)}/shop"
        for _ in range(2):  # it makes its table, and finds it
            found = look(shop, roundtrip=True, query="select 1")
            assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS)
        assert sql(server, "select count(*) from shop.trueup_probe") == "0"
        monitors = shop.replace("root@", "monitor@")
        sql(server, "grant select on shop.* to monitor@'127.0.0.1'")
        forbidden = look(monitors, roundtrip=True)
        assert (forbidden.layer, forbidden.facts["code"]) == (Layer.FUNCTION, 1142)
        sql(server, "grant insert, delete on shop.trueup_probe to monitor@'127.0.0.1'")
        assert look(monitors, roundtrip=True).outcome is Outcome.PASS, "the rights to its table are enough"
        with locked(server, "shop.trueup_probe"):
            wait_until(lambda: look(shop, roundtrip=True, timeout_s=0.5).cause is Cause.SLOW, "it waits")
            assert look(shop).outcome is Outcome.PASS, "without a write it looks well"
        sql(server, "set global read_only = 1")
        assert look(monitors, roundtrip=True).cause is Cause.READ_ONLY
        sql(server, "set global read_only = 0")
        while int(sql(server, "show status like 'Threads_connected'").split()[1]) < 10:
            sessions.enter_context(session(server, "root"))
        crowded = look(as_root(server))
        assert (crowded.outcome, crowded.cause) == (Outcome.SLOW, Cause.OVERLOADED)


def test_a_row_for_which_there_is_no_space() -> None:
    with mariadb(max_heap_table_size=16384) as server:
        table = "create table shop.trueup_probe (word varchar(32) primary key) engine=memory"
        sql(server, f"create database shop; {table}")
        fill = "insert ignore into shop.trueup_probe select md5(seq) from seq_1_to_10000"
        with pytest.raises(ServerFailedError, match="is full"):
            sql(server, f"use shop; {fill}")
        shop = f"{as_root(server)}/shop"
        found = look(shop, roundtrip=True)
        assert (found.layer, found.cause, found.facts["code"]) == (Layer.FUNCTION, Cause.DISK_FULL, 1114)
        assert look(shop).outcome is Outcome.PASS, "without a write it looks well"


def test_a_table_for_which_there_is_no_space() -> None:
    with mariadb() as server, small_disk(server.folder / "data" / "shop") as disk:  # a database is a folder
        server.own(disk.folder)
        disk.fill()
        shop = f"{as_root(server)}/shop"
        found = look(shop, roundtrip=True)
        assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.DISK_FULL)
        assert "No space left on device" in found.detail
        assert look(shop).outcome is Outcome.PASS, "without a write it looks well"
        disk.empty()
        assert look(shop, roundtrip=True).outcome is Outcome.PASS


def test_a_log_for_which_there_is_no_space() -> None:
    """It refuses nothing and waits: whoever writes waits with it."""
    with mariadb() as server, small_disk(server.folder / "small") as disk:
        server.own(disk.folder)
        sql(server, "create database shop")
        server.stop()
        server.argv = [*server.argv, f"--log-bin={disk.folder}/log"]
        server.start()
        shop = f"{as_root(server)}/shop"
        assert look(shop, roundtrip=True).outcome is Outcome.PASS
        disk.fill()  # but for what is left of its log's last page
        wait_until(lambda: look(shop, roundtrip=True, timeout_s=1.0).cause is Cause.SLOW, "it waits")
        assert look(shop).outcome is Outcome.PASS, "without a write it looks well"
        assert "Waiting for someone to free space" in sql(server, "show processlist")
        server.signal(signal.SIGKILL)  # kindly told to end it would wait on


@contextlib.contextmanager
def locked(server: Server, table: str) -> Iterator[None]:
    """A client that keeps a table to itself."""
    client = [
        require("mariadb"),
        "--no-defaults",
        f"--socket={server.folder}/socket",
        "-u",
        "root",
        "-N",
        "-n",
    ]
    with subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(f"lock tables {table} write; select 'locked';\n".encode())
        holder.stdin.flush()
        assert holder.stdout.readline() == b"locked\n"
        yield
        holder.stdin.close()


def test_a_source_and_its_replica() -> None:
    with mariadb(server_id=1, log_bin="binlog") as primary, mariadb(server_id=2, read_only=1) as replica:
        assert look(as_root(replica)).cause is Cause.READ_ONLY
        sql(
            primary,
            "create user follower@'127.0.0.1'; grant replication slave on *.* to follower@'127.0.0.1'",
        )
        sql(
            replica,
            f"change master to master_host='127.0.0.1', master_port={primary.port}, master_user='follower',"
            " master_connect_retry=1, master_use_gtid=slave_pos; start slave",
        )
        wait_until(lambda: look(as_root(replica), expect=REPLICA).outcome is Outcome.PASS, "it follows")
        assert look(as_root(replica)).facts["lag_s"] == 0
        assert look(as_root(replica), expect=PRIMARY).cause is Cause.READ_ONLY
        sql(replica, "stop slave; change master to master_delay=3600; start slave")
        sql(primary, "create database behind")
        far = SqlExpect(role="replica", lag_s=0.5)
        wait_until(lambda: look(as_root(replica), expect=far).cause is Cause.REPLICATION, "it falls behind")
        assert look(as_root(replica), expect=REPLICA).outcome is Outcome.PASS
        primary.stop()
        wait_until(lambda: look(as_root(replica)).cause is Cause.REPLICATION, "it has noticed")
        sql(replica, "stop slave; set global read_only = 0")
        assert look(as_root(replica), expect=PRIMARY).outcome is Outcome.PASS, "promoted"


def test_a_look_never_gets_us_blocked() -> None:
    with mariadb_with_named_client(max_connect_errors=3) as server:
        stranger = look(server.url)
        assert (stranger.cause, stranger.facts["code"]) == (Cause.BLOCKED, 1130)
        sql(server, "create user monitor@'%' identified by 'canary-word'")
        for _ in range(5):
            assert look(server.url).outcome is Outcome.PASS
            assert look(server.url, login=WRONG).cause is Cause.LOGIN_REFUSED
            assert look(server.url, login=LOGIN).outcome is Outcome.PASS
        for _ in range(5):
            with socket.create_connection((server.address, server.port), timeout=5) as careless:
                careless.recv(100)
        wait_until(lambda: look(server.url).facts.get("code") == 1129, "blocked by somebody's carelessness")
        assert look(server.url).cause is Cause.BLOCKED


# -- caching_sha2_password, against a fake ---------------------------------------------------------


@pytest.mark.parametrize(
    ("remembers", "encrypted", "way"), [(True, False, "fast"), (False, False, "rsa"), (False, True, "tls")]
)
def test_a_fake_mysql_by_caching_sha2(
    remembers: bool, encrypted: bool, way: str, authority: Authority
) -> None:
    tls = None
    if encrypted:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own = authority.valid()
        tls.load_cert_chain(own.certificate, own.key)
    with fake_mysql_sha2("monitor", "canary-word", tls=tls, remembers=remembers) as server:
        assert look(server.url, login=LOGIN).outcome is Outcome.PASS
        assert look(server.url, login=WRONG).cause is Cause.LOGIN_REFUSED
        assert look(server.url).facts["login"] == "demanded"
        assert server.ways == [way]


@pytest.mark.parametrize(("remembers", "way"), [(True, "fast"), (False, "rsa")])
def test_the_fake_is_faithful_to_a_real_client(remembers: bool, way: str) -> None:
    client = require("mariadb")
    with fake_mysql_sha2("monitor", "canary-word", remembers=remembers) as server:
        where = ["-h", "127.0.0.1", "-P", str(server.port), "-u", "monitor"]
        for word in ("canary-word", "canary-else"):
            argv = [client, "--no-defaults", "--skip-ssl", *where, f"-p{word}", "-e", "select 1"]
            subprocess.run(argv, capture_output=True, timeout=20, check=False)
        assert server.ways == [way]
