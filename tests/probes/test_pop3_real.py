"""The POP3 probe with a real Dovecot, whole and broken."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.dovecot import PASSWORD, USER, dovecot
from tests.beds.server import Server
from tests.beds.wire import connection, read_until
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings

LOGIN = Login(Secret(PASSWORD), USER)


@pytest.fixture(scope="module")
def mail() -> Iterator[Server]:
    with dovecot("pop3") as server:
        yield server


def test_a_healthy_server(mail: Server) -> None:
    seen = answer(mail.url)
    assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
    assert (seen.facts["tls"], seen.facts["login"]) == ("not offered", "demanded")


def test_logins(mail: Server) -> None:
    entered = perform(mail.url, login=LOGIN)
    assert entered.answer is not None
    assert (entered.answer.layer, entered.answer.facts) == (Layer.FUNCTION, {"messages": 0})
    wrong = answer(mail.url, login=Login(Secret("wrong"), USER), timeout_s=10)
    assert (wrong.cause, wrong.facts["code"]) == (Cause.LOGIN_REFUSED, "AUTH")


def test_other_ways_of_logging_in() -> None:
    with dovecot("pop3", "auth_mechanisms = login") as server:
        assert answer(server.url, login=LOGIN).facts == {"messages": 0}
    with dovecot("pop3", "auth_mechanisms = cram-md5") as server:
        assert answer(server.url, login=LOGIN).outcome is Outcome.UNKNOWN


def test_tls(authority: Authority) -> None:
    with dovecot("pop3", tls=authority.valid()) as server:
        assert answer(server.url).facts["tls"] == "offered"
        assert answer(server.url, tls=TlsSettings(ca=str(authority.file))).facts["tls"] == "started"
        entered = perform(server.url, login=LOGIN)
        assert entered.marks[0][0].facts["tls"] == "started"
    with dovecot("pop3s", tls=authority.valid()) as server:
        assert answer(server.url, tls=TlsSettings(ca=str(authority.file)), login=LOGIN).cause is None


def test_too_many_sessions_of_one_user() -> None:
    text = "protocol pop3 {\n  mail_max_userip_connections = 1\n}"
    with dovecot("pop3", text) as server, _logged_in(server):
        full = "it counts who has logged in, a moment later"
        wait_until(lambda: answer(server.url, login=LOGIN).cause is Cause.OVERLOADED, full)


@contextlib.contextmanager
def _logged_in(server: Server) -> Iterator[None]:
    with connection(server) as stream:
        for line in (b"", f"USER {USER}\r\n".encode(), f"PASS {PASSWORD}\r\n".encode()):
            stream.sendall(line)
            read_until(stream, b"\n")
        yield


def test_a_mailbox_that_cant_be_opened() -> None:
    with dovecot("pop3", "mail_location = maildir:/proc/nowhere") as server:
        assert answer(server.url, login=LOGIN).cause is Cause.ERROR_ANSWER
        assert answer(server.url).cause is None


def test_imap_in_its_place() -> None:
    with dovecot() as server:
        assert answer(server.url.replace("imap", "pop3")).cause is Cause.WRONG_SERVICE
