"""IMAP: where people read their mail (``imap``, ``imaps``).

The greeting, ``CAPABILITY`` and ``LOGOUT``. STARTTLS is used where ``tls:`` is configured, and before a
login where it is offered. With ``login`` it logs in and asks for the state of INBOX without opening it:
a login process that greets proves nothing about the mailboxes behind it.
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
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import MAIL_REMEDY, in_base64, login_of, not_spoken, sasl_plain
from trueup.probes.probe import MAIL_TIMEOUT_S, Farewell, Probe, Scheme

ERRORS: Final[dict[bytes, tuple[Cause, str]]] = {
    # Response codes in brackets (RFC 9051, 7.1; RFC 5530). Any other is an error answer.
    b"UNAVAILABLE": (Cause.ERROR_ANSWER, "can't reach a part of itself: authentication or storage"),
    b"AUTHENTICATIONFAILED": (Cause.LOGIN_REFUSED, "doesn't accept the user or the password"),
    b"AUTHORIZATIONFAILED": (Cause.LOGIN_REFUSED, "doesn't let this user in"),
    b"EXPIRED": (Cause.LOGIN_REFUSED, "finds the password expired"),
    b"PRIVACYREQUIRED": (Cause.LOGIN_REFUSED, "lets nobody log in without TLS"),
    b"CONTACTADMIN": (Cause.LOGIN_REFUSED, "doesn't let this user in and refers to its administrator"),
    b"NOPERM": (Cause.LOGIN_REFUSED, "doesn't let this user do that"),
    b"INUSE": (Cause.OVERLOADED, "finds the mailbox in use"),
    b"LIMIT": (Cause.OVERLOADED, "has reached one of its limits"),
    b"OVERQUOTA": (Cause.DISK_FULL, "finds the mailbox over its quota"),
    b"NONEXISTENT": (Cause.WRONG_ANSWER, "has no INBOX for this user"),
    b"CORRUPTION": (Cause.ERROR_ANSWER, "finds the mailbox corrupt"),
    b"SERVERBUG": (Cause.ERROR_ANSWER, "found a bug in itself"),
    b"CLIENTBUG": (Cause.ERROR_ANSWER, "doesn't like what it was asked"),
    b"CANNOT": (Cause.ERROR_ANSWER, "can't do that at all"),
}
MESSAGES: Final[dict[bytes, tuple[Cause, str]]] = {
    # Where there is no code, the words: Dovecot, Courier and Cyrus.
    b"too many": (Cause.OVERLOADED, "has reached one of its limits"),
    b"maximum number of connections": (Cause.OVERLOADED, "has reached one of its limits"),
    b"connection queue full": (Cause.OVERLOADED, "has no room for more clients"),
    b"shutting down": (Cause.STARTING_UP, "is shutting down"),
    b"starting up": (Cause.STARTING_UP, "is starting up"),
    b"disk full": (Cause.DISK_FULL, "has no space left"),
    b"no space left": (Cause.DISK_FULL, "has no space left"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        "See who is connected: doveadm who; doveadm penalty; doveadm log errors | grep client_limit",
    ),
    Cause.ERROR_ANSWER: ("Read its log: doveadm log errors; journalctl -u dovecot -n 50",),
    Cause.DISK_FULL: ("See the space of the mailboxes: doveadm quota get -u USER; df -h",),
    Cause.LOGIN_REFUSED: ("Try the login alone: doveadm auth test USER",),
}
SCHEMES: Final = {"imap": Scheme(143), "imaps": Scheme(993, tls=True)}
LINES_MAX: Final = 1000
_CODE: Final = re.compile(rb"\[([A-Z-]+)")
_MESSAGES_SEEN: Final = re.compile(rb"\(MESSAGES (\d{1,10})\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for IMAP. With ``tls`` STARTTLS must be there, and is verified."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """``status`` is OK, NO, BAD or BYE; ``text`` the rest of that line; ``data`` the untagged lines."""

    status: bytes
    text: bytes
    data: tuple[bytes, ...] = ()


Inside = Callable[[], Generator[Step, bytes, Answer]]
"""What is done when we're logged in; its answer is of the function layer."""


def conversation(options: Options, inside: Inside | None = None) -> Conversation:
    """Hear the greeting, ask what it can, do what is to be done ``inside``, and log out."""
    try:
        answer = yield from _talk(options, inside or _ask_state)
    except Garbled as garbled:
        return stranger("imap", garbled.received)
    except TooLong as long:
        return endless(long.received)
    yield Send(b"z LOGOUT\r\n")
    return answer


def _talk(options: Options, inside: Inside) -> Generator[Step, bytes, Answer]:
    greeting = yield from _greeting()
    if greeting.status == b"BYE":
        return _error_answer(greeting, "it greets and hangs up: it ")
    can = yield from _capabilities()
    if isinstance(can, Answer):
        return can
    login = login_of(options.address, options.login)
    facts: dict[str, Any] = {"greeting": printable(greeting.text, 120)}
    if not SCHEMES[options.address.scheme].tls:
        facts["tls"] = "offered" if b"STARTTLS" in can else "not offered"
        if options.tls is not None and b"STARTTLS" not in can:
            problem = "it doesn't offer STARTTLS, and its TLS is configured to be verified"
            return fails(Cause.WRONG_ANSWER, problem, **facts)
        if options.tls is not None or (login is not None and b"STARTTLS" in can):
            refused = yield from _start_tls(options.tls)
            if refused is not None:
                return refused
            facts["tls"] = "started"
            can = yield from _capabilities()  # a server may offer more than before (RFC 9051, 6.2.1)
            if isinstance(can, Answer):
                return can
    if login is not None and greeting.status == b"OK":
        return (yield from _log_in(can, login, facts, inside))
    if greeting.status == b"PREAUTH":
        return ready("greets, logged in already", **facts)
    return ready("greets and waits for a login", login="demanded", **facts)


def _greeting() -> Generator[Step, bytes, Reply]:
    """RFC 9051, 7.1."""
    try:
        line = yield from _line(Receive(Line()))
    except TooLong as long:
        raise Garbled(long.received) from None
    words = line.split(None, 2)
    if len(words) < 2 or words[0] != b"*" or words[1].upper() not in {b"OK", b"PREAUTH", b"BYE"}:
        raise Garbled(line)
    return Reply(words[1].upper(), words[2].strip() if len(words) > 2 else b"")


def _line(step: Step) -> Generator[Step, bytes, bytes]:
    """One line; the last one before the server closes may lack its end."""
    try:
        return (yield step)
    except Closed as closed:
        if not closed.received:
            raise
        return closed.received


def command(tag: bytes, words: bytes, *secrets: bytes) -> Generator[Step, bytes, Reply]:
    """Give one command and read its reply; each of ``secrets`` is sent when the server asks to go on.

    Raises:
        Garbled: a line is none of IMAP.
        TooLong: the reply has more lines than any.
    """
    line = yield from _line(Ask(tag + b" " + words + b"\r\n", Line()))
    data: list[bytes] = []
    waiting = list(secrets)
    while len(data) < LINES_MAX:
        first, _, rest = line.strip().partition(b" ")
        status, _, text = rest.partition(b" ")
        status = status.upper()
        if (first == tag and status in {b"OK", b"NO", b"BAD"}) or (first == b"*" and status == b"BYE"):
            return Reply(status, text, tuple(data))
        if first == b"+":
            if not waiting:
                return Reply(b"NO", rest)
            line = yield from _line(Ask(waiting.pop(0) + b"\r\n", Line(), secret=True))
            continue
        if first != b"*":
            raise Garbled(line)
        data.append(rest)
        line = yield from _line(Receive(Line()))
    raise TooLong(b"* " + data[0])


def _capabilities() -> Generator[Step, bytes, frozenset[bytes] | Answer]:
    reply = yield from command(b"a", b"CAPABILITY")
    if reply.status != b"OK":
        return _error_answer(reply)
    lines = [line.upper().split() for line in reply.data]
    return frozenset(word for line in lines if line[:1] == [b"CAPABILITY"] for word in line[1:])


def _start_tls(settings: TlsSettings | None) -> Generator[Step, bytes, Answer | None]:
    reply = yield from command(b"b", b"STARTTLS")
    if reply.status != b"OK":
        return _error_answer(reply, "STARTTLS is offered and fails: it ")
    yield StartTls(settings)
    return None


def _log_in(
    can: frozenset[bytes], login: Login, facts: dict[str, Any], inside: Inside
) -> Generator[Step, bytes, Answer]:
    """Log in, and see whether there is a mailbox behind the login."""
    user, password = login.user or "", login.password.reveal()
    ways = [word for word in can if word.startswith(b"AUTH=")]
    if b"AUTH=PLAIN" in can:
        reply = yield from command(b"c", b"AUTHENTICATE PLAIN", sasl_plain(login))
    elif b"LOGINDISABLED" not in can:  # counted words, in which any character may stand (RFC 9051, 4.3)
        name, word = user.encode(), password.encode()
        reply = yield from command(b"c", b"LOGIN {%d}" % len(name), name + b" {%d}" % len(word), word)
    elif b"AUTH=LOGIN" in can:
        reply = yield from command(b"c", b"AUTHENTICATE LOGIN", in_base64(user), in_base64(password))
    elif ways:
        return not_spoken(printable(b" ".join(sorted(ways))), MAIL_REMEDY, **facts)
    else:
        return fails(Cause.LOGIN_REFUSED, "it lets nobody log in without TLS, and doesn't offer any", **facts)
    if reply.status != b"OK":
        return _error_answer(reply, "the login fails: it ", Cause.LOGIN_REFUSED)
    facts["login"] = "accepted"
    yield Mark(ready("lets the user in", **facts))
    return (yield from inside())


def _ask_state() -> Generator[Step, bytes, Answer]:
    reply = yield from command(b"d", b"STATUS INBOX (MESSAGES)")
    if reply.status != b"OK":
        return mailbox_fails(reply)
    seen = _MESSAGES_SEEN.search(b" ".join(reply.data))
    messages = int(seen[1]) if seen else None
    return ready("tells the state of INBOX", layer=Layer.FUNCTION, messages=messages)


def mailbox_fails(reply: Reply) -> Answer:
    """The answer for a mailbox that can't be used."""
    return _error_answer(reply, "the mailbox fails: it ", layer=Layer.FUNCTION)


def _error_answer(
    reply: Reply,
    before: str = "",
    on_no: Cause = Cause.ERROR_ANSWER,
    layer: Layer = Layer.SERVICE,
) -> Answer:
    """The table's word for a reply that isn't OK; ``on_no`` where a plain NO is all that it says."""
    match = _CODE.match(reply.text)
    code = match[1] if match else b""
    cause = on_no if reply.status == b"NO" else Cause.ERROR_ANSWER
    cause, meaning = ERRORS.get(code, (cause, "says " + reply.status.decode()))
    text = reply.text.lower()
    for words, row in MESSAGES.items():
        if words in text:
            cause, meaning = row
            break
    said = printable(reply.status + b" " + reply.text)
    return fails(cause, f"{before}{meaning}: {said}", layer=layer, code=printable(code) or None)


def recognise(said: bytes) -> bool:
    """An untagged status, with which no other protocol greets."""
    return said[:6].upper().startswith((b"* OK", b"* BYE", b"* PREA"))


PROBE = Probe(
    name="imap",
    title="IMAP",
    schemes=SCHEMES,
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    timeout_s=MAIL_TIMEOUT_S,
    recognise=recognise,
    next_steps=NEXT,
)
