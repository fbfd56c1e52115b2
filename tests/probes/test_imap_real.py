"""The IMAP probe with a real Dovecot, whole and broken."""

import contextlib
import signal
from collections.abc import Iterator

import pytest

from tests.beds import processes
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
    with dovecot() as server:
        yield server


def test_a_healthy_server(mail: Server) -> None:
    seen = answer(mail.url)
    assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
    assert (seen.facts["tls"], seen.facts["login"]) == ("not offered", "demanded")


def test_logins(mail: Server) -> None:
    entered = perform(mail.url, login=LOGIN)
    assert entered.answer is not None
    assert (entered.answer.layer, entered.answer.facts) == (Layer.FUNCTION, {"messages": 0})
    assert entered.marks[0][0].facts["login"] == "accepted"
    wrong = answer(mail.url, login=Login(Secret("wrong"), USER), timeout_s=10)
    assert (wrong.cause, wrong.facts["code"]) == (Cause.LOGIN_REFUSED, "AUTHENTICATIONFAILED")


def test_other_ways_of_logging_in() -> None:
    with dovecot(text="auth_mechanisms = login") as server:
        assert answer(server.url, login=LOGIN).facts == {"messages": 0}
    with dovecot(text="auth_mechanisms = cram-md5") as server:
        assert answer(server.url, login=LOGIN).outcome is Outcome.UNKNOWN


def test_tls(authority: Authority) -> None:
    trusted = TlsSettings(ca=str(authority.file))
    with dovecot(tls=authority.valid()) as server:
        assert answer(server.url).facts["tls"] == "offered"
        assert answer(server.url, tls=trusted).facts["tls"] == "started"
        entered = perform(server.url, login=LOGIN)
        assert entered.marks[0][0].facts["tls"] == "started"
        untrusted = perform(server.url, tls=TlsSettings()).fault
        assert untrusted is not None
        assert untrusted.cause is Cause.TLS_UNTRUSTED
    with dovecot("imaps", tls=authority.expired()) as server:
        expired = perform(server.url, tls=trusted).fault
        assert expired is not None
        assert expired.cause is Cause.TLS_EXPIRED
        assert answer(server.url, tls=TlsSettings(verify=False), login=LOGIN).cause is None


def test_tls_that_is_configured_and_not_offered(mail: Server) -> None:
    assert answer(mail.url, tls=TlsSettings()).cause is Cause.WRONG_ANSWER


def test_too_many_sessions_of_one_user() -> None:
    with dovecot(text="protocol imap {\n  mail_max_userip_connections = 1\n}") as server, _logged_in(server):
        full = "it counts who has logged in, a moment later"
        wait_until(lambda: answer(server.url, login=LOGIN).cause is Cause.OVERLOADED, full)
        assert answer(server.url).cause is None, "who doesn't log in isn't counted"


@contextlib.contextmanager
def _logged_in(server: Server) -> Iterator[None]:
    with connection(server) as stream:
        read_until(stream, b"\n")
        stream.sendall(f"a LOGIN {USER} {PASSWORD}\r\n".encode())
        read_until(stream, b"a OK")
        yield


def test_a_mailbox_that_cant_be_opened() -> None:
    """The login is accepted, and nobody can read mail."""
    with dovecot(text="mail_location = maildir:/proc/nowhere") as server:
        seen = perform(server.url, login=LOGIN)
        assert seen.answer is not None
        assert seen.answer.cause is Cause.ERROR_ANSWER
        assert answer(server.url).cause is None


def test_logins_without_the_process_that_checks_them() -> None:
    with dovecot() as server:
        assert answer(server.url, login=LOGIN).cause is None
        checking = [one for one in processes.descendants(server.pid) if one.command == "auth"]
        assert checking
        for process in checking:
            process.send(signal.SIGSTOP)
        stuck = perform(server.url, timeout_s=1).fault
        assert stuck is not None
        assert stuck.cause is Cause.SILENT, "it doesn't greet without them"


def test_paused_it_accepts_and_is_silent() -> None:
    with dovecot() as server, server.paused():
        fault = perform(server.url, timeout_s=0.5).fault
        assert fault is not None
        assert fault.cause is Cause.SILENT


def test_pop3_in_its_place() -> None:
    with dovecot("pop3") as server:
        assert answer(server.url.replace("pop3", "imap")).cause is Cause.WRONG_SERVICE
