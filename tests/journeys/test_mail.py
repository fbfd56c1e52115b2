"""A mail's round trip with Postfix and Dovecot, whole and broken."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.dovecot import PASSWORD, USER, dovecot
from tests.beds.postfix import postfix
from tests.beds.server import Server, free_port
from tests.journeys.performed import Performed, perform
from tests.playbook import address
from trueup.domain.secret import Secret
from trueup.domain.states import State
from trueup.domain.target import Login
from trueup.journeys.mail import _mailbox_of, _plain


@contextlib.contextmanager
def delivering(mailboxes: Server, **settings: str | int) -> Iterator[Server]:
    """Postfix, which delivers into Dovecot's only mailbox."""
    settings.setdefault("virtual_mailbox_maps", "static:mail/")
    with postfix(
        mydestination="",
        virtual_mailbox_domains="localhost",
        virtual_mailbox_base=str(mailboxes.folder),
        virtual_uid_maps="static:65534",
        virtual_gid_maps="static:65534",
        address="127.0.0.1",
        **settings,  # type: ignore[arg-type]
    ) as server:
        yield server


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Server]:
    with dovecot() as server:
        yield server


@pytest.fixture(scope="module")
def mta(mailboxes: Server) -> Iterator[Server]:
    with delivering(mailboxes) as server:
        yield server


def trip(
    send: str, receive: str, *, within: str = "20s", password: str = PASSWORD, keys: str = ""
) -> Performed:
    login = f"{{user: {USER}, password: {password}}}"
    to = f"{USER}@localhost"
    return perform(
        f"- mail: {{send: '{send}', receive: '{receive}', within: {within}, login: {login}, to: {to}}}",
        keys=keys,
    )


def kept(server: Server) -> list[Path]:
    """The mails in the mailbox."""
    return [*server.folder.glob("mail/new/*"), *server.folder.glob("mail/cur/*")]


def test_a_mail_is_sent_found_and_deleted(mta: Server, mailboxes: Server) -> None:
    done = trip(mta.url, mailboxes.url)
    assert done.verdict.state is State.UP, done.verdict.summary
    assert kept(mailboxes) == []


def test_by_pop3() -> None:
    with dovecot("pop3") as boxes, delivering(boxes) as server:
        done = trip(server.url, boxes.url)
        assert done.verdict.state is State.UP, done.verdict.summary
        assert trip(server.url, boxes.url, password="wrong-word").inner == ("1 mail", "login-refused")


def test_what_others_keep_there_stays(mta: Server, mailboxes: Server) -> None:
    for name, flags in (("1.kept", ":2,S"), ("2.deleted", ":2,T")):
        path = mailboxes.write(f"mail/cur/{name}{flags}", "From: a@b\nSubject: kept\n\nhello\n", 0o666)
        path.chmod(0o666)
    try:
        assert trip(mta.url, mailboxes.url).verdict.state is State.UP
        assert len(kept(mailboxes)) == 2
    finally:
        for path in kept(mailboxes):
            path.unlink()


def test_a_mail_that_is_lost(mailboxes: Server) -> None:
    with postfix() as discarding:
        done = trip(discarding.url, mailboxes.url, within="300ms")
    assert done.inner == ("1 mail", "silent")
    assert done.failed.facts["expected"] == f"the mail to {USER}@localhost in INBOX within 0.3 s"
    assert str(done.failed.facts["seen"]).startswith("it was taken, and isn't in INBOX 0.")
    assert "is lost or late" in done.verdict.summary
    (step,) = done.verdict.next
    assert step.endswith(f": mailq; journalctl --since -1h | grep -F '{done.failed.facts['message_id']}'")


def test_a_mail_that_nobody_takes(mailboxes: Server) -> None:
    with delivering(mailboxes, smtpd_recipient_restrictions="reject") as refusing:
        done = trip(refusing.url, mailboxes.url)
    assert done.inner == ("1 mail", "blocked")
    with delivering(mailboxes, virtual_mailbox_maps="inline:{nobody@localhost=mail/}") as strict:
        done = trip(strict.url, mailboxes.url)
    assert done.inner == ("1 mail", "wrong-answer")
    assert "doesn't take mail for this recipient" in done.verdict.summary


def test_servers_that_are_gone_or_let_nobody_in(mta: Server, mailboxes: Server) -> None:
    nobody = free_port()
    assert trip(f"smtp://127.0.0.1:{nobody}", mailboxes.url).inner == ("1 mail", "refused")
    gone = trip(mta.url, f"imap://127.0.0.1:{nobody}")
    assert gone.inner == ("1 mail", "refused")
    assert f"imap://127.0.0.1:{nobody}" in gone.verdict.summary
    refused = trip(mta.url, mailboxes.url, password="wrong-word")
    assert refused.inner == ("1 mail", "login-refused")
    assert "wrong-word" not in repr(refused.look) + repr(refused.verdict)


def test_over_tls(authority: Authority) -> None:
    credentials = authority.valid()
    trusted = f"tls: {{ca: {authority.file}}}"
    with dovecot("imaps", tls=credentials) as boxes, postfix("submission", tls=credentials) as door:
        # This one takes mail in TLS only, and keeps none.
        assert trip(door.url, boxes.url, keys=trusted, within="300ms").inner == ("1 mail", "silent")
        assert trip(door.url, boxes.url).inner == ("1 mail", "tls-untrusted")
        with delivering(boxes) as server:
            done = trip(server.url, boxes.url, keys=trusted)
            assert done.verdict.state is State.UP, done.verdict.summary
            assert trip(server.url, boxes.url).inner == ("1 mail", "tls-untrusted")


@pytest.mark.parametrize(
    ("receive", "login", "to"),
    [
        ("imap://probe:x@mail.example", None, "probe@mail.example"),
        ("imap://probe%40shop.example:x@mail.example", None, "probe@shop.example"),
        ("imap://probe:x@127.0.0.1", None, "probe@[127.0.0.1]"),
        ("imap://probe:x@[::1]", None, "probe@[IPv6:::1]"),
        ("imap://mail.example", "other", "other@mail.example"),
        ("imap://probe:x@mail.example", "other", "probe@mail.example"),
        ("pop3://mail.example", None, "trueup@mail.example"),
    ],
)
def test_to_whom_a_mail_goes(receive: str, login: str | None, to: str) -> None:
    given = None if login is None else Login(Secret("x"), login)
    assert _mailbox_of(address(receive), given) == to


def test_what_ends_a_command_stays_out_of_it() -> None:
    assert _plain("a@b>\r\nRCPT TO:<c@d") == b"a@bRCPTTO:c@d"
