"""The LDAP probe against a script: a row of its tables each, and its states."""

import pytest
from hypothesis import given

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes import ber
from trueup.probes.ldap import (
    ACTIVE_DIRECTORY,
    ERRORS,
    LOGIN_ERRORS,
    MESSAGES,
    PROBE,
    START_TLS_AGAIN,
    Options,
    conversation,
)
from trueup.probes.ldap_message import MESSAGES_MAX, START_TLS

LOGIN = Login(Secret("canary"), "cn=ann")
DONE, BOUND, EXTENDED = 0x65, 0x61, 0x78


def message(number: int, operation: bytes) -> bytes:
    return ber.element(ber.SEQUENCE, ber.number(number), operation)


def result(number: int, tag: int, code: int, words: bytes = b"") -> bytes:
    parts = ber.number(code, ber.ENUMERATED), ber.octets(b""), ber.octets(words)
    return message(number, ber.element(tag, *parts))


def entry(number: int, **attributes: bytes) -> bytes:
    listed = (
        ber.element(ber.SEQUENCE, ber.octets(name.encode()), ber.element(ber.SET, ber.octets(value)))
        for name, value in attributes.items()
    )
    return message(number, ber.element(0x64, ber.octets(b""), ber.element(ber.SEQUENCE, *listed)))


ROOT = entry(1, vendorName=b"Example") + result(1, DONE, 0)
ROOT_TLS = entry(1, supportedExtension=START_TLS) + result(1, DONE, 0)
GO = result(2, EXTENDED, 0)
IN = result(4, BOUND, 0)
FOUND = entry(5) + result(5, DONE, 0)


def ask(
    *says: bytes | Break,
    at: str = "ldap://127.0.0.1",
    login: Login | None = None,
    tls: TlsSettings | None = None,
) -> Played:
    return play(conversation(Options(address(at), login, tls)), says)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_directory_answers(chunk: int | None) -> None:
    played = play(conversation(Options(address("ldap://127.0.0.1"))), [ROOT], chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert played.settled.facts == {"software": "Example", "tls": "not offered"}
    assert played.sent.endswith(bytes.fromhex("30050201094200")), "unbind, so that the server closes first"


def test_a_root_entry_that_isnt_shown_is_as_healthy() -> None:
    assert ask(result(1, DONE, 0)).settled.cause is None


@pytest.mark.parametrize("code", sorted(ERRORS.keys() - {13}))
def test_every_result_of_the_search_has_its_cause(code: int) -> None:
    cause, meaning = ERRORS[code]
    answer = ask(result(1, DONE, code, b"as it says")).settled
    assert (answer.cause, answer.facts["code"]) == (cause, code)
    assert meaning in answer.detail
    assert answer.facts.get("login") == (None if cause else "demanded")


@pytest.mark.parametrize("code", [*sorted(ERRORS), 123])
def test_every_result_of_a_login_has_its_cause(code: int) -> None:
    answer = ask(ROOT, result(4, BOUND, code), login=LOGIN).settled
    cause = {**ERRORS, **LOGIN_ERRORS}.get(code, (Cause.ERROR_ANSWER,))[0]
    assert (answer.outcome, answer.cause) == (Outcome.FAIL, cause or Cause.LOGIN_REFUSED)
    assert "the login fails" in answer.detail


@pytest.mark.parametrize("code", [*sorted(ERRORS), 123])
def test_every_result_of_reading_an_entry_has_its_cause(code: int) -> None:
    played = ask(ROOT, result(5, DONE, code), at="ldap://127.0.0.1/dc=example")
    cause = ERRORS.get(code, (Cause.ERROR_ANSWER,))[0] or Cause.LOGIN_REFUSED
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, cause)
    assert played.marks[0].cause is None


@pytest.mark.parametrize("number", sorted(ACTIVE_DIRECTORY))
def test_what_active_directory_says_beside(number: bytes) -> None:
    words = b"80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data %b, v3839" % number
    answer = ask(ROOT, result(4, BOUND, 49, words), login=LOGIN).settled
    assert answer.cause is Cause.LOGIN_REFUSED
    assert ACTIVE_DIRECTORY[number] in answer.detail


@pytest.mark.parametrize("words", sorted(MESSAGES))
def test_messages_are_told_apart_by_their_words(words: bytes) -> None:
    assert ask(result(0, EXTENDED, 52, words.title())).settled.cause is MESSAGES[words][0]


class TestTls:
    def test_offered_is_a_fact(self) -> None:
        assert ask(ROOT_TLS).settled.facts["tls"] == "offered"

    def test_configured_it_must_be_there(self) -> None:
        settings = TlsSettings(ca="/ca.pem")
        unsupported = result(2, EXTENDED, 2, b"unsupported extended operation")
        assert ask(ROOT, unsupported, tls=settings).settled.cause is Cause.WRONG_ANSWER
        played = ask(ROOT_TLS, GO, tls=settings)
        assert played.settled.facts["tls"] == "started"
        assert [step.settings for step in played.tls] == [settings]

    @pytest.mark.parametrize("code", [*sorted(ERRORS.keys() - {1, 2}), 123])
    def test_failing_it_is_never_up(self, code: int) -> None:
        answer = ask(ROOT_TLS, result(2, EXTENDED, code), tls=TlsSettings()).settled
        cause = ERRORS.get(code, (None,))[0] or Cause.ERROR_ANSWER
        assert (answer.outcome, answer.cause) == (Outcome.FAIL, cause)

    def test_demanded_by_the_server_it_is_spoken(self) -> None:
        confidential = result(1, DONE, 13, b"confidentiality required")
        played = ask(confidential, GO, entry(3) + result(3, DONE, 0))
        assert (played.settled.cause, played.settled.facts["tls"]) == (None, "started")
        assert [step.settings for step in played.tls] == [None]
        assert ask(confidential, GO, result(3, DONE, 51)).settled.cause is Cause.OVERLOADED

    def test_too_soon_after_the_search_it_is_asked_for_again(self) -> None:
        busy = [
            part
            for number in (2, *range(10, 10 + START_TLS_AGAIN))
            for part in (result(number, EXTENDED, 1, b"operations are outstanding"), Quiet())
        ]
        last = result(10 + START_TLS_AGAIN - 1, EXTENDED, 0)
        played = ask(ROOT_TLS, *busy[:-2], last, tls=TlsSettings())
        assert (played.settled.facts["tls"], len(played.tls)) == ("started", 1)
        never = ask(ROOT_TLS, *busy[:-1], tls=TlsSettings())
        assert (never.settled.cause, never.tls) == (Cause.ERROR_ANSWER, [])
        assert ask(ROOT_TLS, *busy[:1], Quiet(final=True), tls=TlsSettings()).tls == []

    def test_ldaps_speaks_it_from_the_start(self) -> None:
        played = ask(ROOT_TLS, IN, login=LOGIN, at="ldaps://127.0.0.1")
        assert "tls" not in played.settled.facts
        assert played.tls == []


class TestLogin:
    def test_behind_tls_where_it_is_offered(self) -> None:
        played = ask(ROOT_TLS, GO, IN, login=LOGIN)
        assert (played.settled.facts["login"], played.settled.facts["tls"]) == ("accepted", "started")
        assert b"canary" in played.said_secretly

    @pytest.mark.parametrize(
        "login", [Login(Secret(""), "cn=ann"), Login(Secret("canary")), Login(Secret(""))]
    )
    def test_what_anybody_would_accept_proves_nothing(self, login: Login) -> None:
        with pytest.raises(AddressError, match="distinguished name"):
            Options(address("ldap://127.0.0.1"), login)

    @pytest.mark.parametrize(
        "says", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"0\x03\x01"]
    )
    def test_the_password_is_not_for_strangers(self, says: bytes) -> None:
        played = ask(says, Closed(), login=LOGIN)
        assert played.said_secretly == b""
        assert played.answer is None or played.answer.cause is Cause.WRONG_SERVICE


class TestEntry:
    def test_one_that_is_there(self) -> None:
        played = ask(ROOT, IN, FOUND, at="ldap://127.0.0.1/dc=example,dc=test?cn", login=LOGIN)
        assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
        assert played.settled.detail == "has dc=example,dc=test"
        assert played.marks[0].facts["login"] == "accepted"

    def test_one_that_isnt_shown(self) -> None:
        answer = ask(ROOT, result(5, DONE, 0), at="ldap://127.0.0.1/dc=example").settled
        assert answer.cause is Cause.WRONG_ANSWER

    def test_one_that_is_shown_only_behind_tls(self) -> None:
        confidential = result(5, DONE, 13)
        again = entry(6) + result(6, DONE, 0)
        played = ask(ROOT_TLS, confidential, GO, again, at="ldap://127.0.0.1/dc=example")
        assert (played.settled.cause, len(played.tls)) == (None, 1)
        refused = ask(ROOT_TLS, confidential, result(2, EXTENDED, 52), at="ldap://127.0.0.1/dc=example")
        assert refused.settled.cause is Cause.ERROR_ANSWER
        assert ask(ROOT, confidential, at="ldap://127.0.0.1/dc=example").settled.cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x84\x7f\xff\xff\xff",
        message(1, ber.element(0x42)),
        message(7, ber.element(DONE, ber.number(0, ber.ENUMERATED), ber.octets(b""), ber.octets(b""))),
        message(1, ber.element(DONE, ber.number(0, ber.ENUMERATED))),
        entry(1) * (MESSAGES_MAX + 1),
        b"\x30\x00",
    ],
)
def test_strangers(said: bytes) -> None:
    answer = ask(said).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "ldap")


def test_a_closing_server_is_left_to_the_engine() -> None:
    for says in ([Closed()], [ROOT[:9], Closed(reset=True)], [entry(1), Closed()]):
        assert isinstance(ask(*says).broke, Closed)


@given(noise([ROOT_TLS, GO, IN, FOUND]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    played = ask(*says, login=LOGIN, at="ldap://127.0.0.1/dc=example")
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_it_asks_first() -> None:
    assert PROBE.asks_first
