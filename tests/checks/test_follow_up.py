"""What is asked after a failure, of real servers that turn to TLS within their protocol."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.beds.certificates import Authority
from tests.beds.dovecot import dovecot
from tests.beds.mariadb import mariadb
from tests.beds.postfix import postfix
from tests.beds.postgres import postgres
from tests.beds.server import Server
from tests.beds.slapd import slapd
from tests.beds.vsftpd import vsftpd
from tests.checks.test_look import check, last, look_at
from trueup.checks.follow_up import as_far_as_tls
from trueup.conversation import Ask, Break, Closed, Conversation, Line, Send, StartTls, ready
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.domain.target import TlsSettings

SERVERS: dict[str, Callable[..., AbstractContextManager[Server]]] = {
    "smtp": postfix,
    "submission": partial(postfix, "submission"),
    "imap": dovecot,
    "pop3": partial(dovecot, "pop3"),
    "ftp": vsftpd,
    "ldap": slapd,
    "postgres": postgres,
    "mysql": mariadb,
}


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_certificate_for_another_name_is_described_where_tls_comes_later(
    scheme: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    tls = TlsSettings(ca=str(authority.file))
    with SERVERS[scheme](tls=authority.wrong_name()) as server:
        one = check(f"{scheme}://127.0.0.1:{server.port}", 10.0)
        seen = last(look_at(replace(one, tls=tls, options=replace(one.options, tls=tls))))
    assert (seen.layer, seen.cause) == (Layer.TLS, Cause.TLS_NAME_MISMATCH)
    assert seen.facts["names"] == ["elsewhere.example"]


def talk() -> Conversation:
    try:
        yield Ask(b"FIRST\r\n", Line(99))
    except Break:
        yield Send(b"AGAIN\r\n")
    yield StartTls(TlsSettings(server_name="mail.example"))
    yield Send(b"the password\r\n", secret=True)
    return ready("never")


def test_nobody_hears_a_secret_whose_certificate_is_not_accepted() -> None:
    reading = as_far_as_tls(talk())
    assert next(reading) == Ask(b"FIRST\r\n", Line(99))
    assert reading.throw(Closed()) == Send(b"AGAIN\r\n")
    assert reading.send(b"") == StartTls(TlsSettings(server_name="mail.example", verify=False))
    with pytest.raises(StopIteration):
        reading.send(b"")


def test_a_conversation_without_tls_ends_as_it_would() -> None:
    def ends() -> Conversation:
        yield Send(b"HELLO\r\n")
        return ready("it has none")

    reading = as_far_as_tls(ends())
    next(reading)
    with pytest.raises(StopIteration) as ended:
        reading.send(b"")
    assert ended.value.value == ready("it has none")
