"""The Redis probe against a script: a row of its table each, and its states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.redis import ERRORS, MESSAGES, PROBE, Expect, Options, conversation

AT = address("redis://127.0.0.1")
PRIMARY = b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
REPLICA = b"*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:14\r\n"
ORPHAN = REPLICA.replace(b"$9\r\nconnected", b"$7\r\nconnect")


def info(
    used: int = 10, most: int = 0, policy: str = "noeviction", *, cluster: int = 0, **words: str
) -> bytes:
    """What INFO says; ``words`` replace those about persistence and clients."""
    told = {"rdb_last_bgsave_status": "ok", "aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok"}
    told |= {"connected_clients": "3", "maxclients": "100"} | words
    fields = {"used_memory": used, "maxmemory": most, "maxmemory_policy": policy, **told}
    lines = [f"{name}:{value}" for name, value in fields.items()] + [
        "# Cluster",
        f"cluster_enabled:{cluster}",
    ]
    return bulk("\r\n".join(["# Server", *lines, ""]).encode())


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text), text)


HEALTHY = b"+PONG\r\n" + PRIMARY + info()


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_primary_is_ready(chunk: int | None) -> None:
    answer = play(conversation(Options(AT)), [HEALTHY], chunk=chunk).settled
    assert (answer.outcome, answer.cause, answer.facts["role"]) == (Outcome.PASS, None, "primary")


@pytest.mark.parametrize("word", sorted(ERRORS))
def test_every_error_reply_has_its_cause(word: bytes) -> None:
    cause, meaning = ERRORS[word]
    answer = play(
        conversation(Options(AT)), [b"-" + word + b" as it says\r\n" + (b"-" + word + b"\r\n") * 2]
    ).settled
    assert answer.cause == cause
    assert meaning in answer.detail


@pytest.mark.parametrize("words", sorted(MESSAGES))
def test_error_messages_are_told_apart_by_their_words(words: bytes) -> None:
    answer = play(conversation(Options(AT)), [b"-ERR " + words + b" reached\r\n", Closed()]).settled
    assert answer.cause == MESSAGES[words][0]


def test_an_unknown_error_is_an_error_answer() -> None:
    answer = play(conversation(Options(AT)), [b"-ERR something new\r\n" * 3]).settled
    assert answer.cause is Cause.ERROR_ANSWER


def test_a_full_memory_is_seen_behind_the_pong() -> None:
    said = b"+PONG\r\n" + PRIMARY + info(used=100, most=100)
    assert play(conversation(Options(AT)), [said]).settled.cause is Cause.OVERLOADED
    evicting = b"+PONG\r\n" + PRIMARY + info(used=100, most=100, policy="allkeys-lru")
    assert play(conversation(Options(AT)), [evicting]).settled.cause is None


def test_a_replica_without_its_primary() -> None:
    answer = play(conversation(Options(AT)), [b"+PONG\r\n" + ORPHAN + info()]).settled
    assert answer.cause is Cause.REPLICATION
    assert answer.detail == "a replica without its primary 127.0.0.1:6379 (link: connect)"


@pytest.mark.parametrize(
    ("expected", "role", "cause"),
    [
        ("primary", PRIMARY, None),
        ("primary", REPLICA, Cause.READ_ONLY),
        ("replica", REPLICA, None),
        ("replica", PRIMARY, Cause.WRONG_ANSWER),
    ],
)
def test_the_expected_role(expected: str, role: bytes, cause: Cause | None) -> None:
    options = Options(AT, expect=Expect(role=expected))  # type: ignore[arg-type]  # from a parameter
    assert play(conversation(options), [b"+PONG\r\n" + role + info()]).settled.cause is cause


def test_a_password_is_sent_only_after_it_was_asked_for() -> None:
    options = Options(AT, login=Login(Secret("canary")))
    stranger = play(conversation(options), [b"HTTP/1.1 400 Bad Request\r\n"])
    assert stranger.settled.cause is Cause.WRONG_SERVICE
    assert b"canary" not in stranger.sent
    echo = play(conversation(options), [b"*1\r\n$4\r\nPING\r\n" * 9])
    assert echo.settled.cause is Cause.WRONG_SERVICE
    assert b"canary" not in echo.sent
    asked = play(conversation(options), [b"-NOAUTH\r\n" * 3, b"+OK\r\n", HEALTHY])
    assert asked.settled.cause is None
    assert b"canary" in asked.said_secretly


def test_no_login_is_up_unless_something_needs_one() -> None:
    demanded = [b"-NOAUTH Authentication required.\r\n" * 3]
    assert play(conversation(Options(AT)), demanded).settled.cause is None
    assert play(conversation(Options(AT, roundtrip=True)), demanded).settled.cause is Cause.LOGIN_REFUSED


def test_a_round_trip_is_of_the_function_layer() -> None:
    token = bytes(range(1, 9)).hex().encode()
    said = b"+OK\r\n$16\r\n" + token + b"\r\n:1\r\n"
    played = play(conversation(Options(AT, roundtrip=True)), [HEALTHY, said])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert played.marks[0].layer is Layer.SERVICE
    refused = play(conversation(Options(AT, roundtrip=True)), [HEALTHY, b"-OOM no\r\n$-1\r\n:0\r\n"])
    assert refused.settled.cause is Cause.OVERLOADED


def test_a_replica_that_copies_its_primary_is_starting_up() -> None:
    said = b"+PONG\r\n" + REPLICA.replace(b"$9\r\nconnected", b"$4\r\nsync") + info()
    assert play(conversation(Options(AT)), [said]).settled.cause is Cause.STARTING_UP


def test_a_proxy_that_knows_ping_alone() -> None:
    assert play(conversation(Options(AT)), [b"+PONG\r\n", Closed()]).settled.outcome is Outcome.PASS
    needing = Options(AT, expect=Expect(role="primary"))
    assert play(conversation(needing), [b"+PONG\r\n", Closed()]).settled.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("refusal", "layer", "cause"),
    [
        (b"-READONLY You can't write", Layer.FUNCTION, Cause.READ_ONLY),
        (b"-NOPERM no", Layer.FUNCTION, Cause.LOGIN_REFUSED),
        (b"-CLUSTERDOWN Hash slot not served", Layer.SERVICE, Cause.NO_QUORUM),
        (b"-LOADING x", Layer.SERVICE, Cause.STARTING_UP),
    ],
)
def test_a_write_that_is_refused(refusal: bytes, layer: Layer, cause: Cause) -> None:
    said = refusal + b"\r\n$-1\r\n:0\r\n"
    settled = play(conversation(Options(AT, roundtrip=True)), [HEALTHY, said]).settled
    assert (settled.layer, settled.cause) == (layer, cause)


@given(
    st.sampled_from([Options(AT), Options(AT, login=Login(Secret("canary"))), Options(AT, roundtrip=True)]),
    noise([HEALTHY, b"+OK\r\n$1\r\nx\r\n:1\r\n"]) | noise([b"-NOAUTH\r\n" * 3, b"+OK\r\n", HEALTHY]),
)
def test_any_peer_is_survived(options: Options, says: list[bytes | Break]) -> None:
    play(conversation(options), says)


def test_what_is_not_redis_is_a_stranger() -> None:
    for said in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\x01\x02", b"*9999999999999\r\n", b"$-7\r\n"):
        assert play(conversation(Options(AT)), [said]).settled.cause is Cause.WRONG_SERVICE


def test_recognise() -> None:
    assert PROBE.recognise(b"-ERR unknown command 'GET'\r\n")
    assert PROBE.recognise(b"-NOAUTH Authentication required.\r\n")
    assert not PROBE.recognise(b"-ERR 'Unknown Protocol Operation'\r\n")  # NATS
    assert not PROBE.recognise(b"-ERR invalid\r\n"[:1] + b"x")
