"""SMTP: mail servers (``smtp``, ``smtps``) and where people hand in their mail (``submission``).

It waits for the greeting, for a client that speaks first is taken for a spammer; then ``EHLO``,
``MAIL FROM:<>``, ``RSET`` and ``QUIT``: as far as one can go without sending mail. ``submission`` must
offer STARTTLS and its certificate is verified; elsewhere STARTTLS is used where ``tls:`` is configured,
where the server demands it, and before a login. With ``login`` it logs in by AUTH PLAIN or LOGIN.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Conversation,
    Garbled,
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
from trueup.domain.target import Login, TlsSettings
from trueup.probes.coded_reply import ENHANCED, CodedReply, converse
from trueup.probes.credentials import MAIL_REMEDY, in_base64, login_of, not_spoken, sasl_plain
from trueup.probes.letter import Letter
from trueup.probes.probe import MAIL_TIMEOUT_S, Farewell, Probe, Scheme

ERRORS: Final[dict[int, tuple[Cause | None, str]]] = {
    # RFC 5321, 4.2.3 unless said otherwise. 530 is no failure while nothing configured needs a login.
    421: (Cause.OVERLOADED, "takes no more connections at the moment and closes"),
    432: (Cause.LOGIN_REFUSED, "wants this password to be changed first"),  # RFC 4954, 4.7.1
    450: (Cause.ERROR_ANSWER, "refuses for now: a mailbox or a filter behind it isn't available"),
    451: (Cause.ERROR_ANSWER, "refuses for now: a filter, a database or its queue fails"),
    452: (Cause.DISK_FULL, "has no space to take mail"),
    454: (Cause.ERROR_ANSWER, "has a temporary failure of TLS or of its login service"),  # RFC 3207, RFC 4954
    455: (Cause.ERROR_ANSWER, "can't do what it was asked for at the moment"),
    500: (Cause.ERROR_ANSWER, "doesn't know the command"),
    501: (Cause.ERROR_ANSWER, "rejects the argument of the command"),
    502: (Cause.ERROR_ANSWER, "doesn't do the command"),
    503: (Cause.ERROR_ANSWER, "finds the commands in a wrong order"),
    504: (Cause.ERROR_ANSWER, "doesn't do the command with this argument"),
    521: (Cause.BLOCKED, "takes no mail from this client"),  # RFC 7504; postscreen's block
    530: (None, "alive, and asks for a login before any mail"),  # RFC 4954, 6
    534: (Cause.LOGIN_REFUSED, "finds this way of logging in too weak"),  # RFC 4954, 6
    535: (Cause.LOGIN_REFUSED, "doesn't accept the user or the password"),  # RFC 4954, 6
    538: (Cause.LOGIN_REFUSED, "lets nobody log in without TLS"),  # RFC 4954, 6
    550: (Cause.BLOCKED, "refuses this client: a policy or a block list"),
    552: (Cause.DISK_FULL, "has no space left for this mail"),
    553: (Cause.ERROR_ANSWER, "refuses the empty sender of bounces"),
    554: (Cause.BLOCKED, "refuses this client"),
    555: (Cause.ERROR_ANSWER, "doesn't know a parameter of MAIL"),
}
MESSAGES: Final[dict[bytes, tuple[Cause, str]]] = {
    # Words that say more than the code.
    b"shutting down": (Cause.STARTING_UP, "is shutting down"),
    b"starting up": (Cause.STARTING_UP, "is starting up"),
    b"too many": (Cause.OVERLOADED, "has reached one of its limits"),
    b"disk space": (Cause.DISK_FULL, "has no space to take mail"),
    b"disk full": (Cause.DISK_FULL, "has no space to take mail"),
    b"system storage": (Cause.DISK_FULL, "has no space to take mail"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        (
            "{on}, see its queue and how many are connected: mailq | tail -n 1; "
            "ss -Htn state established 'sport = :{port}' | wc -l"
        ),
    ),
    Cause.DISK_FULL: ("{on}, see the space of its queue: df -h /var/spool/*; df -i /var/spool/*",),
    Cause.BLOCKED: (
        "{on}, read why in its log: journalctl -u 'postfix*' -u exim4 -n 50; tail -n 50 /var/log/mail.log",
    ),
    Cause.ERROR_ANSWER: (
        (
            "{on}, read its log, of its milters and tables too: "
            "journalctl -u 'postfix*' -u exim4 -n 50; tail -n 50 /var/log/mail.log"
        ),
    ),
    Cause.WRONG_ANSWER: ("Ask for STARTTLS by hand: openssl s_client -starttls smtp -connect {place}",),
    Cause.LOGIN_REFUSED: ("{on}, try the login alone: doveadm auth test USER",),
}


SCHEMES: Final = {"smtp": Scheme(25), "smtps": Scheme(465, tls=True), "submission": Scheme(587)}
EHLO: Final = b"EHLO trueup.invalid\r\n"  # RFC 2606, 2: a name that is nobody's
HELO: Final = b"HELO trueup.invalid\r\n"
UNKNOWN_COMMAND: Final = frozenset({500, 502, 504, 530})
"""What an old server says to EHLO, and another protocol to HELO too (FTP says 530)."""

Extensions = Mapping[bytes, bytes]
"""What EHLO lists: a keyword in capitals, and its parameters."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for SMTP. With ``tls`` STARTTLS must be there, and is verified."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None


def conversation(options: Options, letter: Letter | None = None) -> Conversation:
    """Go as far as mail can be tried without sending any, or hand in a ``letter``, and say goodbye."""
    try:
        answer = yield from _talk(options, letter)
    except Garbled as garbled:
        return stranger("smtp", garbled.received)
    except TooLong as long:
        return endless(long.received)
    yield Send(b"QUIT\r\n")
    return answer


def _talk(options: Options, letter: Letter | None) -> Generator[Step, bytes, Answer]:
    greeting = yield from converse()
    if says_ftp(greeting) or (greeting.code != 220 and greeting.code < 400):
        raise Garbled(greeting.raw)
    if greeting.code != 220:
        return _error_answer(greeting)
    offers = yield from _hello(known=greeting.says(b"smtp"))
    if isinstance(offers, Answer):
        return offers
    login = login_of(options.address, options.login)
    facts: dict[str, Any] = {"greeting": printable(greeting.text, 120)}
    if SCHEMES[options.address.scheme].tls:
        return (yield from _try_mail(offers, login, facts, letter))
    facts["tls"] = "offered" if b"STARTTLS" in offers else "not offered"
    must = options.tls is not None or options.address.scheme == "submission"
    if must and b"STARTTLS" not in offers:
        where = "a submission port must" if options.tls is None else "its TLS is configured to be verified"
        return fails(Cause.WRONG_ANSWER, f"it doesn't offer STARTTLS, and {where}", **facts)
    if must or (login is not None and b"STARTTLS" in offers):
        return (yield from _secured(options, login, facts, letter))
    return (yield from _try_mail(offers, login, facts, letter, upgradable=options))


def _hello(*, known: bool) -> Generator[Step, bytes, Extensions | Answer]:
    """Introduce ourselves; what the server offers, or why it doesn't like us. ``known``: it is SMTP."""
    reply = yield from converse(EHLO)
    if reply.code in UNKNOWN_COMMAND:
        reply = yield from converse(HELO)
        if reply.code in UNKNOWN_COMMAND and not known:
            raise Garbled(reply.raw)
    if reply.code != 250:
        return _error_answer(reply)
    words = (line.upper().replace(b"AUTH=", b"AUTH ").split(maxsplit=1) for line in reply.lines[1:])
    return {word[0]: b" ".join(word[1:]) for word in words if word}


def _secured(
    options: Options, login: Login | None, facts: dict[str, Any], letter: Letter | None
) -> Generator[Step, bytes, Answer]:
    """Go on behind STARTTLS, where a server may offer more than before (RFC 3207, 4.2)."""
    reply = yield from converse(b"STARTTLS\r\n")
    if reply.code != 220:
        return _error_answer(reply, "STARTTLS is offered and fails: it ")
    submission = options.address.scheme == "submission"
    yield StartTls(options.tls or (TlsSettings() if submission else None))
    offers = yield from _hello(known=True)
    if isinstance(offers, Answer):
        return offers
    return (yield from _try_mail(offers, login, facts | {"tls": "started"}, letter))


def _try_mail(
    offers: Extensions,
    login: Login | None,
    facts: dict[str, Any],
    letter: Letter | None,
    *,
    upgradable: Options | None = None,
) -> Generator[Step, bytes, Answer]:
    """Log in, and see whether it would take a mail, or takes this one. ``upgradable``: TLS isn't spoken yet.

    A letter is handed in without a login where none is offered: its login may be meant for the reader alone.
    """
    if login is not None and (letter is None or b"AUTH" in offers):
        refused = yield from _log_in(offers, login)
        if refused is not None:
            return refused
        facts = facts | {"login": "accepted"}
    reply = yield from converse(b"MAIL FROM:<%b>\r\n" % (letter.sender if letter is not None else b""))
    if reply.code == 530 and upgradable is not None and b"STARTTLS" in offers:
        return (yield from _secured(upgradable, login, facts, letter))
    if letter is not None:
        return (yield from _hand_in(letter, reply, facts))
    if _demands_login(reply):
        if login is not None:
            return fails(Cause.LOGIN_REFUSED, f"it asks for a login again: {reply.spoken}", code=reply.code)
        return ready(f"{ERRORS[530][1]}: {reply.spoken}", **facts | {"login": "demanded"})
    if reply.code != 250:
        return _error_answer(reply)
    reply = yield from converse(b"RSET\r\n")
    return ready("takes mail", **facts) if reply.code == 250 else _error_answer(reply)


def _hand_in(letter: Letter, reply: CodedReply, facts: dict[str, Any]) -> Generator[Step, bytes, Answer]:
    """The rest of a mail's transaction; ``reply`` is that to its sender (RFC 5321, 3.3)."""
    if reply.code == 250:
        reply = yield from converse(b"RCPT TO:<%b>\r\n" % letter.recipient)
    if _demands_login(reply):
        return fails(Cause.LOGIN_REFUSED, f"it takes this mail from nobody without a login: {reply.spoken}")
    if reply.code in (550, 551, 553) and letter.recipient in reply.text:
        return fails(Cause.WRONG_ANSWER, f"it doesn't take mail for this recipient: {reply.spoken}", **facts)
    if reply.code not in (250, 251, 252):
        return _error_answer(reply)
    reply = yield from converse(b"DATA\r\n")
    if reply.code == 354:
        reply = yield from converse(letter.data())
    return ready("takes the mail", **facts) if reply.code == 250 else _error_answer(reply)


def _demands_login(reply: CodedReply) -> bool:
    """RFC 4954, 6 gives it 530; others say 550 or 554 with the word in it."""
    return reply.code == 530 or (reply.code >= 500 and reply.says(b"authenticat", b"auth required"))


def _log_in(offers: Extensions, login: Login) -> Generator[Step, bytes, Answer | None]:
    """None where the login is accepted."""
    mechanisms = offers.get(b"AUTH", b"").split()
    if b"PLAIN" in mechanisms:
        reply = yield from converse(b"AUTH PLAIN " + sasl_plain(login) + b"\r\n", secret=True)
    elif b"LOGIN" in mechanisms:
        reply = yield from converse(b"AUTH LOGIN\r\n")
        for word in (login.user or "", login.password.reveal()):
            if reply.code == 334:
                reply = yield from converse(in_base64(word) + b"\r\n", secret=True)
    elif mechanisms:
        ways = printable(b" ".join(mechanisms))
        return not_spoken(ways, MAIL_REMEDY)
    else:
        tls = "" if b"STARTTLS" not in offers else " before TLS"
        return fails(Cause.LOGIN_REFUSED, f"a login is configured, and it offers none{tls}")
    return None if reply.code == 235 else _error_answer(reply, "the login fails: it ")


def _error_answer(reply: CodedReply, before: str = "") -> Answer:
    """The table's word for a reply that isn't the hoped one."""
    cause, meaning = ERRORS.get(reply.code, (Cause.ERROR_ANSWER, "answers with an error"))
    for words, row in MESSAGES.items():
        if reply.says(words):
            cause, meaning = row
            break
    detail, code = f"{before}{meaning}: {reply.spoken}", reply.code
    if cause is None:
        return ready(detail, code=code, login="demanded")
    return fails(cause, detail, code=code, enhanced=reply.enhanced)


def says_ftp(greeting: CodedReply) -> bool:
    """Both greet with 220; a server that names the other protocol is of the other."""
    return greeting.says(b"ftp") and not greeting.says(b"smtp")


def recognise(said: bytes) -> bool:
    """A greeting with SMTP in it, or an enhanced status code, which FTP has not (RFC 2034)."""
    lines = said[:1024].split(b"\n")
    coded = [line for line in lines if line[:3].isdigit() and line[3:4] in {b" ", b"-"}]
    if len(coded) == 0 or coded[0][:3] not in {b"220", b"421", b"450", b"451", b"521", b"554"}:
        return False
    return b"smtp" in b" ".join(coded).lower() or any(ENHANCED.match(line[4:]) for line in coded)


PROBE = Probe(
    name="smtp",
    title="SMTP",
    schemes=SCHEMES,
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    timeout_s=MAIL_TIMEOUT_S,
    recognise=recognise,
    next_steps=NEXT,
)
