"""How much waits in a Redis, against a script."""

import pytest

from tests.playbook import Played, play
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.redis import Options, conversation

from .test_redis import AT, HEALTHY, bulk


def group(pending: int, lag: int | None) -> bytes:
    last = b":%d\r\n" % lag if lag is not None else b"$-1\r\n"
    return (
        b"*6\r\n" + bulk(b"name") + bulk(b"g") + bulk(b"pending") + b":%d\r\n" % pending + bulk(b"lag") + last
    )


def look(*says: bytes, **queues: int) -> Played:
    return play(conversation(Options(AT, queues=queues)), [HEALTHY, *says])


@pytest.mark.parametrize(("kind", "word"), [(b"list", b"LLEN"), (b"zset", b"ZCARD"), (b"set", b"SCARD")])
def test_each_kind_of_queue_is_asked_its_length(kind: bytes, word: bytes) -> None:
    played = look(b"+" + kind + b"\r\n", b":7\r\n", jobs=7)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert played.settled.facts == {"queues": {"jobs": 7}}
    assert word in played.sent
    over = look(b"+" + kind + b"\r\n", b":8\r\n", jobs=7)
    assert (over.settled.layer, over.settled.cause) == (Layer.FUNCTION, Cause.OVERLOADED)
    assert "8 wait in jobs, over 7" in over.settled.detail


def test_several_are_told_together() -> None:
    played = look(b"+list\r\n+none\r\n", b":7\r\n", jobs=7, mails=0)
    assert played.settled.facts == {"queues": {"jobs": 7, "mails": 0}}
    assert played.settled.cause is None


@pytest.mark.parametrize(
    ("groups", "depth"),
    [
        (b"*0\r\n", 10),  # nobody reads it: all of it waits
        (b"*1\r\n" + group(1, 2), 3),
        (b"*2\r\n" + group(1, 2) + group(4, 5), 9),
        (b"*1\r\n" + group(1, None), 10),  # it can't tell
        (b"-NOPERM no\r\n", 10),
        (b"*1\r\n:1\r\n", 10),
    ],
)
def test_of_a_stream_counts_what_its_slowest_group_has_not_done(groups: bytes, depth: int) -> None:
    assert look(b"+stream\r\n", b":10\r\n" + groups, events=100).settled.facts["queues"] == {"events": depth}


@pytest.mark.parametrize(
    ("says", "layer", "cause"),
    [
        ([b"+hash\r\n"], Layer.FUNCTION, Cause.WRONG_ANSWER),
        ([b"-NOPERM no\r\n"], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([b"+list\r\n", b"-NOPERM no\r\n"], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([b"+stream\r\n", b"-NOPERM no\r\n-NOPERM no\r\n"], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([b"+list\r\n", b"-MOVED 866 10.0.0.2:6379\r\n"], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([b"-LOADING x\r\n"], Layer.SERVICE, Cause.STARTING_UP),
    ],
)
def test_a_queue_that_can_not_be_seen(says: list[bytes], layer: Layer, cause: Cause) -> None:
    settled = look(*says, jobs=7).settled
    assert (settled.layer, settled.cause) == (layer, cause)


def test_a_length_that_is_none_is_no_redis() -> None:
    assert look(b"+list\r\n", b"+soon\r\n", jobs=7).settled.cause is Cause.WRONG_SERVICE


def test_it_needs_the_login_that_is_demanded() -> None:
    options = Options(AT, queues={"jobs": 1})
    assert play(conversation(options), [b"-NOAUTH x\r\n" * 3]).settled.cause is Cause.LOGIN_REFUSED


def test_queues_then_a_round_trip() -> None:
    options = Options(AT, queues={"jobs": 1}, roundtrip=True)
    token = bytes(range(1, 9)).hex().encode()
    played = play(conversation(options), [HEALTHY, b"+none\r\n", b"+OK\r\n" + bulk(token) + b":1\r\n"])
    assert played.settled.outcome is Outcome.PASS
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE, Layer.FUNCTION]
