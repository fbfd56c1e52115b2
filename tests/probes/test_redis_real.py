"""The Redis probe against the real server: healthy, and in each state that looks like health."""

import contextlib
import re
import socket
from collections.abc import Iterator

import pytest

from tests.beds import wire
from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.namespaces import network
from tests.beds.redis import redis
from tests.beds.server import Server, free_port
from tests.beds.small_disk import small_disk
from tests.probes.performing import look, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.redis import Expect
from trueup.probes.resp import command

PRIMARY, REPLICA = Expect(role="primary"), Expect(role="replica")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Shared: change nothing in it that another test could see."""
    with redis() as shared:
        yield shared


def do(server: Server, *lines: str) -> bytes:
    """Commands by hand; what they are answered."""
    return wire.say(server, *(command(*line.encode().split()).rstrip() for line in lines), b"QUIT")


def test_healthy(server: Server) -> None:
    found = look(server.url)
    assert (found.outcome, found.facts["role"]) == (Outcome.PASS, "primary")
    assert look(server.url, expect=PRIMARY).outcome is Outcome.PASS
    assert look(server.url, expect=REPLICA).cause is Cause.WRONG_ANSWER
    written = look(server.url, roundtrip=True)
    assert (written.layer, written.outcome) == (Layer.FUNCTION, Outcome.PASS)
    assert do(server, "DBSIZE").startswith(b":0\r\n"), "nothing of ours is left"


def test_frozen(server: Server) -> None:
    with server.paused():
        assert look(server.url, timeout_s=0.5).cause is Cause.SILENT


def test_over_tls(authority: Authority) -> None:
    with redis(tls=authority.valid()) as server:
        assert look(server.url).cause is Cause.TLS_UNTRUSTED


def test_passwords() -> None:
    with redis(requirepass="canary-word", user="monitor on >canary-user +ping +role") as server:
        bare = look(server.url)  # a control: alive, and it asks for one
        assert (bare.outcome, bare.facts["login"]) == (Outcome.PASS, "demanded")
        inside = perform(server.url, login=Login(Secret("canary-word")), roundtrip=True)
        assert inside.answer is not None
        assert inside.answer.outcome is Outcome.PASS
        assert b"canary" not in b"".join(said.data for said in inside.said)
        assert look(server.url.replace("//", "//:canary-word@"), expect=PRIMARY).outcome is Outcome.PASS
        assert look(server.url, login=Login(Secret("canary-else"))).cause is Cause.LOGIN_REFUSED
        assert look(server.url, roundtrip=True).cause is Cause.LOGIN_REFUSED
        limited = Login(Secret("canary-user"), "monitor")
        assert look(server.url, login=limited, expect=PRIMARY).outcome is Outcome.PASS
        assert look(server.url, login=limited, roundtrip=True).cause is Cause.LOGIN_REFUSED


def test_loading_a_large_dump() -> None:
    with redis(key_load_delay=500, loading_process_events_interval_bytes=1024) as server:
        do(server, "DEBUG POPULATE 20000", "SAVE")
        server.stop()
        server.start()
        assert look(server.url).cause is Cause.STARTING_UP


def test_it_can_not_persist() -> None:
    with redis(save="3600 1") as server:
        server.make_folder("dump.rdb")  # where the file should be
        do(server, "SET a 1", "BGSAVE")
        wait_until(lambda: look(server.url).cause is Cause.DISK_FULL, "the save has failed")
        assert "MISCONF" in look(server.url).detail
        (server.folder / "dump.rdb").rmdir()  # or it wouldn't end when it's told to


def test_no_space_to_persist() -> None:
    with (
        redis(enable_protected_configs="local", save="3600 1") as server,
        small_disk(server.folder / "small") as disk,
    ):
        server.own(disk.folder)
        do(server, f"CONFIG SET dir {disk.folder}")
        disk.fill()
        do(server, "SET a 1", "BGSAVE")
        wait_until(lambda: look(server.url).cause is Cause.DISK_FULL, "the save has failed")
        disk.empty()
        do(server, "BGSAVE")
        wait_until(lambda: look(server.url, roundtrip=True).outcome is Outcome.PASS, "it saves again")
        do(server, "CONFIG SET appendonly yes")
        wait_until(lambda: b"aof_rewrite_in_progress:0" in do(server, "INFO persistence"), "it keeps a log")
        disk.fill()
        do(server, f"SET a {'x' * 5000}")  # more than may be left of the log's last page
        wait_until(lambda: look(server.url).cause is Cause.DISK_FULL, "the log can't grow")
        assert "No space left on device" in look(server.url).detail
        disk.empty()  # or it wouldn't end when it's told to


def test_no_room() -> None:
    with redis(maxclients=5) as server, contextlib.ExitStack() as sessions:

        def is_full() -> bool:
            sessions.enter_context(socket.create_connection((server.address, server.port), timeout=5))
            return look(server.url).cause is Cause.OVERLOADED

        wait_until(is_full, "there is no room")


def test_no_memory() -> None:
    with redis(maxmemory="3mb") as server:
        value = "x" * 100_000
        wait_until(lambda: b"OOM" in do(server, *(f"APPEND a {value}" for _ in range(10))), "it is full")
        found = look(server.url)
        assert (found.layer, found.cause) == (Layer.SERVICE, Cause.OVERLOADED)
        do(server, "CONFIG SET maxmemory-policy allkeys-lru")
        assert look(server.url, roundtrip=True).outcome is Outcome.PASS, "now it makes room"


def test_soon_without_memory_or_clients() -> None:
    with redis(maxclients=10) as server, contextlib.ExitStack() as sessions:
        do(server, f"SET a {'x' * 8_000_000}")
        used = re.search(rb"used_memory:(\d+)", do(server, "INFO memory"))
        assert used is not None
        do(server, f"CONFIG SET maxmemory {int(used[1]) * 105 // 100}")
        found = look(server.url, roundtrip=True)
        assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS), "it still does its work"
        assert (look(server.url).outcome, "maxmemory" in look(server.url).detail) == (Outcome.SLOW, True)
        do(server, "CONFIG SET maxmemory 0")
        for _ in range(9):
            sessions.enter_context(socket.create_connection((server.address, server.port), timeout=5))
        wait_until(lambda: "maxclients" in look(server.url).detail, "nearly all places are taken")
        assert look(server.url).outcome is Outcome.SLOW


def test_it_takes_writes_that_it_can_not_persist() -> None:
    with redis(save="3600 1", stop_writes_on_bgsave_error="no") as server:
        server.make_folder("dump.rdb")  # where the file should be
        do(server, "SET a 1", "BGSAVE")
        wait_until(lambda: look(server.url).cause is Cause.DISK_FULL, "the save has failed")
        assert look(server.url).outcome is Outcome.SLOW
        assert look(server.url, roundtrip=True).outcome is Outcome.PASS
        (server.folder / "dump.rdb").rmdir()


def test_what_waits_in_queues() -> None:
    queues = {"jobs": 3, "events": 2, "later": 1, "nothing": 0}
    with redis(user="monitor on nopass +ping +type ~jobs") as server:
        do(server, "RPUSH jobs a b c", "ZADD later 1 a", *["XADD events * a b"] * 5)
        do(server, "XGROUP CREATE events workers 0", "XREADGROUP GROUP workers w COUNT 3 STREAMS events >")
        waiting = look(server.url, queues=queues)
        assert (waiting.layer, waiting.cause) == (Layer.FUNCTION, Cause.OVERLOADED)
        assert waiting.facts["queues"] == {"jobs": 3, "events": 5, "later": 1, "nothing": 0}
        do(
            server,
            "XREADGROUP GROUP workers w STREAMS events >",
            "XTRIM events MAXLEN 0",
            "XGROUP SETID events workers $",
        )
        do(server, "XGROUP DELCONSUMER events workers w")
        done = look(server.url, queues=queues)
        assert (done.layer, done.outcome, done.facts["queues"]["events"]) == (Layer.FUNCTION, Outcome.PASS, 0)
        limited = Login(Secret("canary-user"), "monitor")
        assert look(server.url, login=limited, queues=queues).cause is Cause.LOGIN_REFUSED
        do(server, "SET nothing x")
        assert look(server.url, queues=queues).cause is Cause.WRONG_ANSWER


def test_busy_in_an_endless_script() -> None:
    with redis(busy_reply_threshold=50) as server:
        script = b"*3\r\n$4\r\nEVAL\r\n$17\r\nwhile true do end\r\n$1\r\n0\r\n"
        with socket.create_connection((server.address, server.port), timeout=5) as stream:
            stream.sendall(script)
            wait_until(lambda: look(server.url, timeout_s=0.5).cause is Cause.OVERLOADED, "it has noticed")
            assert "BUSY" in look(server.url).detail
            do(server, "SCRIPT KILL")
            wait_until(lambda: look(server.url).outcome is Outcome.PASS, "it is free again")


def test_a_primary_and_its_replica() -> None:
    with (
        redis(repl_diskless_sync_delay=0) as primary,
        redis(replicaof=f"127.0.0.1 {primary.port}") as replica,
    ):
        wait_until(lambda: look(replica.url, expect=REPLICA).outcome is Outcome.PASS, "it follows")
        assert look(replica.url, expect=PRIMARY).cause is Cause.READ_ONLY
        assert look(replica.url, roundtrip=True).cause is Cause.READ_ONLY
        do(primary, "CONFIG SET min-replicas-to-write 2")
        assert look(primary.url).outcome is Outcome.PASS
        assert look(primary.url, roundtrip=True).cause is Cause.READ_ONLY
        primary.stop()
        wait_until(lambda: look(replica.url).cause is Cause.REPLICATION, "it has noticed")
        do(replica, "CONFIG SET replica-serve-stale-data no")
        assert "MASTERDOWN" in look(replica.url).detail
        assert look(replica.url).cause is Cause.REPLICATION


def test_it_refuses_clients_of_other_machines() -> None:
    with (
        network("cache") as (cache,),
        cache.enter(),
        redis(address=cache.ipv4, protected_mode="yes") as server,
    ):
        found = look(server.url)
        assert (found.cause, "DENIED" in found.detail) == (Cause.BLOCKED, True)


def test_a_cluster() -> None:
    buses = free_port(), free_port()
    with (
        redis(cluster_enabled="yes", cluster_port=buses[0]) as one,
        redis(cluster_enabled="yes", cluster_port=buses[1]) as other,
    ):
        assert look(one.url).cause is Cause.NO_QUORUM, "nobody serves any slot"
        do(one, "CLUSTER ADDSLOTSRANGE 0 200")
        do(other, "CLUSTER ADDSLOTSRANGE 201 16383", f"CLUSTER MEET 127.0.0.1 {one.port} {buses[0]}")
        for node in (one, other):
            wait_until(lambda at=node.url: look(at).outcome is Outcome.PASS, "the cluster is whole", 20)  # type: ignore[misc]
            assert look(node.url, roundtrip=True).outcome is Outcome.PASS
        assert look(one.url).facts["slots_ok"] == 16384
