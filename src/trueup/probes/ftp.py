"""FTP (``ftp``): the control connection, and that for files.

The greeting, ``FEAT`` (``NOOP`` where that isn't known) and ``QUIT``. AUTH TLS is used where ``tls:``
is configured, and before a login where it is offered. With ``login`` it logs in, enters the folder of the
address's path, and asks for a list of what isn't there: that reads nothing, and comes over a connection of
its own, where a firewall is in the way more often than not. With ``roundtrip: true`` a file of its own is
written there, read back and deleted.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Conversation,
    Garbled,
    Mark,
    Send,
    StartTls,
    Step,
    TooLong,
    endless,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address, AddressError
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.coded_reply import CodedReply, converse
from trueup.probes.credentials import fits_a_line, login_of
from trueup.probes.ftp_files import Way, look_at_files
from trueup.probes.probe import Farewell, Probe, Scheme

ERRORS: Final[dict[int, tuple[Cause, str]]] = {
    # RFC 959, 4.2.2 unless said otherwise.
    120: (Cause.STARTING_UP, "will be ready in some minutes"),
    332: (Cause.LOGIN_REFUSED, "wants an account besides user and password"),
    421: (Cause.OVERLOADED, "takes no more clients at the moment"),
    430: (Cause.LOGIN_REFUSED, "doesn't accept the user or the password"),  # ProFTPD, FileZilla
    425: (Cause.ERROR_ANSWER, "can't open the connection for files"),
    426: (Cause.ERROR_ANSWER, "broke off the connection for files"),
    431: (Cause.ERROR_ANSWER, "has no TLS ready"),  # RFC 4217, 4.1
    434: (Cause.BLOCKED, "doesn't serve this client"),
    450: (Cause.ERROR_ANSWER, "finds a file busy"),
    451: (Cause.ERROR_ANSWER, "has a local error"),
    452: (Cause.DISK_FULL, "has no space left"),
    500: (Cause.ERROR_ANSWER, "answers with an error"),
    501: (Cause.ERROR_ANSWER, "rejects the argument of the command"),
    502: (Cause.ERROR_ANSWER, "doesn't do the command"),
    503: (Cause.ERROR_ANSWER, "finds the commands in a wrong order"),
    504: (Cause.ERROR_ANSWER, "doesn't do the command with this argument"),
    521: (Cause.LOGIN_REFUSED, "lets nobody log in this way"),  # RFC 1846; RFC 4217, 9
    522: (Cause.LOGIN_REFUSED, "lets nobody log in without TLS"),  # RFC 2228, 8; servers that insist on TLS
    530: (Cause.LOGIN_REFUSED, "doesn't accept the user or the password"),
    532: (Cause.LOGIN_REFUSED, "wants an account besides user and password"),
    533: (Cause.LOGIN_REFUSED, "lets nobody log in without TLS"),  # RFC 2228, 8
    534: (Cause.LOGIN_REFUSED, "refuses the login by its policy"),  # RFC 2228, 8
    550: (Cause.ERROR_ANSWER, "refuses the command"),
    552: (Cause.DISK_FULL, "has no space left for this user"),
}
GREETINGS: Final[dict[int, tuple[Cause, str]]] = {
    # What these mean before anybody has tried to log in.
    530: (Cause.BLOCKED, "refuses this client"),
    550: (Cause.BLOCKED, "refuses this client"),
}
MESSAGES: Final[dict[bytes, tuple[Cause, str]]] = {
    # Words that say more than the code: vsftpd, ProFTPD, Pure-FTPd.
    b"maximum number of": (Cause.OVERLOADED, "takes no more clients at the moment"),
    b"too many": (Cause.OVERLOADED, "has reached one of its limits"),
    b"shutting down": (Cause.STARTING_UP, "is shutting down"),
    b"non-anonymous sessions must use": (Cause.LOGIN_REFUSED, "lets nobody log in without TLS"),
    b"oops:": (Cause.ERROR_ANSWER, "is configured in a way that it can't work with"),  # vsftpd
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        (
            "{on}, see who is connected, and compare with max_clients and max_per_ip: "
            "ss -Htnp state established 'sport = :{port}'"
        ),
    ),
    Cause.ERROR_ANSWER: (
        "{on}, read its log: tail -n 50 /var/log/vsftpd.log; journalctl -u vsftpd -u proftpd -n 50",
        (
            "Where files don't travel, see whether the firewall lets their ports through (pasv_min_port, "
            "PassivePorts): nft list ruleset"
        ),
    ),
    Cause.READ_ONLY: (
        (
            "{on}, see whether the user may write to the folder (ls -ld), and whether anybody may at all: "
            "grep -iE 'write_enable|chroot' /etc/vsftpd.conf"
        ),
    ),
    Cause.DISK_FULL: ("{on}, find the full file system, that of the folder: df -h; df -i",),
    Cause.LOGIN_REFUSED: (
        (
            "{on}, look for this user among those shut out, and in the log: "
            "cat /etc/ftpusers; journalctl -u vsftpd -u proftpd -n 50"
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for FTP. The folder is the address's path.

    With ``tls`` AUTH TLS must be there, and is verified. ``roundtrip`` writes, reads and deletes a file.
    """

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None
    roundtrip: bool = False

    def __post_init__(self) -> None:
        """Raises: AddressError: the path holds what would begin another command."""
        if {"\r", "\n", "\0"} & {*self.address.part}:
            raise AddressError("the folder has a line break in its name", "remove it")


def conversation(options: Options) -> Conversation:
    """Hear the greeting, ask what it can, and say goodbye."""
    try:
        answer = yield from _talk(options)
    except Garbled as garbled:
        return stranger("ftp", garbled.received)
    except TooLong as long:
        return endless(long.received)
    yield Send(b"QUIT\r\n")
    return answer


def _talk(options: Options) -> Generator[Step, bytes, Answer]:
    greeting = yield from converse()
    if greeting.says(b"smtp") or (greeting.code < 400 and greeting.code not in {120, 220}):
        raise Garbled(greeting.raw)
    if greeting.code != 220:
        return _error_answer(greeting, table=ERRORS | GREETINGS)
    features = yield from _features(known=greeting.says(b"ftp"))
    if isinstance(features, Answer):
        return features
    login = login_of(options.address, options.login)
    offered = any(line.startswith(b"AUTH") and b"TLS" in line for line in features)
    facts: dict[str, Any] = {
        "greeting": printable(greeting.text, 120),
        "tls": "offered" if offered else "not offered",
    }
    if options.tls is not None and not offered:
        problem = "it doesn't offer AUTH TLS, and its TLS is configured to be verified"
        return fails(Cause.WRONG_ANSWER, problem, **facts)
    if options.tls is not None or (login is not None and offered):
        reply = yield from converse(b"AUTH TLS\r\n")
        if reply.code != 234:
            return _error_answer(reply, "AUTH TLS is offered and fails: it ")
        yield StartTls(options.tls)
        facts["tls"] = "started"
    if login is None and options.roundtrip:
        return fails(Cause.LOGIN_REFUSED, "it waits for a login, and none is configured", login="demanded")
    if login is None:
        return ready("greets and waits for a login", login="demanded", **facts)
    answer = yield from _log_in(login, facts)
    if answer.outcome is not Outcome.PASS:
        return answer
    yield Mark(answer)
    way = Way(options.address.host, StartTls(options.tls) if facts["tls"] == "started" else None)
    return (yield from look_at_files(way, options.address.part, _judge_file, roundtrip=options.roundtrip))


def _features(*, known: bool) -> Generator[Step, bytes, tuple[bytes, ...] | Answer]:
    """What FEAT lists (RFC 2389, 3), in capitals. ``known``: it has said that it is FTP.

    A server may know no FEAT, or want a login before it; NOOP then tells it from SMTP, where the
    answer is 250 (RFC 959, 5.4; RFC 5321, 4.3.2).
    """
    reply = yield from converse(b"FEAT\r\n")
    if reply.code == 211:
        return tuple(line.strip().upper() for line in reply.lines[1:-1])
    if reply.code == 421:
        return _error_answer(reply)
    noop = yield from converse(b"NOOP\r\n")
    if noop.code == 421:
        return _error_answer(noop)
    if not known and noop.code not in {200, 530}:
        raise Garbled(noop.raw)
    return ()


def _log_in(login: Login, facts: dict[str, Any]) -> Generator[Step, bytes, Answer]:
    if not fits_a_line(login):
        problem = "the login was not tried: it has a line break, which an FTP command can't carry"
        return Answer(Outcome.UNKNOWN, None, problem, facts)
    reply = yield from converse(b"USER %b\r\n" % (login.user or "anonymous").encode(), secret=True)
    if reply.code == 331:
        reply = yield from converse(b"PASS %b\r\n" % login.password.reveal().encode(), secret=True)
    if reply.code not in {230, 232, 202}:
        return _error_answer(reply, "the login fails: it ")
    return ready("lets the user in", **facts | {"login": "accepted"})


def _error_answer(
    reply: CodedReply, before: str = "", table: Mapping[int, tuple[Cause, str]] = ERRORS
) -> Answer:
    """The table's word for a reply that isn't the hoped one."""
    cause, meaning = table.get(reply.code, (Cause.ERROR_ANSWER, "answers with an error"))
    for words, row in MESSAGES.items():
        if reply.says(words):
            cause, meaning = row
            break
    return fails(cause, f"{before}{meaning}: {reply.spoken}", code=reply.code)


def _judge_file(reply: CodedReply, before: str, table: Mapping[int, tuple[Cause, str]]) -> Answer:
    """The function layer's answer, unless what it says is of the whole service."""
    answer = _error_answer(reply, before, {**ERRORS, **table})
    is_of_function = answer.cause is not None and Layer.FUNCTION in answer.cause.layers
    return answer._replace(layer=Layer.FUNCTION) if is_of_function else answer


def recognise(said: bytes) -> bool:
    """A greeting with FTP in it, or what vsftpd says of itself: SMTP greets with 220 as well."""
    first, _, rest = said[:1024].lower().partition(b"\n")
    if first[:4].strip(b" -") not in {b"220", b"421", b"500", b"530"} or b"smtp" in said.lower():
        return False
    return (
        b"ftp" in first or b"ftp" in rest or first.startswith(b"500 oops:") or b"with user and pass" in rest
    )


PROBE = Probe(
    name="ftp",
    title="FTP",
    schemes={"ftp": Scheme(21)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    recognise=recognise,
    next_steps=NEXT,
)
