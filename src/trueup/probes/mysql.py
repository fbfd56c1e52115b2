"""MySQL and MariaDB, and what speaks their protocol: Galera, ProxySQL, MySQL Router, MaxScale.

The server greets, and every greeting is answered by a login, were it one of nobody's that is refused:
a handshake broken off counts against our address (max_connect_errors, 1129). Where it lets us in, by
``login`` or because it lets in anybody, it goes on to a ping, room, cluster, role and replication: with less
than a tenth of its connections left it is degraded. ``query`` runs in a read-only session with a time limit
of its own; ``roundtrip: true`` writes, reads and deletes a row in a table of trueup's own, ``trueup_probe``.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Conversation,
    Garbled,
    Mark,
    Receive,
    Send,
    StartTls,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address, AddressError
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.mysql_login import Credentials, log_in
from trueup.probes.mysql_round_trip import round_trip
from trueup.probes.mysql_state import ask, read_state
from trueup.probes.mysqlwire import (
    COM_PING,
    COM_QUIT,
    ERR,
    GREETING,
    PACKET,
    Greeting,
    ServerError,
    command,
    packet,
    parse_error,
    parse_greeting,
    payload_of,
    tls_request,
)
from trueup.probes.probe import Farewell, Probe, Scheme
from trueup.probes.sql_expect import SqlExpect, judge_rows, layer_for
from trueup.probes.sql_function import in_time, not_here

NOBODY: Final = "trueup"
"""Whom we ask as where no user is configured: root could be locked by too many failures."""

TIME_LIMITS: Final = {
    True: "set session max_statement_time = 60",
    False: "set session max_execution_time = 60000",
}
"""MariaDB's, in seconds, and MySQL's, in milliseconds. The server doesn't notice that we have hung up
before it has finished; longer than this nobody waits."""

READ_ONLY: Final = "set session transaction read only"
"""For the session: a transaction alone is ended by a CREATE TABLE in it, which MariaDB then carries out."""

ERRORS: Final[dict[int, tuple[Cause, str]]] = {
    # https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, MariaDB's from 1900 on
    1040: (Cause.OVERLOADED, "it takes no more clients (max_connections)"),
    1203: (Cause.OVERLOADED, "this user has too many connections"),
    1226: (Cause.OVERLOADED, "this user has used up what it is allowed"),
    1037: (Cause.OVERLOADED, "it is out of memory"),
    1038: (Cause.OVERLOADED, "it is out of memory to sort in"),
    1041: (Cause.OVERLOADED, "it is out of memory"),
    1135: (Cause.OVERLOADED, "it can't start another thread"),
    1129: (Cause.BLOCKED, "it refuses this machine after too many broken connections"),
    1130: (Cause.BLOCKED, "it lets in nobody from this machine"),
    1053: (Cause.STARTING_UP, "it is shutting down"),
    1047: (Cause.NO_QUORUM, "this Galera node isn't part of a working cluster"),
    1045: (Cause.LOGIN_REFUSED, "the user or password is not accepted"),
    1044: (Cause.LOGIN_REFUSED, "this user may not use that database"),
    1698: (Cause.LOGIN_REFUSED, "this user is not let in by password"),
    1862: (Cause.LOGIN_REFUSED, "the password has expired"),
    1820: (Cause.LOGIN_REFUSED, "the password has expired"),
    3118: (Cause.LOGIN_REFUSED, "the account is locked"),
    3955: (Cause.LOGIN_REFUSED, "the account is locked after too many failures"),
    4151: (Cause.LOGIN_REFUSED, "the account is locked"),
    3159: (Cause.LOGIN_REFUSED, "it lets in nobody without TLS"),
    1049: (Cause.ERROR_ANSWER, "there is no such database"),
    1142: (Cause.ERROR_ANSWER, "this user may not do that"),
    1205: (Cause.ERROR_ANSWER, "the query waited too long for a lock"),
    1792: (Cause.ERROR_ANSWER, "the query writes, and a check's query only reads"),
    1969: (Cause.ERROR_ANSWER, "the query took longer than a minute"),
    3024: (Cause.ERROR_ANSWER, "the query took longer than a minute"),
    3032: (Cause.ERROR_ANSWER, "it is in offline mode: administrators only"),
    1290: (Cause.READ_ONLY, "it refuses to write"),
    1836: (Cause.READ_ONLY, "it refuses to write"),
    1021: (Cause.DISK_FULL, "its disk is full"),
    1114: (Cause.DISK_FULL, "a table can't grow"),
    3: (Cause.DISK_FULL, "it can't write a file"),
    2003: (Cause.BAD_UPSTREAM, "the proxy can't reach its server"),
    2013: (Cause.BAD_UPSTREAM, "the proxy lost its server"),
    9001: (Cause.BAD_UPSTREAM, "the proxy has no server to give"),
}
OF_FILES: Final = frozenset({1, 1004, 1005, 1006, 1026, 1030})
"""Errors that end in the operating system's own number."""

NO_SPACE: Final = re.compile(r"(?:error|errno:|errcode:) (?:28|122)\b", re.IGNORECASE)
"""ENOSPC, EDQUOT."""

NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        (
            "{on}, as root, see who is connected: mysql -e "
            "'select user, host, command, count(*) from information_schema.processlist group by 1, 2, 3'"
        ),
        "Compare: mysql -e 'select @@max_connections'",
    ),
    Cause.ERROR_ANSWER: ("{on}, read its log: journalctl -u mariadb -u mysql -n 50",),
    Cause.BLOCKED: (
        (
            "By 1130, no account is for this monitor's address; {there}, as root, see which there are: "
            "mysql -e 'select user, host from mysql.user'"
        ),
        "By 1129, find out whose connections to it break, and then let them in again: mysqladmin flush-hosts",
    ),
    Cause.READ_ONLY: ("{on}, as root, see why: mysql -e 'select @@read_only; show replica status\\G'",),
    Cause.REPLICATION: (
        "{on}, as root, read Last_IO_Error and Last_SQL_Error: mysql -e 'show replica status\\G'",
    ),
    Cause.NO_QUORUM: (
        "On each node, as root, see whom it knows: mysql -e \"show status like 'wsrep_%'\"",
        "If all are out, bootstrap the most advanced one",
    ),
    Cause.DISK_FULL: (
        "{on}, as root, find the full file system: df -h; mysql -e 'select @@datadir, @@tmpdir'",
    ),
    Cause.SLOW: (
        (
            "{on}, as root, see what it waits for ('Waiting for someone to free space' is a full disk): "
            "mysql -e 'show full processlist'"
        ),
    ),
    Cause.BAD_UPSTREAM: ("Look at the server behind the proxy, and at the proxy's own list of servers",),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for MySQL and MariaDB. The database is the address's path.

    ``query`` only reads. ``roundtrip`` writes, reads and deletes a row in the table ``trueup_probe``, which
    it makes where it isn't there.
    """

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None
    query: str | None = None
    expect: SqlExpect = field(default_factory=SqlExpect)
    roundtrip: bool = False

    def __post_init__(self) -> None:
        """Raises: ValueError where something is asked of nothing."""
        if self.expect.of_query and self.query is None:
            raise ValueError("expect: rows and value are of a query; add query")
        if self.roundtrip and not self.database:
            raise AddressError("roundtrip needs a database to write in", "as in mysql://HOST/DATABASE")

    @property
    def database(self) -> str:
        """The one in the address; empty for none."""
        return self.address.part.partition("?")[0]

    @property
    def credentials(self) -> Credentials:
        """Whom we ask as."""
        login = login_of(self.address, self.login)
        user = (login.user if login else None) or self.address.user or NOBODY
        return Credentials(user, login.password if login else None, self.database)

    @property
    def is_nobody(self) -> bool:
        """Whether no user is configured."""
        return self.login is None and self.address.user is None and self.address.password is None

    @property
    def needs_login(self) -> bool:
        """Whether something is configured that can't be known from outside."""
        return self.query is not None or self.expect.of_server or self.roundtrip


def conversation(options: Options) -> Conversation:
    """Answer the greeting; inside, look around, run the query, write and read; say goodbye."""
    facts: dict[str, Any] = {}
    try:
        said = yield Receive(GREETING)
        number, payload = payload_of(said)
        if payload[0] == ERR:
            return _refusal(parse_error(payload), options, facts)
        greeting = parse_greeting(payload)
        facts["version"] = greeting.version
        refused = yield from _enter(greeting, options, number, facts)
        if refused is not None:
            return refused
        answer = yield from _look_around(greeting, options, facts)
        yield Send(command(COM_QUIT))
    except (Garbled, TooLong) as strange:
        return stranger("mysql", strange.received)
    return answer


# -- to the door -----------------------------------------------------------------------------------


def _enter(
    greeting: Greeting, options: Options, number: int, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer | None]:
    """None when we're in."""
    who, encrypted = options.credentials, False
    if options.tls is not None or who.password is not None:
        facts["tls"] = "used" if greeting.offers_tls else "not offered"
        if greeting.offers_tls:
            number += 1
            yield Send(packet(number, tls_request()))
            yield StartTls(options.tls)
            encrypted = True
        elif options.tls is not None:
            yield from log_in(greeting, Credentials(NOBODY), number=number + 1, tls=False)
            return fails(Cause.WRONG_ANSWER, "it offers no TLS, and tls is configured", **facts)
    elif greeting.offers_tls:
        facts["tls"] = "offered"
    refused = yield from log_in(greeting, who, number=number + 1, tls=encrypted)
    if isinstance(refused, ServerError):
        return _refusal(refused, options, facts)
    return refused


def _refusal(error: ServerError, options: Options, facts: dict[str, Any]) -> Answer:
    """An error at the door. As nobody we can't expect to be let in: then the server is well."""
    cause, meaning = row_for(error)
    if cause is not Cause.LOGIN_REFUSED or not options.is_nobody:
        return _error_answer(error, facts)
    facts = {**facts, "login": "demanded", "code": error.code}
    if options.needs_login:
        return fails(Cause.LOGIN_REFUSED, f"it asks for a login and none is configured: {meaning}", **facts)
    return ready("alive, and asks for a login", **facts)


# -- inside ----------------------------------------------------------------------------------------


def _look_around(
    greeting: Greeting, options: Options, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer]:
    said = yield Ask(command(COM_PING), PACKET)
    if said[4] == ERR:
        return _error_answer(parse_error(said[4:]), facts)
    answer = yield from read_state(greeting, options.expect, facts)
    if isinstance(answer, ServerError):
        return _error_answer(answer, facts)
    if options.query is not None and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        found = yield from in_time(_run(greeting, options.query, options.expect), "query")
        answer = found if isinstance(found, Answer) else _error_answer(found, {}, of_query=True)
    if options.roundtrip and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        if facts.get("role") == "replica" or facts.get("writable") is False:
            return not_here(facts.get("role", "read-only server"))
        found = yield from in_time(round_trip(), "write")
        answer = found if isinstance(found, Answer) else _error_answer(found, {}, of_query=True)
    return answer


def _run(
    greeting: Greeting, statement: str, expect: SqlExpect
) -> Generator[Step, bytes, Answer | ServerError]:
    """The function layer's answer: what the query gives, held against what is expected."""
    yield from ask(TIME_LIMITS[greeting.is_mariadb])  # a server that knows no such limit says so: let it
    begun = yield from ask(READ_ONLY)
    found = begun if isinstance(begun, ServerError) else (yield from ask(statement))
    return found if isinstance(found, ServerError) else judge_rows(found.rows, expect)


# -- errors ----------------------------------------------------------------------------------------


def row_for(error: ServerError) -> tuple[Cause, str]:
    """The table's word for an error."""
    if error.code in OF_FILES and NO_SPACE.search(error.message):
        return ERRORS[1021]
    return ERRORS.get(error.code, (Cause.ERROR_ANSWER, "it answers with an error"))


def _error_answer(error: ServerError, facts: dict[str, Any], *, of_query: bool = False) -> Answer:
    cause, meaning = row_for(error)
    layer = layer_for(cause) if of_query else Layer.SERVICE
    return fails(cause, f"{meaning}: {error.spoken}", layer=layer, **facts, code=error.code)


def recognise(said: bytes) -> bool:
    """A greeting or an error in its place: length, the number 0, and what it begins with."""
    if len(said) < 7 or said[3] != 0 or said[4] not in (0x0A, ERR):
        return False
    size = int.from_bytes(said[:3], "little")
    if not 3 <= size <= 1024 or len(said) > 4 + size:
        return False
    return said[4] == ERR or said[5:6].isdigit()


PROBE = Probe(
    name="mysql",
    title="MySQL",
    schemes={"mysql": Scheme(3306), "mariadb": Scheme(3306)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    recognise=recognise,
    next_steps=NEXT,
)
