"""The PostgreSQL probe against a script: a row of its tables each, and its states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.pgwire import SSL_REQUEST, TERMINATE, message
from trueup.probes.postgres import ERRORS, POOLER, PROBE, Options, conversation
from trueup.probes.sql_expect import SqlExpect

AT = address("postgres://127.0.0.1")
LOGIN = Login(Secret("canary"), "monitor")
ALLOWED = message(b"R", bytes(4))
READY = message(b"Z", b"I")
SESSION = message(b"S", b"server_version\x0016.2\0") + message(b"K", bytes(8)) + READY
ASKS = message(b"R", b"\0\0\0\x03")


def error(code: str, words: str = "as it says", severity: str = "FATAL") -> bytes:
    fields = f"S{severity}\0V{severity}\0C{code}\0M{words}\0RRoutine\0\0"
    return message(b"E", fields.encode())


def answer_of(*rows: tuple[str | None, ...]) -> bytes:
    said = message(b"T", b"\0\0")
    for row in rows:
        values = (
            b"\xff\xff\xff\xff" if one is None else len(one).to_bytes(4, "big") + one.encode() for one in row
        )
        said += message(b"D", len(row).to_bytes(2, "big") + b"".join(values))
    return said + message(b"C", b"SELECT\0") + READY


PRIMARY = answer_of(("f", "off", "7", "100", "3"))
STANDBY = answer_of(("t", "on", "7", "100", "3"))
INSIDE = [ALLOWED, SESSION]
HEALTHY = [*INSIDE, PRIMARY]


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_primary_is_ready(chunk: int | None) -> None:
    played = play(conversation(Options(AT)), HEALTHY, chunk=chunk)
    assert (played.settled.outcome, played.settled.cause) == (Outcome.PASS, None)
    assert played.settled.facts == {
        "version": "16.2",
        "role": "primary",
        "connections": 7,
        "connections_max": 100,
    }
    assert played.sent.endswith(TERMINATE)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_at_the_door_has_its_cause(code: str) -> None:
    cause, meaning = ERRORS[code]
    asked = Options(address("postgres://someone@127.0.0.1/shop"))
    settled = play(conversation(asked), [error(code.ljust(5, "9")), Closed()]).settled
    assert settled.cause is cause
    assert meaning in settled.detail
    assert settled.facts["sqlstate"] == code.ljust(5, "9")


@pytest.mark.parametrize("words", sorted(POOLER))
@pytest.mark.parametrize("code", ["08P01", ""])
def test_every_error_of_a_pooler_has_its_cause(code: str, words: str) -> None:
    asked = Options(address("postgres://someone@127.0.0.1/shop"))
    settled = play(conversation(asked), [error(code, f"pooler: {words} (x)"), Closed()]).settled
    first = next(row for known, row in POOLER.items() if known in words)
    assert (settled.cause, settled.detail.split(":")[0]) == first


def test_an_unknown_error_is_an_error_answer() -> None:
    assert play(conversation(Options(AT)), [error("ZZ999")]).settled.cause is Cause.ERROR_ANSWER


def test_a_postmaster_that_can_not_fork_is_overloaded() -> None:
    said = b"Ecould not fork new process for connection: Cannot allocate memory\n\0"
    assert play(conversation(Options(AT)), [said, Closed()]).settled.cause is Cause.OVERLOADED
    assert play(conversation(Options(AT, login=LOGIN)), [said, Closed()]).settled.cause is Cause.OVERLOADED


# -- TLS -------------------------------------------------------------------------------------------


def test_rules_for_other_clients_block_this_one() -> None:
    rejected = error("28000", 'no pg_hba.conf entry for host "10.0.0.9", user "postgres", no encryption')
    played = play(conversation(Options(AT)), [rejected, b"N"])
    assert played.settled.cause is Cause.BLOCKED
    assert played.settled.facts["tls"] == "not offered"
    assert len(played.dials) == 1


def test_tls_is_tried_where_the_rules_may_want_it() -> None:
    rejected = error("28000", "no pg_hba.conf entry, no encryption")
    played = play(conversation(Options(AT)), [rejected, b"S", *HEALTHY])
    assert played.settled.cause is None
    assert played.settled.facts["tls"] == "used"
    assert played.tls[0].settings is None
    again = play(conversation(Options(AT)), [rejected, b"S", rejected])
    assert again.settled.cause is Cause.BLOCKED


@pytest.mark.parametrize(("says", "cause"), [([b"S", *HEALTHY], None), ([b"N"], Cause.WRONG_ANSWER)])
def test_configured_tls_is_a_must(says: list[bytes], cause: Cause | None) -> None:
    settings = TlsSettings(ca="ca.pem")
    played = play(conversation(Options(AT, tls=settings)), says)
    assert played.settled.cause is cause
    assert [step.settings for step in played.tls] == ([] if cause else [settings])


def test_a_bare_look_asks_for_no_tls() -> None:
    assert SSL_REQUEST not in play(conversation(Options(AT)), HEALTHY).sent


# -- login -----------------------------------------------------------------------------------------


def test_no_login_is_up_unless_something_needs_one() -> None:
    played = play(conversation(Options(AT)), [ASKS])
    assert (played.settled.cause, played.settled.facts["login"]) == (None, "demanded")
    assert played.hung_up
    for needing in (
        Options(AT, query="select 1"),
        Options(AT, expect=SqlExpect(role="primary")),
        Options(AT, expect=SqlExpect(lag_s=9)),
    ):
        assert play(conversation(needing), [ASKS]).settled.cause is Cause.LOGIN_REFUSED


def test_nobody_in_particular_may_be_unknown() -> None:
    unknown = error("28000", 'role "postgres" does not exist')
    settled = play(conversation(Options(AT)), [unknown]).settled
    assert (settled.cause, settled.facts["login"]) == (None, "demanded")
    somebody = Options(address("postgres://somebody@127.0.0.1"))
    assert play(conversation(somebody), [unknown]).settled.cause is Cause.LOGIN_REFUSED
    assert play(conversation(Options(AT, query="x")), [unknown]).settled.cause is Cause.LOGIN_REFUSED


def test_a_database_that_nobody_asked_for_may_be_missing() -> None:
    missing = error("3D000", "database does not exist")
    assert play(conversation(Options(AT)), [ALLOWED, missing]).settled.cause is None
    shop = Options(address("postgres://127.0.0.1/shop"))
    assert play(conversation(shop), [ALLOWED, missing]).settled.cause is Cause.ERROR_ANSWER


@pytest.mark.parametrize(
    "says", [[b"HTTP/1.1 400 Bad Request\r\n"], [b"SSH-2.0-x\r\n"], [b"N", b"+PONG\r\n"], [b"N", b"Rx"]]
)
def test_a_stranger_never_gets_the_password(says: list[bytes]) -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [*says, Closed()])
    assert b"canary" not in played.sent
    assert played.broke or played.settled.cause is Cause.WRONG_SERVICE


def test_the_password_is_sent_as_a_secret() -> None:
    played = play(conversation(Options(AT, login=LOGIN)), [b"N", ASKS, ALLOWED + SESSION, PRIMARY])
    assert played.settled.cause is None
    assert b"canary" in played.said_secretly
    assert b"user\0monitor\0" in played.sent


# -- inside ----------------------------------------------------------------------------------------


def test_a_query_is_of_the_function_layer() -> None:
    options = Options(AT, query="select 7", expect=SqlExpect(value=7))
    played = play(conversation(options), [*HEALTHY, READY, answer_of(("7",))])
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]
    assert played.sent.endswith(TERMINATE)
    wrong = play(conversation(options), [*HEALTHY, READY, answer_of(("8",))])
    assert (wrong.settled.layer, wrong.settled.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)


@pytest.mark.parametrize(
    ("says", "layer", "cause"),
    [
        ([READY, error("42P01", severity="ERROR") + READY], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([READY, error("25006", severity="ERROR") + READY], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([error("53100", severity="ERROR") + READY], Layer.FUNCTION, Cause.DISK_FULL),
        ([READY, error("57P01"), Closed()], Layer.SERVICE, Cause.STARTING_UP),
        ([READY, b"T\0", Closed()], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([READY, Quiet(final=True)], Layer.FUNCTION, Cause.SLOW),
        ([READY, message(b"D", bytes(200_000)) * 2], Layer.FUNCTION, Cause.WRONG_ANSWER),
    ],
)
def test_a_query_that_fails(says: list[bytes | Break], layer: Layer, cause: Cause) -> None:
    settled = play(conversation(Options(AT, query="select 1")), [*HEALTHY, *says]).settled
    assert (settled.layer, settled.cause, settled.outcome) == (layer, cause, Outcome.FAIL)


def test_an_error_of_the_state_is_the_services() -> None:
    settled = play(conversation(Options(AT)), [*INSIDE, error("57P01"), Closed()]).settled
    assert (settled.layer, settled.cause) == (Layer.SERVICE, Cause.STARTING_UP)


def test_expecting_something_of_no_query_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="add query"):
        Options(AT, expect=SqlExpect(rows=1))


# -- others ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\1", b"-ERR unknown\r\n", b"R\0\0\0\1", b"RFB 003\n"]
)
def test_what_is_not_postgres_is_a_stranger(said: bytes) -> None:
    assert play(conversation(Options(AT)), [said]).settled.cause is Cause.WRONG_SERVICE
    assert play(conversation(Options(AT, login=LOGIN)), [said]).settled.cause is Cause.WRONG_SERVICE


@given(st.sampled_from([Options(AT), Options(AT, login=LOGIN, query="x")]), noise([b"N", *HEALTHY, READY]))
def test_any_peer_is_survived(options: Options, says: list[bytes | Break]) -> None:
    play(conversation(options), says)


def test_recognise() -> None:
    assert PROBE.recognise(error("57P03"))
    for said in (b"", b"ERROR\r\n", b"E", b"EHLO x\r\n", b"220 x ESMTP\r\n"):
        assert not PROBE.recognise(said)
