"""Nodes of a Redis Cluster, against a script."""

import pytest

from tests.playbook import play
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.redis import Options, conversation
from trueup.probes.redis_cluster import SLOTS, is_cluster_node, slot_of, slots_of_this_node

from .test_redis import AT, PRIMARY, bulk, info

NODES = (
    b"07c3 10.0.0.1:7000@17000 master - 0 1426238317239 4 connected 8192-16383\n"
    b"e7d1 10.0.0.2:7000@17000 myself,master - 0 0 1 connected 0-100 4096 [93-<-292f]\n"
    b"6ec2 10.0.0.3:7000@17000 slave 07c3 0 1426238316232 2 connected\n"
)


NODE = b"+PONG\r\n" + PRIMARY + info(cluster=1)


def state(word: bytes, served: bytes = b"16384") -> bytes:
    return bulk(
        b"cluster_state:%b\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:%b\r\n" % (word, served)
    )


@pytest.mark.parametrize("chunk", [None, 1])
def test_a_node_of_a_healthy_cluster(chunk: int | None) -> None:
    settled = play(conversation(Options(AT)), [NODE, state(b"ok")], chunk=chunk).settled
    assert settled.outcome is Outcome.PASS
    assert (settled.facts["cluster"], settled.facts["slots_ok"]) == ("ok", SLOTS)


def test_a_node_of_a_cluster_that_is_down() -> None:
    settled = play(conversation(Options(AT)), [NODE, state(b"fail", b"5461")]).settled
    assert settled.cause is Cause.NO_QUORUM
    assert "5461 of 16384" in settled.detail


@pytest.mark.parametrize("said", [b"-NOPERM no\r\n", b":1\r\n", bulk(b""), bulk(b"cluster_slots_ok:x\r\n")])
def test_a_node_that_does_not_tell(said: bytes) -> None:
    assert play(conversation(Options(AT)), [NODE, said]).settled.outcome is Outcome.PASS


def test_a_round_trip_uses_a_key_that_lives_here() -> None:
    token = bytes(range(1, 9)).hex().encode()
    moved = b"-MOVED 9000 10.0.0.1:7000\r\n" * 3
    written = b"+OK\r\n" + bulk(token) + b":1\r\n"
    options = Options(AT, roundtrip=True)
    played = play(conversation(options), [NODE, state(b"ok"), moved, bulk(NODES), written])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    key = played.sent.split(b"SET\r\n")[-1].split(b"\r\n")[1]
    assert slot_of(key) in slots_of_this_node(NODES)


@pytest.mark.parametrize(
    "nodes", [bulk(NODES.replace(b"myself,", b"")), b"-NOPERM no\r\n", bulk(b"nonsense")]
)
def test_a_node_without_slots_takes_no_writes(nodes: bytes) -> None:
    moved = b"-MOVED 9000 10.0.0.1:7000\r\n" * 3
    options = Options(AT, roundtrip=True)
    settled = play(conversation(options), [NODE, state(b"ok"), moved, nodes]).settled
    assert (settled.layer, settled.cause) == (Layer.FUNCTION, Cause.READ_ONLY)


def test_slots() -> None:
    assert slots_of_this_node(NODES) == frozenset({*range(101), 4096})
    assert slots_of_this_node(b"a b myself - 0 0 1 connected 16000-99999\n") == frozenset(range(16000, SLOTS))
    assert slot_of(b"123456789") == 12739, "the check value of the specification: 0x31C3"
    assert not is_cluster_node(None)
    assert not is_cluster_node([b"x"])
