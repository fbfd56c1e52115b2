"""The FTP probe against a script: a row of its tables each, and its states."""

import pytest
from hypothesis import given

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.coded_reply import LINES_MAX
from trueup.probes.ftp import ERRORS, GREETINGS, MESSAGES, PROBE, Options, conversation

AT = address("ftp://127.0.0.1")
LOGIN = Login(Secret("canary"), "ann")
GREETING = b"220 (vsFTPd 3.0.3)\r\n"
FEAT = b"211-Features:\r\n EPSV\r\n UTF8\r\n211 End\r\n"
FEAT_TLS = b"211-Features:\r\n AUTH TLS\r\n PBSZ\r\n211 End\r\n"
UNKNOWN = b"500 Unknown command.\r\n"
FIRST_LOGIN = b"530 Please login with USER and PASS.\r\n"
USER = b"331 Please specify the password.\r\n"
IN = b"230 Login successful.\r\n"


def ask(*says: bytes | Break, login: Login | None = None, tls: TlsSettings | None = None) -> Played:
    return play(conversation(Options(AT, login, tls)), says)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_waits_for_a_login(chunk: int | None) -> None:
    played = play(conversation(Options(AT)), [b"220-one\r\n 220 two\r\n" + GREETING, FEAT], chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert {**played.settled.facts, "greeting": ""} == {
        "greeting": "",
        "tls": "not offered",
        "login": "demanded",
    }
    assert played.sent == b"FEAT\r\nQUIT\r\n"


@pytest.mark.parametrize(
    ("greeting", "noop"),
    [
        (GREETING, FIRST_LOGIN),
        (b"220 hi\r\n", FIRST_LOGIN),
        (b"220 hi\r\n", b"200 ok\r\n"),
        (GREETING, UNKNOWN),
    ],
)
def test_a_server_that_knows_no_feat(greeting: bytes, noop: bytes) -> None:
    assert ask(greeting, UNKNOWN, noop).settled.cause is None


@pytest.mark.parametrize("code", sorted(ERRORS.keys() - {332}))  # that one is no greeting
def test_a_greeting_that_refuses(code: int) -> None:
    cause, meaning = (ERRORS | GREETINGS)[code]
    answer = ask(b"%d as it says" % code, Closed()).settled
    assert (answer.cause, answer.facts["code"]) == (cause, code)
    assert meaning in answer.detail


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_login_that_fails(code: int) -> None:
    answer = ask(GREETING, FEAT, USER, b"%d as it says" % code, Closed(), login=LOGIN).settled
    assert (answer.cause, answer.facts["code"]) == (ERRORS[code][0], code)
    assert "the login fails" in answer.detail


def test_421_later_than_in_the_greeting() -> None:
    full = b"421 Timeout.\r\n"
    assert ask(GREETING, full).settled.cause is Cause.OVERLOADED
    assert ask(GREETING, UNKNOWN, full).settled.cause is Cause.OVERLOADED


@pytest.mark.parametrize("words", sorted(MESSAGES))
def test_messages_are_told_apart_by_their_words(words: bytes) -> None:
    assert ask(b"530 Sorry, " + words.upper() + b" x\r\n").settled.cause is MESSAGES[words][0]


class TestTls:
    def test_offered_is_a_fact(self) -> None:
        assert ask(GREETING, FEAT_TLS).settled.facts["tls"] == "offered"

    def test_configured_it_must_be_there(self) -> None:
        settings = TlsSettings(ca="/ca.pem")
        assert ask(GREETING, FEAT, tls=settings).settled.cause is Cause.WRONG_ANSWER
        played = ask(GREETING, FEAT_TLS, b"234 Proceed.\r\n", tls=settings)
        assert played.settled.facts["tls"] == "started"
        assert [step.settings for step in played.tls] == [settings]

    def test_offered_and_failing(self) -> None:
        answer = ask(GREETING, FEAT_TLS, b"431 no key\r\n", tls=TlsSettings()).settled
        assert answer.cause is Cause.ERROR_ANSWER
        assert "AUTH TLS is offered and fails" in answer.detail


class TestLogin:
    def test_behind_tls_where_it_is_offered(self) -> None:
        played = ask(GREETING, FEAT_TLS, b"234 Proceed.\r\n", USER, IN, login=LOGIN)
        assert (played.marks[0].facts["login"], played.marks[0].facts["tls"]) == ("accepted", "started")
        assert [step.settings for step in played.tls] == [None]
        assert played.said_secretly == b"USER ann\r\nPASS canary\r\n"

    def test_a_user_who_needs_no_password(self) -> None:
        played = ask(GREETING, FEAT, IN, login=LOGIN)
        assert played.marks[0].facts["login"] == "accepted"
        assert b"canary" not in played.sent

    def test_a_line_break_is_not_sent(self) -> None:
        played = ask(GREETING, FEAT, login=Login(Secret("x\r\nDELE y"), "ann"))
        assert (played.settled.outcome, played.settled.cause) == (Outcome.UNKNOWN, None)
        assert b"DELE" not in played.sent

    @pytest.mark.parametrize(
        "says", [[b"220 mx ESMTP\r\n"], [b"220 hi\r\n", UNKNOWN, b"250 2.0.0 Ok\r\n"], [b"+OK POP3\r\n"]]
    )
    def test_the_password_is_not_for_strangers(self, says: list[bytes]) -> None:
        played = ask(*says, login=LOGIN)
        assert played.settled.cause is Cause.WRONG_SERVICE
        assert played.said_secretly == b""


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-x\r\n", b"220 mx ESMTP\r\n", b"* OK\r\n", b"230 in\r\n", b"x" * 9000, b"\0", b"22"]
)
def test_strangers(said: bytes) -> None:
    answer = ask(said, Closed()).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "ftp")


def test_an_endless_answer_ends() -> None:
    assert ask(GREETING, b"211-x\r\n" * (LINES_MAX + 1)).settled.cause is Cause.ERROR_ANSWER


def test_a_closing_server_is_left_to_the_engine() -> None:
    for says in ([Closed()], [GREETING, Closed()], [GREETING, b"211-x\r\n", Closed(reset=True)]):
        assert isinstance(ask(*says).broke, Closed)


@given(noise([GREETING, FEAT_TLS, b"234 Proceed.\r\n", USER, IN]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    played = ask(*says, login=LOGIN)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    for said in (
        GREETING,
        b"220 hello\r\n530 Please login with USER and PASS.\r\n",
        b"500 OOPS: bad\r\n",
        b"220-x\r\n220 ProFTPD\r\n",
    ):
        assert PROBE.recognise(said)
    for said in (
        b"220 mx ESMTP\r\n",
        b"220 hello\r\n",
        b"HTTP/1.1 200 ftp\r\n",
        b"",
        b"220 smtp for ftp\r\n",
    ):
        assert not PROBE.recognise(said)
