"""What a Redis is short of, against a script."""

from typing import Any

import pytest

from tests.playbook import play
from trueup.conversation import Answer
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.probes.redis import Options, conversation
from trueup.probes.redis_state import Info, State
from trueup.probes.resp import ErrorReply, Reply

from .test_redis import AT, PRIMARY, REPLICA, info


def settle(*, role: bytes = PRIMARY, **words: Any) -> Answer:
    said = b"+PONG\r\n" + role + info(**words)
    return play(conversation(Options(AT)), [said]).settled


def test_short_of_nothing() -> None:
    assert settle().cause is None
    assert settle(used=100, most=0).cause is None, "no limit"


@pytest.mark.parametrize(
    ("used", "policy", "outcome"),
    [
        (89, "noeviction", Outcome.PASS),
        (90, "noeviction", Outcome.SLOW),
        (99, "noeviction", Outcome.SLOW),
        (100, "noeviction", Outcome.FAIL),
        (100, "allkeys-lru", Outcome.PASS),
    ],
)
def test_memory(used: int, policy: str, outcome: Outcome) -> None:
    answer = settle(used=used, most=100, policy=policy)
    assert answer.outcome is outcome
    assert answer.cause is (None if outcome is Outcome.PASS else Cause.OVERLOADED)
    assert outcome is Outcome.PASS or f"{used} of 100" in answer.detail


@pytest.mark.parametrize(
    "word", ["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"]
)
@pytest.mark.parametrize("role", [PRIMARY, REPLICA])
def test_what_can_not_be_kept(word: str, role: bytes) -> None:
    answer = settle(role=role, **{word: "err"})
    assert (answer.outcome, answer.cause) == (Outcome.SLOW, Cause.DISK_FULL)
    assert "role" in answer.facts


@pytest.mark.parametrize(("connected", "outcome"), [("90", Outcome.PASS), ("91", Outcome.SLOW)])
def test_clients(connected: str, outcome: Outcome) -> None:
    """We are one of them."""
    assert settle(connected_clients=connected).outcome is outcome


def test_what_is_not_shown_is_not_held_against_it() -> None:
    said = b"+PONG\r\n" + PRIMARY + b"-NOPERM no\r\n"
    assert play(conversation(Options(AT)), [said]).settled.cause is None
    assert State.of([b"PONG"]).short({}) is None
    replies: list[Reply] = [1, [b"x"], None, b"", ErrorReply(b"NOPERM")]
    for reply in replies:
        assert State.of([b"PONG", None, reply]).short({}) is None


def test_fields_are_found_in_whatever_order_they_come() -> None:
    said = b"# Server\r\nused_memory:7\r\nmaxmemory:5\r\nmaxmemory_policy:\r\nodd:x"
    info = Info(said)
    words = [b"\r\nmaxmemory:", b"\r\nused_memory:", b"\r\nmaxmemory_policy:", b"\r\nmax:", b"\r\nmaxmemory:"]
    assert [info.word(word) for word in words] == [b"5", b"7", b"", b"", b"5"]
    assert (info.number(b"\r\nused_memory:"), info.number(b"\r\nodd:")) == (7, 0)
