"""Logins: which one counts, and how they are written."""

import base64

from tests.playbook import address
from trueup.domain.secret import Secret
from trueup.domain.target import Login
from trueup.probes.credentials import fits_a_line, login_of, sasl_plain

CONFIGURED = Login(Secret("pass"), "ann")


def test_what_is_configured_counts_before_the_address() -> None:
    written = address("imap://bob:word@127.0.0.1")
    assert login_of(written, CONFIGURED) is CONFIGURED
    assert login_of(written, None) == Login(Secret("word"), "bob")
    assert login_of(address("imap://bob@127.0.0.1"), None) is None


def test_sasl_plain_takes_any_character() -> None:
    login = Login(Secret("wört\r\n"), "ann")
    assert base64.b64decode(sasl_plain(login)) == "\0ann\0wört\r\n".encode()


def test_a_line_break_is_no_argument() -> None:
    assert fits_a_line(CONFIGURED)
    assert fits_a_line(Login(Secret("pass word")))
    for word in ("pass\r", "pass\nQUIT", "pass\0"):
        assert not fits_a_line(Login(Secret(word)))
        assert not fits_a_line(Login(Secret("pass"), word))
