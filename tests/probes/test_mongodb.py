"""The MongoDB probe against a script: a row of its table each, and its states."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.mongodb import ERRORS, OVER_HTTP, PROBE, Expect, Options, conversation
from trueup.probes.mongowire import command

AT = address("mongodb://127.0.0.1")
LOGIN = Login(Secret("canary"), "monitor")
PONG = command(2, {"ok": 1})


def as_array(reply: bytes, name: bytes) -> bytes:
    """A document in it becomes an array, which our own encoder doesn't write."""
    return reply.replace(b"\x03" + name + b"\0", b"\x04" + name + b"\0")


SHOWN = as_array(command(3, {"ok": 1, "databases": {"0": {"name": "admin"}}}), b"databases")
HIDDEN = as_array(command(3, {"ok": 1, "databases": {}}), b"databases")
ALONE: dict[str, Any] = {"isWritablePrimary": True, "maxWireVersion": 17, "readOnly": False, "ok": 1}
PRIMARY = {**ALONE, "setName": "rs", "primary": "a:1", "secondary": False}
REPLICA = {**PRIMARY, "isWritablePrimary": False, "secondary": True}
ORPHAN = {name: value for name, value in REPLICA.items() if name != "primary"}
NEITHER = {**REPLICA, "secondary": False}


def error(code: int, **more: Any) -> bytes:
    return command(1, {"ok": 0, "errmsg": "as it says", "code": code, "codeName": "Name", **more})


def settle(hello: dict[str, Any], *more: bytes, **expect: Any) -> Answer:
    options = Options(AT, expect=Expect(**expect))
    return play(conversation(options), [command(1, hello) + PONG, SHOWN, *more]).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_is_ready(chunk: int | None) -> None:
    answer = play(conversation(Options(AT)), [command(1, ALONE) + PONG, SHOWN], chunk=chunk).settled
    assert (answer.outcome, answer.cause) == (Outcome.PASS, None)
    assert answer.facts == {"role": "primary", "wire_version": 17}


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_has_its_cause(code: int) -> None:
    scripts: list[list[bytes | Break]] = [
        [error(code) + PONG],
        [command(1, ALONE) + error(code)],
        [error(code), Closed()],
    ]
    for says in scripts:
        answer = play(conversation(Options(AT)), says).settled
        assert (answer.cause, answer.facts["code"]) == (ERRORS[code][0], code)
        assert ERRORS[code][1] in answer.detail


@pytest.mark.parametrize("reply", [error(4242), command(1, {"ok": 0, "code": "odd"}), command(1, {})])
def test_an_unknown_error_is_an_error_answer(reply: bytes) -> None:
    assert play(conversation(Options(AT)), [reply + PONG]).settled.cause is Cause.ERROR_ANSWER


def test_an_error_of_the_disk_behind_another() -> None:
    full = command(1, {"ok": 0, "errmsg": "28: No space left on device", "code": 8})
    answer = play(conversation(Options(AT)), [full + PONG]).settled
    assert (answer.cause, answer.facts["code"]) == (Cause.DISK_FULL, 8)


def test_an_old_server_is_asked_in_its_own_words() -> None:
    old = {"ismaster": True, "maxWireVersion": 7, "ok": 1}
    played = play(conversation(Options(AT)), [error(59) + PONG, command(1, old) + PONG, SHOWN])
    assert (played.settled.cause, played.settled.facts["role"]) == (None, "primary")
    assert b"isMaster" in played.sent


@pytest.mark.parametrize(
    ("hello", "role", "cause"),
    [
        (ALONE, "primary", None),
        (ALONE, "replica", Cause.WRONG_ANSWER),
        (PRIMARY, "primary", None),
        (REPLICA, "replica", None),
        (REPLICA, "primary", Cause.READ_ONLY),
        (REPLICA, None, None),
        (ORPHAN, None, Cause.NO_QUORUM),
        (ORPHAN, "primary", Cause.NO_QUORUM),
        (ORPHAN, "replica", Cause.NO_QUORUM),
        (NEITHER, None, Cause.STARTING_UP),
        (
            {"isWritablePrimary": False, "isreplicaset": True, "maxWireVersion": 17, "ok": 1},
            None,
            Cause.STARTING_UP,
        ),
        ({**NEITHER, "arbiterOnly": True}, None, None),
        ({**NEITHER, "arbiterOnly": True}, "replica", Cause.WRONG_ANSWER),
        ({**ALONE, "msg": "isdbgrid"}, "primary", None),
        ({**ALONE, "readOnly": True}, None, Cause.READ_ONLY),
    ],
)
def test_roles(hello: dict[str, Any], role: str | None, cause: Cause | None) -> None:
    assert settle(hello, role=role).cause is cause


def status(**members: int) -> bytes:
    """Whose last write is how many seconds after another's; ``own`` is the one asked."""
    said = {
        str(number): {"stateStr": name.upper(), "optimeDate": at, "self": name == "own"}
        for number, (name, at) in enumerate(members.items())
    }
    return as_array(command(9, {"ok": 1, "members": said}), b"members")


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ({"primary": 30_000, "own": 21_000}, None),
        ({"primary": 30_000, "own": 19_000}, Cause.REPLICATION),
        ({"primary": 30_000, "own": 31_000}, None),
        ({"own": 21_000}, Cause.REPLICATION),
        ({"primary": 30_000}, Cause.REPLICATION),
    ],
)
def test_a_replica_too_far_behind(members: dict[str, int], cause: Cause | None) -> None:
    assert settle(REPLICA, status(**members), lag_s=10).cause is cause


def test_lag_is_asked_of_replicas_alone_and_takes_a_right() -> None:
    assert settle(PRIMARY, lag_s=10).cause is None
    assert settle(REPLICA, error(13), lag_s=10).cause is Cause.LOGIN_REFUSED
    assert settle(REPLICA, command(9, {"ok": 1}), lag_s=10).cause is Cause.REPLICATION


@pytest.mark.parametrize(
    ("shows", "login"), [(SHOWN, None), (HIDDEN, "demanded"), (error(13), "demanded"), (error(1), None)]
)
def test_a_demanded_login_is_up_with_a_fact(shows: bytes, login: str | None) -> None:
    answer = play(conversation(Options(AT)), [command(1, ALONE) + PONG, shows]).settled
    assert (answer.cause, answer.facts.get("login")) == (None, login)


def test_configured_tls_comes_first() -> None:
    settings = TlsSettings(ca="ca.pem")
    played = play(conversation(Options(AT, tls=settings)), [command(1, ALONE) + PONG, SHOWN])
    assert [step.settings for step in played.tls] == [settings]


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff" * 4, command(1, {"ok": 1}) + PONG],
)
def test_what_is_not_mongodb_is_a_stranger(said: bytes) -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [said])
    assert played.settled.cause is Cause.WRONG_SERVICE
    assert not played.said_secretly


@given(
    st.sampled_from([Options(AT), Options(AT, login=LOGIN), Options(AT, expect=Expect(lag_s=1))]),
    noise([command(1, REPLICA) + PONG, SHOWN, status(primary=1, own=1)]),
)
def test_any_peer_is_survived(options: Options, says: list[bytes | Break]) -> None:
    play(conversation(options), says)


@pytest.mark.parametrize(
    ("path", "database"),
    [("", "admin"), ("/shop", "shop"), ("/shop?authSource=users", "users"), ("/?tls=true&authSource=x", "x")],
)
def test_where_the_user_is_known(path: str, database: str) -> None:
    assert Options(address(f"mongodb://127.0.0.1{path}")).login_database == database


def test_recognise() -> None:
    assert PROBE.recognise(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" + OVER_HTTP + b"\r\n")
    assert PROBE.recognise(command(1, ALONE))
    assert not PROBE.recognise(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert not PROBE.recognise(b"")


class TestCertificates:
    AT = address("mongodb://127.0.0.1/?authMechanism=MONGODB-X509")
    TLS = TlsSettings(cert="/c.pem", key="/k.pem")

    def test_one_logs_in(self) -> None:
        options = Options(self.AT, tls=self.TLS)
        script = [command(1, ALONE) + PONG, command(5, {"ok": 1})]
        played = play(conversation(options), script)
        assert (played.settled.outcome, played.settled.facts.get("login")) == (Outcome.PASS, None)
        assert b"$external" in played.sent

    def test_one_that_is_refused(self) -> None:
        options = Options(self.AT, tls=self.TLS)
        assert play(conversation(options), [command(1, ALONE) + PONG, error(18)]).settled.cause is (
            Cause.LOGIN_REFUSED
        )

    @pytest.mark.parametrize(
        ("way", "tls"), [("MONGODB-X509", None), ("MONGODB-X509", TlsSettings()), ("PLAIN", TLS)]
    )
    def test_what_cant_be_done_is_told_before(self, way: str, tls: TlsSettings | None) -> None:
        with pytest.raises(AddressError):
            Options(address(f"mongodb://127.0.0.1/?authMechanism={way}"), tls=tls)
