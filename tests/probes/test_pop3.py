"""The POP3 probe against a script: a row of its tables each, and its states."""

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
from trueup.probes.pop3 import ERRORS, LINES_MAX, MESSAGES, PROBE, Options, conversation

AT = address("pop3://127.0.0.1")
LOGIN = Login(Secret("canary"), "ann")
GREETING = b"+OK Dovecot ready.\r\n"
CAN = b"+OK\r\nCAPA\r\nSTLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"
CAN_LITTLE = b"+OK\r\nUSER\r\n.\r\n"
CANT = b"-ERR unknown command\r\n"
OK = b"+OK\r\n"
IN = (b"+ \r\n", b"+OK Logged in.\r\n")
STATE = b"+OK 3 120\r\n"


def ask(
    *says: bytes | Break, login: Login | None = None, tls: TlsSettings | None = None, at: str = ""
) -> Played:
    return play(conversation(Options(address(at) if at else AT, login, tls)), says)


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_healthy_server_waits_for_a_login(chunk: int | None) -> None:
    played = play(conversation(Options(AT)), [GREETING, CAN], chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert played.settled.facts == {"greeting": "Dovecot ready.", "tls": "offered", "login": "demanded"}
    assert played.sent == b"CAPA\r\nQUIT\r\n"


def test_a_server_without_capabilities_is_as_healthy() -> None:
    assert ask(b"+OK\r\n", CANT).settled.facts["tls"] == "not offered"


@pytest.mark.parametrize("code", sorted(ERRORS))
@pytest.mark.parametrize("stage", ["greeting", "login", "mailbox"])
def test_every_code_has_its_cause(code: bytes, stage: str) -> None:
    says = {
        "greeting": [b"-ERR [%b] no\r\n" % code],
        "login": [GREETING, CAN_LITTLE, OK, b"-ERR [%b] no\r\n" % code],
        "mailbox": [GREETING, CAN, OK, CAN, *IN, b"-ERR [%b] no\r\n" % code],
    }[stage]
    answer = ask(*says, login=LOGIN).settled
    assert (answer.cause, answer.facts["code"]) == (ERRORS[code][0], code.decode())
    assert ERRORS[code][1] in answer.detail
    assert answer.layer is (Layer.FUNCTION if stage == "mailbox" else Layer.SERVICE)


@pytest.mark.parametrize("words", sorted(MESSAGES))
def test_messages_are_told_apart_by_their_words(words: bytes) -> None:
    assert ask(b"-ERR " + words.capitalize(), Closed()).settled.cause is MESSAGES[words][0]


def test_an_error_without_a_reason_is_an_error_answer() -> None:
    assert ask(b"-ERR\r\n").settled.cause is Cause.ERROR_ANSWER


class TestTls:
    def test_configured_it_must_be_there(self) -> None:
        settings = TlsSettings(ca="/ca.pem")
        assert ask(GREETING, CAN_LITTLE, tls=settings).settled.cause is Cause.WRONG_ANSWER
        played = ask(GREETING, CAN, OK, CAN_LITTLE, tls=settings)
        assert played.settled.facts["tls"] == "started"
        assert [step.settings for step in played.tls] == [settings]

    def test_offered_and_failing(self) -> None:
        answer = ask(GREETING, CAN, b"-ERR [SYS/TEMP] no key\r\n", tls=TlsSettings()).settled
        assert answer.cause is Cause.ERROR_ANSWER
        assert "STLS is offered and fails" in answer.detail

    def test_pop3s_speaks_it_from_the_start(self) -> None:
        played = ask(GREETING, CAN, *IN, STATE, login=LOGIN, at="pop3s://127.0.0.1")
        assert "tls" not in played.marks[0].facts
        assert played.tls == []


class TestLogin:
    def test_it_ends_at_the_mailbox(self) -> None:
        played = ask(GREETING, CAN, OK, CAN, *IN, STATE, login=LOGIN)
        assert (played.settled.layer, played.settled.facts) == (Layer.FUNCTION, {"messages": 3})
        assert played.marks[0].facts["login"] == "accepted"
        assert played.said_secretly == base64.b64encode(b"\0ann\0canary") + b"\r\n"

    def test_by_user_and_pass(self) -> None:
        played = ask(GREETING, CAN_LITTLE, OK, OK, STATE, login=LOGIN)
        assert played.settled.cause is None
        assert played.said_secretly == b"USER ann\r\nPASS canary\r\n"

    def test_word_by_word_where_nothing_else_is_offered(self) -> None:
        can = b"+OK\r\nSASL LOGIN\r\n.\r\n"
        says = [GREETING, can, b"+ VXNlcm5hbWU6\r\n", b"+ UGFzc3dvcmQ6\r\n", OK, STATE]
        played = ask(*says, login=LOGIN)
        assert played.settled.cause is None
        assert played.said_secretly.split() == [base64.b64encode(b"ann"), base64.b64encode(b"canary")]

    def test_a_foreign_way_is_unknown(self) -> None:
        can, no = (
            b"+OK\r\nUSER\r\nSASL GSSAPI\r\n.\r\n",
            b"-ERR [AUTH] Unsupported authentication mechanism.\r\n",
        )
        answer = ask(GREETING, can, OK, no, login=LOGIN).settled
        assert (answer.outcome, answer.cause) == (Outcome.UNKNOWN, None)
        assert "GSSAPI" in answer.detail

    def test_a_line_break_is_not_sent(self) -> None:
        played = ask(GREETING, CAN_LITTLE, login=Login(Secret("x\r\nDELE 1"), "ann"))
        assert (played.settled.outcome, played.settled.cause) == (Outcome.UNKNOWN, None)
        assert b"DELE" not in played.sent

    def test_a_plain_no_is_a_refusal(self) -> None:
        for says in ([CAN_LITTLE, b"-ERR who?\r\n"], [CAN_LITTLE, OK, b"-ERR no\r\n"]):
            assert ask(GREETING, *says, login=LOGIN).settled.cause is Cause.LOGIN_REFUSED

    @pytest.mark.parametrize("says", [[b"* OK IMAP4\r\n"], [b"+OK hm\r\n", b"HTTP/1.1 400 Bad Request\r\n"]])
    def test_the_password_is_not_for_strangers(self, says: list[bytes]) -> None:
        played = ask(*says, login=LOGIN)
        assert played.settled.cause is Cause.WRONG_SERVICE
        assert played.said_secretly == b""


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mx ESMTP\r\n", b"* OK\r\n", b"+PONG\r\n", b"x" * 9000, b"\0"]
)
def test_strangers(said: bytes) -> None:
    answer = ask(said, Closed()).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "pop3")


def test_an_endless_answer_ends() -> None:
    assert ask(GREETING, OK + b"MORE\r\n" * (LINES_MAX + 1)).settled.cause is Cause.ERROR_ANSWER
    assert ask(GREETING, OK + b"x" * 9000).settled.cause is Cause.ERROR_ANSWER


def test_a_closing_server_is_left_to_the_engine() -> None:
    for says in ([Closed()], [GREETING, Closed()], [GREETING, OK + b"STLS\r\n", Closed(reset=True)]):
        assert isinstance(ask(*says).broke, Closed)


@given(noise([GREETING, CAN, OK, CAN, *IN, STATE]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    played = ask(*says, login=LOGIN)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    for said in (GREETING, b"+OK\r\n", b"+OK <1.2@mx>\r\n", b"-ERR [SYS/TEMP] no\r\n"):
        assert PROBE.recognise(said)
    for said in (b"+PONG\r\n", b"-ERR unknown command 'GET'\r\n", b"-ERR 'Unknown'\r\n", b"", b"+OKAY\r\n"):
        assert not PROBE.recognise(said)
