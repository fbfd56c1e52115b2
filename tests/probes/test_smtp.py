"""The SMTP probe against a script: a row of its tables each, and its states."""

import base64

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
from trueup.probes.smtp import ERRORS, MESSAGES, PROBE, Options, conversation

AT = address("smtp://127.0.0.1")
SUBMISSION = address("submission://127.0.0.1")
LOGIN = Login(Secret("canary"), "ann")
GREETING = b"220 mx.example.org ESMTP Postfix\r\n"
EHLO = b"250-mx.example.org\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
SECURED = b"250-mx.example.org\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
OK = b"250 2.1.0 Ok\r\n"
GO = b"220 2.0.0 Ready to start TLS\r\n"
HEALTHY = (GREETING, EHLO, OK, OK)


def ask(*says: bytes | Break, at: str = "smtp://127.0.0.1", chunk: int | None = None) -> Played:
    return play(conversation(Options(address(at))), says, chunk=chunk)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_takes_mail(chunk: int | None) -> None:
    played = ask(*HEALTHY, chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert played.settled.facts == {"greeting": "mx.example.org ESMTP Postfix", "tls": "offered"}
    assert played.sent == b"EHLO trueup.invalid\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n"


@pytest.mark.parametrize("greeting", [b"220-one\r\n220-two\r\n220 three ESMTP\r\n", b"220\r\n", b"220 x\n"])
def test_greetings_of_any_shape(greeting: bytes) -> None:
    assert ask(greeting, EHLO, OK, OK, chunk=5).settled.cause is None


def test_it_waits_for_the_greeting() -> None:
    played = ask(Quiet(final=True))
    assert (played.sent, type(played.broke)) == (b"", Quiet)


@pytest.mark.parametrize("code", sorted(code for code in ERRORS if code != 530))  # it has tests of its own
@pytest.mark.parametrize("before", [(GREETING, EHLO), (GREETING, EHLO, OK)], ids=["mail", "rset"])
def test_every_code_has_its_cause(code: int, before: tuple[bytes, ...]) -> None:
    cause, meaning = ERRORS[code]
    played = ask(*before, b"%d 4.7.0 as it says\r\n" % code)
    assert played.settled.cause == cause
    assert meaning in played.settled.detail
    assert played.settled.facts == {"code": code, "enhanced": "4.7.0"}
    assert played.sent.endswith(b"QUIT\r\n")


@pytest.mark.parametrize("code", sorted(code for code in ERRORS if code != 530))
def test_a_greeting_that_refuses(code: int) -> None:
    assert ask(b"%d no\r\n" % code, Closed()).settled.cause == ERRORS[code][0]
    assert ask(b"%d no" % code, Closed()).settled.cause == ERRORS[code][0], "closed within the line"


@pytest.mark.parametrize("words", sorted(MESSAGES))
def test_messages_are_told_apart_by_their_words(words: bytes) -> None:
    answer = ask(b"421 4.3.0 mx.example.org " + words.title() + b"\r\n").settled
    assert answer.cause == MESSAGES[words][0]


def test_what_a_host_is_called_says_nothing() -> None:
    assert ask(b"421 disk.example.org try later\r\n").settled.cause is Cause.OVERLOADED


def test_an_old_server_knows_helo_only() -> None:
    played = ask(GREETING, b"502 5.5.2 what?\r\n", b"250 hello\r\n", OK, OK)
    assert (played.settled.cause, played.settled.facts["tls"]) == (None, "not offered")
    assert b"HELO trueup.invalid\r\n" in played.sent


def test_a_mail_server_that_refuses_every_introduction() -> None:
    refuses = [b"502 5.5.2 no\r\n"] * 2
    assert ask(GREETING, *refuses).settled.cause is Cause.ERROR_ANSWER
    assert ask(b"220 hello\r\n", *refuses).settled.cause is Cause.WRONG_SERVICE


class TestTls:
    def test_submission_upgrades_and_verifies(self) -> None:
        played = ask(GREETING, EHLO, GO, SECURED, OK, OK, at="submission://127.0.0.1")
        assert played.settled.facts["tls"] == "started"
        assert [step.settings for step in played.tls] == [TlsSettings()]

    def test_submission_without_starttls_is_a_wrong_answer(self) -> None:
        played = ask(GREETING, SECURED, at="submission://127.0.0.1")
        assert played.settled.cause is Cause.WRONG_ANSWER
        assert "submission" in played.settled.detail

    def test_tls_that_is_configured_must_be_there(self) -> None:
        options = Options(AT, tls=TlsSettings(ca="/ca.pem"))
        assert play(conversation(options), [GREETING, SECURED]).settled.cause is Cause.WRONG_ANSWER
        played = play(conversation(options), [GREETING, EHLO, GO, SECURED, OK, OK])
        assert [step.settings for step in played.tls] == [options.tls]

    def test_454_after_starttls(self) -> None:
        unavailable = b"454 4.7.0 TLS not available due to local problem\r\n"
        answer = ask(GREETING, EHLO, unavailable, at="submission://127.0.0.1").settled
        assert (answer.cause, answer.facts["code"]) == (Cause.ERROR_ANSWER, 454)
        assert "STARTTLS is offered and fails" in answer.detail

    def test_a_server_that_demands_it_gets_it(self) -> None:
        must = b"530 5.7.0 Must issue a STARTTLS command first\r\n"
        played = ask(GREETING, EHLO, must, GO, SECURED, OK, OK)
        assert (played.settled.cause, played.settled.facts["tls"]) == (None, "started")
        assert [step.settings for step in played.tls] == [None]

    def test_smtps_speaks_it_from_the_start(self) -> None:
        played = ask(*HEALTHY, at="smtps://127.0.0.1")
        assert "tls" not in played.settled.facts
        assert played.tls == []
        assert PROBE.dial(address("smtps://127.0.0.1"), None).tls == TlsSettings()


class TestLogin:
    @pytest.mark.parametrize(
        "reply",
        [
            b"530 5.7.0 Authentication required\r\n",
            b"550 5.7.1 Client must be authenticated\r\n",
            b"554 5.7.1 Authentication needed\r\n",
        ],
    )
    def test_demanded_and_none_configured_is_up(self, reply: bytes) -> None:
        answer = ask(GREETING, SECURED, reply).settled
        assert (answer.outcome, answer.facts["login"]) == (Outcome.PASS, "demanded")

    def test_plain_goes_through_tls_and_after_identity(self) -> None:
        played = play(
            conversation(Options(SUBMISSION, LOGIN)), [GREETING, EHLO, GO, SECURED, b"235 ok\r\n", OK, OK]
        )
        assert played.settled.facts["login"] == "accepted"
        assert played.said_secretly == b"AUTH PLAIN " + base64.b64encode(b"\0ann\0canary") + b"\r\n"

    def test_login_goes_word_by_word(self) -> None:
        offers = b"250-mx\r\n250 AUTH=LOGIN CRAM-MD5\r\n"
        says = [GREETING, offers, b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n", OK, OK]
        played = play(conversation(Options(AT, LOGIN)), says)
        assert played.settled.facts["login"] == "accepted"
        assert played.said_secretly.split() == [base64.b64encode(b"ann"), base64.b64encode(b"canary")]

    @pytest.mark.parametrize("code", [432, 454, 534, 535, 538])
    def test_refused(self, code: int) -> None:
        says = [GREETING, SECURED, b"%d 5.7.8 no\r\n" % code]
        answer = play(conversation(Options(AT, LOGIN)), says).settled
        assert answer.cause == ERRORS[code][0]
        assert "the login fails" in answer.detail

    def test_still_demanded_after_it(self) -> None:
        says = [GREETING, SECURED, b"235 ok\r\n", b"530 5.7.0 Authentication required\r\n"]
        assert play(conversation(Options(AT, LOGIN)), says).settled.cause is Cause.LOGIN_REFUSED

    def test_none_offered_is_refused_and_a_foreign_one_is_unknown(self) -> None:
        assert play(conversation(Options(AT, LOGIN)), [GREETING, b"250 mx\r\n"]).settled.cause is (
            Cause.LOGIN_REFUSED
        )
        answer = play(conversation(Options(AT, LOGIN)), [GREETING, b"250-mx\r\n250 AUTH GSSAPI\r\n"]).settled
        assert (answer.outcome, answer.cause) == (Outcome.UNKNOWN, None)
        assert "GSSAPI" in answer.detail

    @pytest.mark.parametrize(
        "says",
        [
            [b"SSH-2.0-OpenSSH_9.2\r\n"],
            [b"220 (vsFTPd 3.0.3)\r\n"],
            [b"220 hello\r\n", b"530 Please login with USER and PASS.\r\n" * 2],
            [GREETING, b"HTTP/1.1 400 Bad Request\r\n"],
        ],
    )
    def test_the_password_is_not_for_strangers(self, says: list[bytes]) -> None:
        played = play(conversation(Options(AT, LOGIN)), says)
        assert played.settled.cause is Cause.WRONG_SERVICE
        assert base64.b64encode(b"\0ann\0canary") not in played.sent


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 (vsFTPd 3.0.3)\r\n",
        b"* OK IMAP4rev1 ready\r\n",
        b"+OK POP3 ready\r\n",
        b"J\x00\x00\x00\n5.5.5\x00",
        b"200 PONG\r\n",
        b"120 wait\r\n",
        b"x" * 5000,
        b"2",
        b"\x00\xff\r\n",
    ],
)
def test_strangers(said: bytes) -> None:
    answer = ask(said, Closed()).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "smtp")


def test_a_closing_server_is_left_to_the_engine() -> None:
    for says in ([Closed()], [GREETING, Closed()], [b"220-half\r\n", Closed(reset=True)]):
        assert isinstance(ask(*says).broke, Closed)


def test_an_endless_answer_ends() -> None:
    endless = b"250-MORE\r\n" * (LINES_MAX + 1)
    assert ask(GREETING, endless).settled.cause is Cause.ERROR_ANSWER
    assert ask(GREETING, b"250-" + b"x" * 5000).settled.cause is Cause.ERROR_ANSWER
    assert ask(GREETING, b"250-MORE\r\n" * (LINES_MAX - 1) + b"250 END\r\n", OK, OK).settled.cause is None


@given(noise([GREETING, EHLO, GO, SECURED, b"235 ok\r\n", OK, OK]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    played = play(conversation(Options(SUBMISSION, LOGIN)), says)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    for said in (GREETING, b"220 mx\r\n500 5.5.2 Error: bad syntax\r\n", b"554 mx SMTP refused\r\n"):
        assert PROBE.recognise(said)
    for said in (b"220 (vsFTPd 3.0.3)\r\n", b"220 hello\r\n", b"HTTP/1.1 400 SMTP\r\n", b"", b"250 smtp\r\n"):
        assert not PROBE.recognise(said)
