"""POP3: where people fetch their mail (``pop3``, ``pop3s``).

The greeting, ``CAPA`` and ``QUIT``. STLS is used where ``tls:`` is configured, and before a login where
it is offered. With ``login`` it logs in and asks for the number of messages; a session locks the
mailbox against others while it lasts (RFC 1939, 4), so give it one of its own.
"""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Closed,
    Conversation,
    Garbled,
    Line,
    Mark,
    Receive,
    Send,
    StartTls,
    Step,
    TooLong,
    endless,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import MAIL_REMEDY, fits_a_line, in_base64, login_of, not_spoken, sasl_plain
from trueup.probes.probe import MAIL_TIMEOUT_S, Farewell, Probe, Scheme

ERRORS: Final[dict[bytes, tuple[Cause, str]]] = {
    # Response codes in brackets (RFC 2449, 8; RFC 3206). Any other is an error answer.
    b"AUTH": (Cause.LOGIN_REFUSED, "doesn't accept the user or the password"),
    b"IN-USE": (Cause.OVERLOADED, "finds the mailbox locked by another session"),
    b"LOGIN-DELAY": (Cause.OVERLOADED, "wants more time between logins of this user"),
    b"SYS/TEMP": (Cause.ERROR_ANSWER, "has a temporary failure of its own"),
    b"SYS/PERM": (Cause.ERROR_ANSWER, "has a failure that somebody must mend"),
}
MESSAGES: Final[dict[bytes, tuple[Cause, str]]] = {
    # Where there is no code, the words: Dovecot, Courier and Cyrus.
    b"too many": (Cause.OVERLOADED, "has reached one of its limits"),
    b"maximum number of connections": (Cause.OVERLOADED, "has reached one of its limits"),
    b"connection queue full": (Cause.OVERLOADED, "has no room for more clients"),
    b"shutting down": (Cause.STARTING_UP, "is shutting down"),
    b"starting up": (Cause.STARTING_UP, "is starting up"),
    b"disallowed on non-secure": (Cause.LOGIN_REFUSED, "lets nobody log in without TLS"),
    b"disk full": (Cause.DISK_FULL, "has no space left"),
    b"no space left": (Cause.DISK_FULL, "has no space left"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: ("See who is connected: doveadm who; doveadm log errors | grep client_limit",),
    Cause.ERROR_ANSWER: ("Read its log: doveadm log errors; journalctl -u dovecot -n 50",),
    Cause.LOGIN_REFUSED: ("Try the login alone: doveadm auth test USER",),
}
SCHEMES: Final = {"pop3": Scheme(110), "pop3s": Scheme(995, tls=True)}
LINES_MAX: Final = 200
_CODE: Final = re.compile(rb"\[([A-Z/-]+)")


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for POP3. With ``tls`` STLS must be there, and is verified."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None


Inside = Callable[[], Generator[Step, bytes, Answer]]
"""What is done when we're logged in; its answer is of the function layer."""


def conversation(options: Options, inside: Inside | None = None) -> Conversation:
    """Hear the greeting, ask what it can, do what is to be done ``inside``, and say goodbye."""
    try:
        answer = yield from _talk(options, inside or _ask_state)
    except Garbled as garbled:
        return stranger("pop3", garbled.received)
    except TooLong as long:
        return endless(long.received)
    yield Send(b"QUIT\r\n")
    return answer


def _talk(options: Options, inside: Inside) -> Generator[Step, bytes, Answer]:
    try:
        greeting = yield from reply_to(Receive(Line()))
    except TooLong as long:
        raise Garbled(long.received) from None
    if not greeting.startswith(b"+OK"):
        return _error_answer(greeting)
    can = yield from _capabilities()
    login = login_of(options.address, options.login)
    facts: dict[str, Any] = {"greeting": printable(greeting[3:].strip(), 120)}
    if not SCHEMES[options.address.scheme].tls:
        facts["tls"] = "offered" if b"STLS" in can else "not offered"
        if options.tls is not None and b"STLS" not in can:
            problem = "it doesn't offer STLS, and its TLS is configured to be verified"
            return fails(Cause.WRONG_ANSWER, problem, **facts)
        if options.tls is not None or (login is not None and b"STLS" in can):
            said = yield from reply_to(Ask(b"STLS\r\n", Line()))
            if not said.startswith(b"+OK"):
                return _error_answer(said, "STLS is offered and fails: it ")
            yield StartTls(options.tls)
            facts["tls"] = "started"
            can = yield from _capabilities()  # a server may offer more than before (RFC 2595, 4)
    if login is None:
        return ready("greets and waits for a login", login="demanded", **facts)
    return (yield from _log_in(can, login, facts, inside))


def reply_to(step: Step) -> Generator[Step, bytes, bytes]:
    """One status line without its end; the last one before the server closes may lack it.

    Raises:
        Garbled: it begins neither with ``+OK`` nor ``-ERR`` nor, where SASL goes on, ``+ ``.
    """
    try:
        line = (yield step).strip()
    except Closed as closed:
        if not closed.received:
            raise
        line = closed.received.strip()
    if not (line + b" ").startswith((b"+OK ", b"-ERR ", b"+ ")):
        raise Garbled(line)
    return line


def _capabilities() -> Generator[Step, bytes, dict[bytes, frozenset[bytes]]]:
    """What CAPA lists, by its first word; nothing where the server doesn't know CAPA (RFC 2449, 5)."""
    found: dict[bytes, frozenset[bytes]] = {}
    if not (yield from reply_to(Ask(b"CAPA\r\n", Line()))).startswith(b"+OK"):
        return found
    for _ in range(LINES_MAX):
        line = yield Receive(Line())
        if line.strip() == b".":
            return found
        words = line.upper().split()
        if words:
            found[words[0]] = frozenset(words[1:])
    raise TooLong(line)


def _log_in(
    can: dict[bytes, frozenset[bytes]], login: Login, facts: dict[str, Any], inside: Inside
) -> Generator[Step, bytes, Answer]:
    """Log in, and see whether there is a mailbox behind the login."""
    ways, user, password = can.get(b"SASL", frozenset()), login.user or "", login.password.reveal()
    if b"PLAIN" in ways:
        said = yield from _authenticate(b"PLAIN", sasl_plain(login))
    elif b"LOGIN" in ways:
        said = yield from _authenticate(b"LOGIN", in_base64(user), in_base64(password))
    elif not fits_a_line(login):
        problem = "the login was not tried: it has a line break, which a POP3 command can't carry"
        return Answer(Outcome.UNKNOWN, None, problem, facts)
    else:
        said = yield from reply_to(Ask(b"USER %b\r\n" % user.encode(), Line(), secret=True))
        if said.startswith(b"+OK"):
            said = yield from reply_to(Ask(b"PASS %b\r\n" % password.encode(), Line(), secret=True))
    if b"unsupported authentication mechanism" in said.lower():  # Dovecot offers USER whatever it takes
        return not_spoken(printable(b" ".join(sorted(ways))), MAIL_REMEDY, **facts)
    if not said.startswith(b"+OK"):
        return _error_answer(said, "the login fails: it ", Cause.LOGIN_REFUSED)
    yield Mark(ready("lets the user in", **facts | {"login": "accepted"}))
    return (yield from inside())


def _ask_state() -> Generator[Step, bytes, Answer]:
    said = yield from reply_to(Ask(b"STAT\r\n", Line()))
    if not said.startswith(b"+OK"):
        return mailbox_fails(said)
    words = said.split()
    messages = int(words[1]) if len(words) > 1 and words[1].isdigit() and len(words[1]) < 11 else None
    return ready("tells the state of the mailbox", layer=Layer.FUNCTION, messages=messages)


def _authenticate(way: bytes, *words: bytes) -> Generator[Step, bytes, bytes]:
    """RFC 5034, 4: each word is sent when the server asks to go on."""
    said = yield from reply_to(Ask(b"AUTH %b\r\n" % way, Line()))
    for word in words:
        if said.startswith(b"+OK") or not said.startswith(b"+"):
            break
        said = yield from reply_to(Ask(word + b"\r\n", Line(), secret=True))
    return said


def mailbox_fails(said: bytes) -> Answer:
    """The answer for a mailbox that can't be used."""
    return _error_answer(said, "the mailbox fails: it ", layer=Layer.FUNCTION)


def _error_answer(
    said: bytes,
    before: str = "",
    otherwise: Cause = Cause.ERROR_ANSWER,
    layer: Layer = Layer.SERVICE,
) -> Answer:
    """The table's word for an ``-ERR``; ``otherwise`` where it gives no reason that we know."""
    text = said[4:].strip()
    match = _CODE.match(text)
    code = match[1] if match else b""
    cause, meaning = ERRORS.get(code, (otherwise, "says no"))
    for words, row in MESSAGES.items():
        if words in text.lower():
            cause, meaning = row
            break
    return fails(cause, f"{before}{meaning}: {printable(said)}", layer=layer, code=printable(code) or None)


def recognise(said: bytes) -> bool:
    """``+OK`` unasked: Redis and NATS say it too, but only to a command; or an error with a POP3 code."""
    line = said.split(b"\n", 1)[0].strip() + b" "
    match = _CODE.match(line.removeprefix(b"-ERR "))
    return line.startswith(b"+OK ") or (
        line.startswith(b"-ERR ") and match is not None and match[1] in ERRORS
    )


PROBE = Probe(
    name="pop3",
    title="POP3",
    schemes=SCHEMES,
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    timeout_s=MAIL_TIMEOUT_S,
    recognise=recognise,
    next_steps=NEXT,
)
