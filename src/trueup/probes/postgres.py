"""PostgreSQL, and what speaks its protocol: PgBouncer, Pgpool, CockroachDB.

A startup message, for that alone shows a server that is full or shuts down: it answers an SSLRequest
even then. As far as the demand for a password, and hangs up there; where it's let in, by ``login`` or
because nobody is asked, it goes on to role, replication and room: with less than a tenth of its
connections left it is degraded. ``query`` runs in a read-only transaction with a time limit of its own;
``roundtrip: true`` writes, reads and deletes a row in a table of trueup's own, ``trueup_probe``. TLS is
asked for where ``tls`` is configured, where a password is to be sent, and where the server demands it.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Conversation,
    Garbled,
    HangUp,
    Mark,
    Redial,
    Send,
    StartTls,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.pgwire import (
    FIRST_MESSAGES,
    SSL_REQUEST,
    TERMINATE,
    TLS_ANSWER,
    Message,
    ServerError,
    authentication,
    error_before_protocol,
    error_in,
    parameters,
    parse,
    rows_of,
    startup,
)
from trueup.probes.postgres_login import OK, log_in, receive_session
from trueup.probes.postgres_round_trip import round_trip
from trueup.probes.postgres_state import ask, read_state
from trueup.probes.probe import Farewell, Probe, Scheme
from trueup.probes.sql_expect import SqlExpect, judge_rows, layer_for
from trueup.probes.sql_function import in_time, not_here

USER: Final = "postgres"
DATABASE: Final = "postgres"
HBA: Final = "pg_hba.conf"
"""Named in the message, in every language, where a rule of that file or the lack of one keeps us out."""

READ_ONLY: Final = "begin transaction read only; set local statement_timeout = '60s'"
"""The server doesn't notice that we have hung up before it has finished; longer than this nobody waits."""

ERRORS: Final[dict[str, tuple[Cause | None, str]]] = {
    # SQLSTATE, or its class (PostgreSQL's documentation, appendix A).
    "57P03": (Cause.STARTING_UP, "it is starting up, recovering or shutting down"),
    "57P01": (Cause.STARTING_UP, "an administrator is shutting it down"),
    "57P02": (Cause.STARTING_UP, "another session crashed, and it restarts"),
    "53300": (Cause.OVERLOADED, "it takes no more clients"),
    "53200": (Cause.OVERLOADED, "it is out of memory"),
    "53400": (Cause.OVERLOADED, "a configured limit is reached"),
    "53100": (Cause.DISK_FULL, "its disk is full"),
    "53": (Cause.OVERLOADED, "it is short of something"),
    "28P01": (Cause.LOGIN_REFUSED, "the password is not accepted"),
    "28000": (Cause.LOGIN_REFUSED, "this user is not let in"),
    "28": (Cause.LOGIN_REFUSED, "this user is not let in"),
    "3D000": (Cause.ERROR_ANSWER, "there is no such database"),
    "25006": (Cause.READ_ONLY, "it refuses to write"),
    "40001": (Cause.ERROR_ANSWER, "the query was in the way of replication, or of another transaction"),
    "42501": (Cause.ERROR_ANSWER, "this user may not do that"),
    "57014": (Cause.ERROR_ANSWER, "the query was cancelled"),
    "58030": (Cause.ERROR_ANSWER, "it can't read or write its files"),
    "XX001": (Cause.ERROR_ANSWER, "its data is corrupted"),
    "XX002": (Cause.ERROR_ANSWER, "an index is corrupted"),
}
POOLER: Final[dict[str, tuple[Cause, str]]] = {
    # PgBouncer's own words, under 08P01 for most (its source: client.c, janitor.c, objects.c, server.c).
    "no more connections allowed": (Cause.OVERLOADED, "the pooler takes no more clients"),
    "query_wait_timeout": (Cause.OVERLOADED, "the pooler has no server connection free"),
    "cannot connect to server": (Cause.BAD_UPSTREAM, "the pooler can't reach its server"),
    "server login": (Cause.BAD_UPSTREAM, "the pooler can't log in to its server"),
    "server conn crashed": (Cause.BAD_UPSTREAM, "the pooler lost its server"),
    "server_lifetime": (Cause.BAD_UPSTREAM, "the pooler lost its server"),
    "no such database": (Cause.ERROR_ANSWER, "the pooler knows no such database"),
    "is disabled": (Cause.ERROR_ANSWER, "the pooler has this database disabled"),
    "shut": (Cause.STARTING_UP, "the pooler is shutting down"),
    "no such user": (Cause.LOGIN_REFUSED, "the pooler knows no such user"),
    "authentication failed": (Cause.LOGIN_REFUSED, "the pooler doesn't accept the password"),
    "auth": (Cause.LOGIN_REFUSED, "the pooler doesn't let this user in"),
    "not allowed": (Cause.BLOCKED, "the pooler refuses this client"),
}

HBA_REJECTS: Final = (Cause.BLOCKED, "pg_hba.conf keeps out this client, user or database")
_PSQL: Final = "runuser -u postgres -- psql -p {port}"
"""Needs no password where the server is the distribution's, and gets a slot kept for superusers."""

_SESSIONS: Final = "select state, usename, count(*) from pg_stat_activity group by 1, 2"

NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.ERROR_ANSWER: (
        f"{{on}}, as root, see which databases and roles it has: {_PSQL} -c '\\l' -c '\\du'",
        "{on}, read its log: tail -n 50 /var/log/postgresql/*.log; journalctl -u 'postgresql*' -n 50",
    ),
    Cause.OVERLOADED: (
        f"{{on}}, as root, look for idle sessions: {_PSQL} -c '{_SESSIONS}'",
        f"Compare: {_PSQL} -c 'show max_connections' -c 'show superuser_reserved_connections'",
    ),
    Cause.STARTING_UP: (
        (
            "{on}, see in its log whether it recovers, or a smart shutdown waits for a session to end: "
            "tail -n 20 /var/log/postgresql/*.log; journalctl -u 'postgresql*' -n 20"
        ),
    ),
    Cause.BLOCKED: (
        f"{{on}}, as root, add this monitor to the pg_hba.conf that this names: {_PSQL} -Atc 'show hba_file'",
        f"Then have it read: {_PSQL} -c 'select pg_reload_conf()'",
    ),
    Cause.READ_ONLY: (
        (
            "{on}, as root, see whether it is a standby, and of whom: runuser -u postgres -- psql -p {port} "
            "-c 'select pg_is_in_recovery()' -xc 'select * from pg_stat_wal_receiver'"
        ),
    ),
    Cause.REPLICATION: (
        (
            "{on}, as root, see what it receives: "
            "runuser -u postgres -- psql -p {port} -xc 'select * from pg_stat_wal_receiver'"
        ),
        "Its log says why it can't connect: tail -n 20 /var/log/postgresql/*.log",
        "On the primary, as root: runuser -u postgres -- psql -xc 'select * from pg_stat_replication'",
    ),
    Cause.DISK_FULL: (
        (
            f"{{on}}, as root, find the full file system, of its data or pg_wal: df -h; {_PSQL} -Atc "
            "'show data_directory'"
        ),
    ),
    Cause.BAD_UPSTREAM: (
        (
            "Look at the server behind the pooler; PgBouncer lists it: "
            "psql -h {host} -p {port} -U pgbouncer pgbouncer -c 'show servers' -c 'show databases'"
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for PostgreSQL. The database is the address's path.

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
        """Raises: ValueError where something is expected of a query that isn't there."""
        if self.expect.of_query and self.query is None:
            raise ValueError("expect: rows and value are of a query; add query")

    @property
    def user(self) -> str:
        """Whom we ask as."""
        return (self.login.user if self.login else None) or self.address.user or USER

    @property
    def needs_login(self) -> bool:
        """Whether something is configured that can't be known from outside."""
        return self.query is not None or self.expect.of_server or self.roundtrip


def conversation(options: Options) -> Conversation:
    """Ask to be let in; inside, look around, run the query, write and read; say goodbye."""
    login = login_of(options.address, options.login)
    facts: dict[str, Any] = {}
    try:
        entered = yield from _enter(options, login, facts)
        if isinstance(entered, Answer):
            return entered
        answer = yield from _look_around(options, facts)
        yield Send(TERMINATE)
    except Garbled as garbled:
        return stranger("postgres", garbled.received)
    except TooLong as long:
        return stranger("postgres", long.received)
    return answer


# -- to the door -----------------------------------------------------------------------------------


def _enter(
    options: Options, login: Login | None, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer | None]:
    """None when we're in; ``facts`` then tell the version."""
    encrypted = False
    if options.tls is not None or login is not None:
        refused = yield from _encrypt(options, facts)
        if refused is not None:
            return refused
        encrypted = facts["tls"] == "used"
    said = yield from _knock(options)
    if isinstance(said, Answer):
        return said
    error = error_in(said)
    if error is not None and not encrypted and "tls" not in facts and _may_want_tls(error):
        yield Redial(PROBE.dial(options.address, None))
        refused = yield from _encrypt(options, facts)
        if refused is not None:
            return refused
        if facts["tls"] == "used":
            return (yield from _go_in(options, login, facts, (yield from _knock(options))))
    return (yield from _go_in(options, login, facts, said))


def _go_in(
    options: Options, login: Login | None, facts: dict[str, Any], said: list[Message] | Answer
) -> Generator[Step, bytes, Answer | None]:
    if isinstance(said, Answer):
        return said
    if (error := error_in(said)) is not None:
        return _refusal(error, options, facts)
    kind, data = authentication(said[-1].body)
    if kind == OK:
        session = yield from receive_session()
    elif login is None:
        yield HangUp()  # to a server that waits for a password, any word but that is worth a line in its log
        return _no_login(options, "it asks for a password", facts)
    else:
        session = yield from log_in(kind, data, options.user, login.password)
    if isinstance(session, Answer):
        return session
    if (error := error_in(session)) is not None:
        return _refusal(error, options, facts)
    if version := parameters(session).get("server_version"):
        facts["version"] = version
    return None


def _encrypt(options: Options, facts: dict[str, Any]) -> Generator[Step, bytes, Answer | None]:
    """Turn to TLS where it's offered; ``facts`` say whether it was. An answer where that ends it."""
    said = yield Ask(SSL_REQUEST, TLS_ANSWER)
    if said == b"S":
        yield StartTls(options.tls)
        facts["tls"] = "used"
        return None
    if said == b"N":
        facts["tls"] = "not offered"
        if options.tls is None:
            return None
        return fails(Cause.WRONG_ANSWER, "it offers no TLS, and tls is configured", **facts)
    if said[:1] != b"E":
        return stranger("postgres", said)
    return _spoken_too_early(said) or _error_answer(_certain(said), facts)


def _knock(options: Options) -> Generator[Step, bytes, list[Message] | Answer]:
    """Ask to be let in: what the server demands or objects."""
    database = options.address.part.partition("?")[0] or DATABASE
    said = yield Ask(startup(options.user, database), FIRST_MESSAGES)
    return _spoken_too_early(said) or parse(said)


def _spoken_too_early(said: bytes) -> Answer | None:
    words = error_before_protocol(said)
    return None if words is None else fails(Cause.OVERLOADED, f"it can't start a session: {words}")


def _certain(said: bytes) -> ServerError:
    error = error_in(parse(said))
    if error is None:
        raise Garbled(said)
    return error


def _may_want_tls(error: ServerError) -> bool:
    """Rules for encrypted connections alone don't match ours; poolers say what they want."""
    return (error.sqlstate.startswith("28") and HBA in error.message) or "SSL required" in error.message


def _no_login(options: Options, why: str, facts: dict[str, Any]) -> Answer:
    if options.needs_login:
        return fails(Cause.LOGIN_REFUSED, f"{why}, and none is configured", login="demanded", **facts)
    return ready(f"alive: {why}", login="demanded", **facts)


def _refusal(error: ServerError, options: Options, facts: dict[str, Any]) -> Answer:
    """An error at the door. Without a login of its own the probe asks as somebody who may not exist,
    for a database that may not exist: then the server is well, and only wants to know who we are.
    """
    cause, meaning = row_for(error)
    nobody = options.login is None and options.address.user is None
    if cause is Cause.LOGIN_REFUSED and nobody:
        return _no_login(options, f"{meaning}: {error.spoken}", {**facts, "sqlstate": error.sqlstate})
    if error.sqlstate == "3D000" and not options.address.part and not options.needs_login:
        return ready(f"alive, and has no database {DATABASE!r}", **facts, sqlstate=error.sqlstate)
    return _error_answer(error, facts)


# -- inside ----------------------------------------------------------------------------------------


def _look_around(options: Options, facts: dict[str, Any]) -> Generator[Step, bytes, Answer]:
    answer = yield from read_state(options.expect, facts)
    if isinstance(answer, ServerError):
        return _error_answer(answer, facts)
    if options.query is not None and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        found = yield from in_time(_run(options.query, options.expect, facts), "query")
        answer = found if isinstance(found, Answer) else _error_answer(found, {}, of_query=True)
    if options.roundtrip and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        if facts.get("role") == "replica":
            return not_here("replica")
        found = yield from in_time(round_trip(in_transaction=options.query is not None), "write")
        answer = found if isinstance(found, Answer) else _error_answer(found, {}, of_query=True)
    return answer


def _run(
    statement: str, expect: SqlExpect, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer | ServerError]:
    """The function layer's answer: what the query gives, held against what is expected."""
    said = yield from ask(READ_ONLY)
    if error_in(said) is None:
        said = yield from ask(statement)
    if (error := error_in(said)) is None:
        return judge_rows(rows_of(said), expect)
    if error.sqlstate == "25006" and facts.get("role") == "primary":  # it's we who forbid it
        words = f"the query writes, and a check's query only reads: {error.spoken}"
        return fails(Cause.ERROR_ANSWER, words, layer=Layer.FUNCTION, sqlstate=error.sqlstate)
    return error


# -- errors ----------------------------------------------------------------------------------------


def row_for(error: ServerError) -> tuple[Cause | None, str]:
    """The table's word for an error."""
    if error.sqlstate.startswith("28") and HBA in error.message:
        return HBA_REJECTS
    if error.sqlstate in ("08P01", ""):
        for words, row in POOLER.items():
            if words in error.message:
                return row
    unknown = (Cause.ERROR_ANSWER, "it answers with an error")
    return ERRORS.get(error.sqlstate) or ERRORS.get(error.sqlstate[:2]) or unknown


def _error_answer(error: ServerError, facts: dict[str, Any], *, of_query: bool = False) -> Answer:
    cause, meaning = row_for(error)
    assert cause is not None
    layer = layer_for(cause) if of_query else Layer.SERVICE
    return fails(cause, f"{meaning}: {error.spoken}", layer=layer, **facts, sqlstate=error.sqlstate)


def recognise(said: bytes) -> bool:
    """An ErrorResponse with a severity and a code, as no other protocol says it."""
    if said[:1] != b"E" or not 8 <= int.from_bytes(said[1:5], "big") <= 30_000:
        return False
    return said[5:6] == b"S" and b"\0C" in said


PROBE = Probe(
    name="postgres",
    title="PostgreSQL",
    schemes={"postgres": Scheme(5432), "postgresql": Scheme(5432)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
