"""The IMAP probe against a script: a row of its tables each, and its states."""

import base64

import pytest
from hypothesis import given

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.imap import ERRORS, LINES_MAX, MESSAGES, PROBE, Options, conversation

AT = address("imap://127.0.0.1")
LOGIN = Login(Secret('can"ary'), "ann")
PLAIN = base64.b64encode(b'\0ann\0can"ary')
GREETING = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n"
CAN = b"* CAPABILITY IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN\r\na OK done\r\n"
CAN_IN_WORDS = b"* CAPABILITY IMAP4rev1\r\na OK done\r\n"
GO = b"b OK Begin TLS\r\n"
IN = (b"+ \r\n", b"c OK Logged in\r\n")
STATE = b"* STATUS INBOX (MESSAGES 3)\r\nd OK done\r\n"


def ask(
    *says: bytes | Break, login: Login | None = None, tls: TlsSettings | None = None, at: str = ""
) -> Played:
    return play(conversation(Options(address(at) if at else AT, login, tls)), says)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_waits_for_a_login(chunk: int | None) -> None:
    played = play(conversation(Options(AT)), [GREETING, CAN], chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert {**played.settled.facts, "greeting": ""} == {"greeting": "", "tls": "offered", "login": "demanded"}
    assert played.sent == b"a CAPABILITY\r\nz LOGOUT\r\n"


@pytest.mark.parametrize("code", sorted(ERRORS))
@pytest.mark.parametrize("stage", ["greeting", "capability", "login", "mailbox"])
def test_every_code_has_its_cause(code: bytes, stage: str) -> None:
    says = {
        "greeting": [b"* BYE [%b] no\r\n" % code],
        "capability": [GREETING, b"a NO [%b] no\r\n" % code],
        "login": [GREETING, CAN, GO, CAN, b"c NO [%b] no\r\n" % code],
        "mailbox": [GREETING, CAN, GO, CAN, *IN, b"d NO [%b] no\r\n" % code],
    }[stage]
    answer = ask(*says, login=LOGIN).settled
    assert (answer.cause, answer.facts["code"]) == (ERRORS[code][0], code.decode())
    assert ERRORS[code][1] in answer.detail
    assert answer.layer is (Layer.FUNCTION if stage == "mailbox" else Layer.SERVICE)


@pytest.mark.parametrize("words", sorted(MESSAGES))
def test_messages_are_told_apart_by_their_words(words: bytes) -> None:
    answer = ask(b"* BYE " + words.capitalize() + b".\r\n", Closed()).settled
    assert answer.cause is MESSAGES[words][0]


def test_a_goodbye_without_a_reason_is_an_error_answer() -> None:
    assert ask(b"* BYE", Closed()).settled.cause is Cause.ERROR_ANSWER
    assert ask(GREETING, b"* BYE Disconnected\r\n").settled.cause is Cause.ERROR_ANSWER
    assert ask(GREETING, b"a BAD what\r\n").settled.cause is Cause.ERROR_ANSWER


def test_preauth_is_ready() -> None:
    assert ask(b"* PREAUTH hello\r\n", CAN_IN_WORDS).settled.facts["tls"] == "not offered"


class TestTls:
    def test_configured_it_must_be_there(self) -> None:
        settings = TlsSettings(ca="/ca.pem")
        assert ask(GREETING, CAN_IN_WORDS, tls=settings).settled.cause is Cause.WRONG_ANSWER
        played = ask(GREETING, CAN, GO, CAN_IN_WORDS, tls=settings)
        assert played.settled.facts["tls"] == "started"
        assert [step.settings for step in played.tls] == [settings]

    def test_offered_and_failing(self) -> None:
        answer = ask(GREETING, CAN, b"b NO [UNAVAILABLE] no key\r\n", tls=TlsSettings()).settled
        assert answer.cause is Cause.ERROR_ANSWER
        assert "STARTTLS is offered and fails" in answer.detail

    def test_imaps_speaks_it_from_the_start(self) -> None:
        played = ask(GREETING, CAN, *IN, STATE, login=LOGIN, at="imaps://127.0.0.1")
        assert "tls" not in played.marks[0].facts
        assert played.tls == []


class TestLogin:
    def test_it_ends_at_the_mailbox(self) -> None:
        played = ask(GREETING, CAN, GO, CAN, *IN, STATE, login=LOGIN)
        assert (played.settled.layer, played.settled.facts) == (Layer.FUNCTION, {"messages": 3})
        assert played.marks[0].facts["login"] == "accepted"
        assert played.said_secretly == PLAIN + b"\r\n"

    def test_by_counted_words(self) -> None:
        says = [GREETING, CAN_IN_WORDS, b"+ go\r\n", b"+ go\r\n", b"c OK in\r\n", STATE]
        played = ask(*says, login=LOGIN)
        assert played.settled.cause is None
        assert b"c LOGIN {3}\r\n" in played.sent
        assert played.said_secretly == b'ann {7}\r\ncan"ary\r\n'

    def test_word_by_word_where_nothing_else_is_offered(self) -> None:
        can = b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=LOGIN\r\na OK done\r\n"
        says = [GREETING, can, b"+ VXNlcm5hbWU6\r\n", b"+ UGFzc3dvcmQ6\r\n", b"c OK in\r\n", STATE]
        played = ask(*says, login=LOGIN)
        assert played.settled.cause is None
        assert played.said_secretly.split() == [base64.b64encode(b"ann"), base64.b64encode(b'can"ary')]

    def test_a_foreign_way_is_unknown(self) -> None:
        can = b"* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI\r\na OK done\r\n"
        answer = ask(GREETING, can, login=LOGIN).settled
        assert (answer.outcome, answer.cause) == (Outcome.UNKNOWN, None)
        assert "GSSAPI" in answer.detail

    def test_a_plain_no_is_a_refusal(self) -> None:
        assert ask(GREETING, CAN, GO, CAN, b"c NO nope\r\n", login=LOGIN).settled.cause is Cause.LOGIN_REFUSED

    def test_what_asks_on_without_end_is_refused(self) -> None:
        assert ask(GREETING, CAN, GO, CAN, *[b"+ \r\n"] * 3, login=LOGIN).settled.cause is Cause.LOGIN_REFUSED

    def test_disabled_before_tls_which_isnt_offered(self) -> None:
        can = b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na OK done\r\n"
        assert ask(GREETING, can, login=LOGIN).settled.cause is Cause.LOGIN_REFUSED

    @pytest.mark.parametrize("says", [[b"+OK POP3\r\n"], [b"* OK hm\r\n", b"HTTP/1.1 400 Bad Request\r\n"]])
    def test_the_password_is_not_for_strangers(self, says: list[bytes]) -> None:
        played = ask(*says, login=LOGIN)
        assert played.settled.cause is Cause.WRONG_SERVICE
        assert played.said_secretly == b""


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mx ESMTP\r\n",
        b"+OK POP3\r\n",
        b"* what\r\n",
        b"*3\r\n",
        b"x" * 9000,
        b"\0",
    ],
)
def test_strangers(said: bytes) -> None:
    answer = ask(said, Closed()).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "imap")


def test_an_endless_answer_ends() -> None:
    assert ask(GREETING, b"* MORE\r\n" * (LINES_MAX + 1)).settled.cause is Cause.ERROR_ANSWER
    assert ask(GREETING, b"* " + b"x" * 9000).settled.cause is Cause.ERROR_ANSWER


def test_a_closing_server_is_left_to_the_engine() -> None:
    for says in ([Closed()], [GREETING, Closed()], [GREETING, b"* CAPABILITY\r\n", Closed(reset=True)]):
        assert isinstance(ask(*says).broke, Closed)


@given(noise([GREETING, CAN, GO, CAN, *IN, STATE]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    played = ask(*says, login=LOGIN)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    for said in (GREETING, b"* BYE full\r\n", b"* PREAUTH hi\r\n", b"* ok\r\n"):
        assert PROBE.recognise(said)
    for said in (b"*3\r\n$4\r\n", b"+OK\r\n", b"", b"* NO\r\n"):
        assert not PROBE.recognise(said)
