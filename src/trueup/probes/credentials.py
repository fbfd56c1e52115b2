"""How a login is found, written on the wire by the protocols that speak in lines, and where it can't be."""

import base64
from typing import Any, Final

from trueup.conversation import Answer
from trueup.domain.address import Address
from trueup.domain.states import Outcome
from trueup.domain.target import Login


def login_of(address: Address, login: Login | None) -> Login | None:
    """The ``login`` that is configured, else the one in the address, if that has a password."""
    if login is None and address.password is not None:
        return Login(address.password, address.user)
    return login


def not_spoken(ways: str, remedy: str, **facts: Any) -> Answer:
    """The answer where a login goes by ``ways`` alone, which we don't speak: a limit of ours, so unknown."""
    words = f"the login was not tried: it takes only {ways}, by which trueup can't log in; {remedy}"
    return Answer(Outcome.UNKNOWN, None, words, facts)


def sasl_plain(login: Login) -> bytes:
    """The message of SASL PLAIN in base64: no authorisation identity, user, password (RFC 4616, 2)."""
    return in_base64(f"\0{login.user or ''}\0{login.password.reveal()}")


MAIL_REMEDY: Final = "let it take PLAIN or LOGIN as well, behind TLS"
"""The remedy of the mail protocols."""


def in_base64(word: str) -> bytes:
    """As SASL messages travel in SMTP, IMAP and POP3 (RFC 4648, 4)."""
    return base64.b64encode(word.encode())


def fits_a_line(login: Login) -> bool:
    """Whether it can be sent as an argument of a command: a line break would begin another command."""
    return not {"\r", "\n", "\0"} & {*(login.user or ""), *login.password.reveal()}
