"""The SMTP probe with a real Postfix, whole and broken; with a fake one for what Postfix never says."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.dovecot import PASSWORD, USER, dovecot
from tests.beds.fake_smtp import fake_smtp
from tests.beds.postfix import postfix
from tests.beds.server import Server
from tests.beds.vsftpd import vsftpd
from tests.beds.wire import connection, read_until
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Login, TlsSettings


@pytest.fixture(scope="module")
def mail() -> Iterator[Server]:
    """Each of its connections is a process that reads its configuration anew."""
    with postfix(max_use=1) as server:
        yield server


@contextlib.contextmanager
def configured(server: Server, **settings: str | int) -> Iterator[None]:
    """Restrictions count where they are met, and not only at RCPT TO."""
    path = server.folder / "main.cf"
    before = path.read_text()
    lines = ["smtpd_delay_reject = no", *(f"{name} = {value}" for name, value in settings.items())]
    _write_long_ago(path, before + "".join(f"{line}\n" for line in lines))
    try:
        yield
    finally:
        _write_long_ago(path, before)


def _write_long_ago(path: Path, text: str) -> None:
    """Postfix reads a file of a second ago again and again, until it has come to rest."""
    path.write_text(text)
    os.utime(path, (0, 0))


def test_a_healthy_server(mail: Server) -> None:
    seen = answer(mail.url)
    assert (seen.outcome, seen.cause, seen.facts["tls"]) == (Outcome.PASS, None, "not offered")
    wait_until(lambda: "mail=1 rset=1 quit=1 commands=4" in mail.log(), "it has seen us leave")
    assert "lost connection after QUIT" not in mail.log()


def test_tls(authority: Authority) -> None:
    trusted = TlsSettings(ca=str(authority.file))
    with postfix("submission", tls=authority.valid()) as server:
        assert answer(server.url, tls=trusted).facts["tls"] == "started"
        untrusted = perform(server.url).fault
        assert untrusted is not None
        assert untrusted.cause is Cause.TLS_UNTRUSTED, "a submission port's certificate is verified"
        demanded = answer(server.url.replace("submission", "smtp"))
        assert (demanded.cause, demanded.facts["tls"]) == (None, "started")
    with postfix("smtps", tls=authority.wrong_name()) as server:
        misnamed = perform(server.url, tls=trusted).fault
        assert misnamed is not None
        assert misnamed.cause is Cause.TLS_NAME_MISMATCH
        assert answer(server.url, tls=TlsSettings(verify=False)).cause is None


def test_submission_without_starttls(mail: Server) -> None:
    """Ghost 23."""
    assert answer(mail.url.replace("smtp", "submission")).cause is Cause.WRONG_ANSWER


def test_starttls_that_isnt_available(mail: Server) -> None:
    """Ghost 23: the certificate's file is gone, and STARTTLS is offered all the same."""
    with configured(mail, smtpd_tls_security_level="may", smtpd_tls_cert_file="/nonexistent.pem"):
        assert answer(mail.url).facts["tls"] == "offered"
        seen = answer(mail.url.replace("smtp", "submission"))
        assert (seen.cause, seen.facts["code"]) == (Cause.ERROR_ANSWER, 454)


def test_too_many_connections(mail: Server) -> None:
    """Ghost 23."""
    with (
        configured(mail, smtpd_client_connection_count_limit=1, smtpd_client_event_limit_exceptions=""),
        connection(mail) as first,
    ):
        read_until(first, b"\n")
        seen = answer(mail.url)
        assert (seen.cause, seen.facts["code"]) == (Cause.OVERLOADED, 421)


def test_a_client_that_is_refused(mail: Server) -> None:
    with configured(mail, smtpd_client_restrictions="reject"):
        seen = answer(mail.url)
        assert (seen.cause, seen.facts["code"]) == (Cause.BLOCKED, 554)


def test_a_full_disk(mail: Server) -> None:
    with configured(mail, queue_minfree=9_000_000_000_000_000):
        seen = answer(mail.url)
        assert (seen.cause, seen.facts["code"]) == (Cause.DISK_FULL, 452)


def test_a_filter_behind_it_that_is_dead(mail: Server) -> None:
    with configured(mail, smtpd_sender_restrictions="check_policy_service unix:private/dead"):
        seen = answer(mail.url, timeout_s=10)
        assert (seen.cause, seen.facts["code"]) == (Cause.ERROR_ANSWER, 451)


def test_a_greeting_that_is_delayed(mail: Server) -> None:
    """Ghost 23: it's waited for, not spoken over; `slow` is the engine's to say."""
    with configured(mail, smtpd_client_restrictions="sleep 1"):
        seen = perform(mail.url)
        assert seen.answer is not None
        assert seen.answer.cause is None
        assert seen.total_ms > 900


def test_a_login_is_demanded(mail: Server) -> None:
    demands = "check_sender_access static:{530 5.7.0 Authentication required}"
    with configured(mail, smtpd_sender_restrictions=demands):
        seen = answer(mail.url)
        assert (seen.outcome, seen.facts["login"]) == (Outcome.PASS, "demanded")


def test_logins(mail: Server) -> None:
    listener = "service auth {\n  unix_listener auth-client {\n    mode = 0666\n  }\n}"
    with dovecot(text=listener) as logins:
        logins.folder.chmod(0o755)
        path = f"{logins.folder}/run/auth-client"
        with configured(mail, smtpd_sasl_auth_enable="yes", smtpd_sasl_type="dovecot", smtpd_sasl_path=path):
            assert answer(mail.url, login=Login(Secret(PASSWORD), USER)).facts["login"] == "accepted"
            wrong = answer(mail.url, login=Login(Secret("wrong"), USER), timeout_s=10)
            assert (wrong.cause, wrong.facts["code"]) == (Cause.LOGIN_REFUSED, 535)


def test_paused_it_accepts_and_is_silent(mail: Server) -> None:
    with mail.paused():
        fault = perform(mail.url, timeout_s=0.5).fault
        assert fault is not None
        assert fault.cause is Cause.SILENT


def test_an_ftp_server_in_its_place() -> None:
    with vsftpd() as server:
        assert answer(server.url.replace("ftp", "smtp")).cause is Cause.WRONG_SERVICE


class TestAFake:
    def test_its_controls(self) -> None:
        """A greeting of several lines, a byte at a time: both are healthy."""
        greeting = b"220-fake.example.test ESMTP\r\n220-Be kind.\r\n220 Go ahead\r\n"
        with fake_smtp(greeting=greeting, byte_by_byte=True) as server:
            assert answer(server.url).cause is None
            assert [line.split()[0] for line in server.commands] == [b"EHLO", b"MAIL", b"RSET", b"QUIT"]

    def test_it_is_not_spoken_over(self) -> None:
        with fake_smtp(delay_s=0.3) as server:
            fault = perform(server.url, timeout_s=0.1).fault
            assert fault is not None
            assert fault.cause is Cause.SILENT
        assert server.commands == []

    @pytest.mark.parametrize(
        ("greeting", "cause"),
        [
            (b"421 4.3.2 fake.example.test shutting down\r\n", Cause.STARTING_UP),
            (b"421 4.3.2 Connection rate limit exceeded\r\n", Cause.OVERLOADED),
            (
                b"554-fake.example.test\r\n554 Your access to this mail system has been rejected\r\n",
                Cause.BLOCKED,
            ),
        ],
    )
    def test_its_refusals(self, greeting: bytes, cause: Cause) -> None:
        with fake_smtp(greeting=greeting) as server:
            assert answer(server.url).cause is cause

    def test_its_ten_thousand_extensions(self) -> None:
        with fake_smtp({b"EHLO": b"250-X-MORE\r\n" * 10_000 + b"250 END\r\n"}) as server:
            assert answer(server.url).cause is Cause.ERROR_ANSWER
