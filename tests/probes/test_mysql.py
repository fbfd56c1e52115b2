"""The MySQL probe against a script: a row of its table each, and its states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import address, play
from tests.probes.hostile import noise
from tests.probes.test_mysqlwire import MARIADB, result
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.mysql import ERRORS, PROBE, Options, conversation
from trueup.probes.mysqlwire import CLIENT_SSL, packet
from trueup.probes.sql_expect import SqlExpect

AT = address("mysql://127.0.0.1")
SOMEONE = address("mysql://someone@127.0.0.1/shop")
LOGIN = Login(Secret("canary"), "monitor")
WITH_TLS = MARIADB.replace(b"\0\xfe\xf7", b"\0\xfe\xff")
OK = packet(2, bytes(7))
PONG = packet(1, bytes(7))
QUIT = b"\1\0\0\0\1"
STATUS = result(["Variable_name", "Value"], (b"Threads_connected", b"3"), (b"Slaves_running", b"0"))
VARIABLES = result(["@@global.read_only", "@@global.max_connections"], (b"0", b"151"))
NO_SOURCE = result(["Connection_name", "Slave_IO_Running"])
HEALTHY = [MARIADB, OK, PONG, STATUS, VARIABLES, NO_SOURCE]
SET = packet(1, bytes(7))


def error(code: int, words: str = "as it says", number: int = 2) -> bytes:
    return packet(number, b"\xff" + code.to_bytes(2, "little") + b"#HY000" + words.encode())


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_primary_is_ready(chunk: int | None) -> None:
    played = play(conversation(Options(SOMEONE)), HEALTHY, chunk=chunk)
    assert (played.settled.outcome, played.settled.cause) == (Outcome.PASS, None)
    assert played.settled.facts == {
        "version": "10.11.19-MariaDB-0+deb12u1",
        "connections": 3,
        "connections_max": 151,
        "role": "primary",
        "writable": True,
    }
    assert played.sent.endswith(QUIT)
    assert b"someone\0\0shop\0" in played.sent


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_has_its_cause(code: int) -> None:
    for says in ([error(code, number=0)], [MARIADB, error(code)], [MARIADB, OK, error(code, number=1)]):
        settled = play(conversation(Options(SOMEONE)), [*says, Closed()]).settled
        assert (settled.cause, settled.facts["code"]) == (ERRORS[code][0], code)
        assert ERRORS[code][1] in settled.detail


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1030, 'Got error 28 "No space left on device" from storage engine'),
        (1030, "Got error 122 from storage engine"),  # a quota
        (1005, 'Can\'t create table `shop`.`trueup_probe` (errno: 28 "No space left on device")'),
        (1026, "Error writing file './shop/a.MYD' (errno: 28 - No space left on device)"),
        (1, "Can't create/write to file '/tmp/#sql_1' (Errcode: 28 \"No space left on device\")"),
    ],
)
def test_an_error_of_the_disk_behind_another(code: int, words: str) -> None:
    played = play(conversation(Options(SOMEONE)), [MARIADB, OK, error(code, words, 1)])
    assert played.settled.cause is Cause.DISK_FULL


def test_another_number_of_the_operating_system() -> None:
    other = error(1030, 'Got error 128 "Index not found" from storage engine', 1)
    assert play(conversation(Options(SOMEONE)), [MARIADB, OK, other]).settled.cause is Cause.ERROR_ANSWER


def test_an_unknown_error_is_an_error_answer() -> None:
    assert play(conversation(Options(AT)), [MARIADB, error(65000)]).settled.cause is Cause.ERROR_ANSWER


# -- login and TLS ---------------------------------------------------------------------------------


def test_every_greeting_is_answered_and_refused_politely() -> None:
    played = play(conversation(Options(AT)), [MARIADB, error(1045)])
    assert (played.settled.cause, played.settled.facts["login"]) == (None, "demanded")
    assert b"trueup\0\0" in played.sent, "nobody, without a password"


def test_no_login_is_up_unless_something_needs_one() -> None:
    for needing in (
        Options(AT, query="select 1"),
        Options(AT, expect=SqlExpect(role="primary")),
        Options(AT, expect=SqlExpect(lag_s=9)),
    ):
        assert play(conversation(needing), [MARIADB, error(1045)]).settled.cause is Cause.LOGIN_REFUSED


def test_tls_is_used_for_a_password_and_otherwise_a_fact() -> None:
    bare = play(conversation(Options(AT)), [WITH_TLS, error(1045)])
    assert (bare.settled.facts["tls"], bare.tls) == ("offered", [])
    told = play(conversation(Options(AT, login=LOGIN)), [WITH_TLS, *HEALTHY[1:]])
    assert (told.settled.facts["tls"], len(told.tls)) == ("used", 1)
    plain = play(conversation(Options(AT, login=LOGIN)), HEALTHY)
    assert plain.settled.facts["tls"] == "not offered"


def test_configured_tls_is_a_must() -> None:
    options = Options(AT, login=LOGIN, tls=TlsSettings(ca="ca.pem"))
    refused = play(conversation(options), [MARIADB, error(1045)])
    assert refused.settled.cause is Cause.WRONG_ANSWER
    assert not refused.said_secretly, "the password stays here; the greeting is answered by nobody"
    assert b"trueup\0" in refused.sent
    used = play(conversation(options), [WITH_TLS, *HEALTHY[1:]])
    assert [step.settings for step in used.tls] == [options.tls]
    assert int.from_bytes(used.sent[4:8], "little") & CLIENT_SSL


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"\x05\0\0\0\x0b"])
def test_a_stranger_never_gets_the_password(said: bytes) -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [said])
    assert played.settled.cause is Cause.WRONG_SERVICE
    assert played.sent == b""


def test_the_password_is_sent_as_a_secret() -> None:
    played = play(conversation(Options(AT, login=LOGIN)), HEALTHY)
    assert b"monitor\0\x14" in played.said_secretly
    assert b"canary" not in played.sent


# -- the query -------------------------------------------------------------------------------------


def test_a_query_is_of_the_function_layer() -> None:
    options = Options(SOMEONE, query="select 7", expect=SqlExpect(rows=1, value=7))
    played = play(conversation(options), [*HEALTHY, SET, SET, result(["7"], (b"7",))])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]
    assert played.sent.endswith(QUIT)
    wrong = play(conversation(options), [*HEALTHY, SET, SET, result(["8"], (b"8",))])
    assert (wrong.settled.layer, wrong.settled.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)


@pytest.mark.parametrize(
    ("says", "layer", "cause"),
    [
        ([SET, SET, error(1146)], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([SET, SET, error(1792)], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([SET, error(1064), b""], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([error(1193), SET, error(1021)], Layer.FUNCTION, Cause.DISK_FULL),
        ([SET, SET, error(1053)], Layer.SERVICE, Cause.STARTING_UP),
        ([SET, SET, Closed()], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([SET, SET, Quiet(final=True)], Layer.FUNCTION, Cause.SLOW),
        ([SET, SET, b"\xff\xff\xff\1"], Layer.FUNCTION, Cause.WRONG_ANSWER),
    ],
)
def test_a_query_that_fails(says: list[bytes | Break], layer: Layer, cause: Cause) -> None:
    settled = play(conversation(Options(SOMEONE, query="select 1")), [*HEALTHY, *says]).settled
    assert (settled.layer, settled.cause, settled.outcome) == (layer, cause, Outcome.FAIL)


def test_expecting_something_of_no_query_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="add query"):
        Options(AT, expect=SqlExpect(value=1))


# -- others ----------------------------------------------------------------------------------------


@given(
    st.sampled_from([Options(AT), Options(AT, login=LOGIN, query="x"), Options(SOMEONE, query="x")]),
    noise([*HEALTHY, SET, SET]),
)
def test_any_peer_is_survived(options: Options, says: list[bytes | Break]) -> None:
    play(conversation(options), says)


def test_recognise() -> None:
    assert PROBE.recognise(MARIADB)
    assert PROBE.recognise(MARIADB[:40])
    assert PROBE.recognise(error(1040, number=0))
    for said in (b"", b"220 x ESMTP\r\n", b"\1\0\0\0\0\0\0\0", b"SSH-2.0-OpenSSH\r\n", bytes(60)):
        assert not PROBE.recognise(said)
