"""MongoDB: a server alone, a member of a replica set, or a router (mongos).

``hello`` and ``ping`` in one write, which need no login: they show the role, and whether the set has a
primary. Whether a login would be demanded shows in the databases that nobody in particular may see. With
``login`` it logs in by SCRAM; with ``tls`` the conversation begins with the handshake. With
``roundtrip: true`` it writes a document of its own that a majority of the set must confirm, reads it back and
deletes it, in the collection ``trueup_probe`` of the address's database.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from trueup.conversation import (
    Answer,
    Ask,
    Closed,
    Conversation,
    Garbled,
    Mark,
    Quiet,
    StartTls,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address, AddressError
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.mongodb_login import SHA1, SHA256, X509, log_in, log_in_by_certificate
from trueup.probes.mongodb_round_trip import round_trip
from trueup.probes.mongowire import command, parse, replies
from trueup.probes.probe import Farewell, Probe, Scheme

OVER_HTTP: Final = b"It looks like you are trying to access MongoDB over HTTP on the native driver port."
HELLO: Final = "hello"  # https://www.mongodb.com/docs/manual/reference/command/hello/
OLD_HELLO: Final = "isMaster"
COMMAND_NOT_FOUND: Final = 59
OWN_DATABASE: Final = "trueup"
WRITABLE: Final = ("primary", "router")
"""Roles that take writes."""


ERRORS: Final[dict[int, tuple[Cause, str]]] = {
    # https://www.mongodb.com/docs/manual/reference/error-codes/
    91: (Cause.STARTING_UP, "it is shutting down"),
    11600: (Cause.STARTING_UP, "it is shutting down"),
    13436: (Cause.STARTING_UP, "it is recovering: neither primary nor secondary"),
    94: (Cause.STARTING_UP, "its replica set isn't initiated"),
    10107: (Cause.READ_ONLY, "it isn't primary"),
    13435: (Cause.READ_ONLY, "it isn't primary"),
    189: (Cause.READ_ONLY, "it has just stepped down"),
    11602: (Cause.READ_ONLY, "it has just stepped down"),
    11: (Cause.LOGIN_REFUSED, "there is no such user"),
    13: (Cause.LOGIN_REFUSED, "this user may not do that, or nobody is logged in"),
    18: (Cause.LOGIN_REFUSED, "the user or password is not accepted"),
    334: (Cause.LOGIN_REFUSED, "this way to log in isn't offered"),
    14031: (Cause.DISK_FULL, "its disk is full"),
    133: (Cause.NO_QUORUM, "a shard has no member that could answer"),
    64: (Cause.REPLICATION, "a majority of its replica set doesn't confirm the write in time"),
    75: (Cause.REPLICATION, "a majority of its replica set doesn't confirm the write in time"),
    100: (Cause.NO_QUORUM, "its replica set has too few members that could confirm a write"),
    50: (Cause.OVERLOADED, "it didn't finish in its own time limit"),
    462: (Cause.OVERLOADED, "it limits the rate of requests"),
    6: (Cause.BAD_UPSTREAM, "the router can't reach a server"),
    7: (Cause.BAD_UPSTREAM, "the router can't find a server"),
    89: (Cause.BAD_UPSTREAM, "the router's server doesn't answer"),
}
NO_SPACE: Final = "No space left on device"
"""Beside a code that tells nothing (8), as the storage engine passes it on."""

_MONGOSH: Final = "mongosh --quiet --host {host} --port {port} --eval"
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.NO_QUORUM: (f"See who votes and who is up: {_MONGOSH} 'rs.status().members'",),
    Cause.STARTING_UP: (f"See its state; a new set needs rs.initiate(): {_MONGOSH} 'rs.status()'",),
    Cause.READ_ONLY: (f"See who is primary: {_MONGOSH} 'db.hello().primary'",),
    Cause.REPLICATION: (f"See how far it is: {_MONGOSH} 'rs.printSecondaryReplicationInfo()'",),
    Cause.OVERLOADED: (
        f"See what runs: {_MONGOSH} 'db.currentOp()'",
        f"See its room: {_MONGOSH} 'db.serverStatus().connections'",
    ),
    Cause.DISK_FULL: ("{on}, find the full file system, that of its dbPath: df -h",),
}


@dataclass(frozen=True, slots=True)
class Expect:
    """``role``: what this server must be. ``lag_s``: how far a replica may be behind its primary."""

    role: Literal["primary", "replica"] | None = None
    lag_s: float | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for MongoDB. The login is of the database in the address's path, or of
    ``?authSource=``, else of ``admin``. ``?authMechanism=MONGODB-X509`` logs in by the certificate of
    ``tls: {cert: FILE, key: FILE}``.

    ``roundtrip`` writes, reads and deletes a document in the path's database, else in ``trueup``.
    """

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None
    expect: Expect = field(default_factory=Expect)
    roundtrip: bool = False

    def __post_init__(self) -> None:
        """Raises: AddressError: a way to log in that isn't spoken, or a certificate that isn't there."""
        way = self.mechanism
        if way not in {None, X509, SHA256, SHA1}:
            hint = f"known: {SHA256} {SHA1} {X509}"
            raise AddressError(f"trueup can't log in by authMechanism {printable(str(way), 40)!r}", hint)
        if way == X509 and (self.tls is None or self.tls.cert is None):
            raise AddressError(f"{X509} needs a certificate", "write tls: {cert: FILE, key: FILE}")

    @property
    def mechanism(self) -> str | None:
        """The way to log in that the address asks for."""
        return self._words.get("authMechanism")

    @property
    def _words(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        words = self.address.part.partition("?")[2]
        return dict(word.partition("=")[::2] for word in words.split("&"))

    @property
    def database(self) -> str:
        """The one in the address; empty for none."""
        return self.address.part.partition("?")[0]

    @property
    def login_database(self) -> str:
        """Where the user is known."""
        return self._words.get("authSource") or self.database or "admin"


def conversation(options: Options) -> Conversation:
    """Ask who it is and whether it's well, log in where that's configured, and judge."""
    try:
        if options.tls is not None:
            yield StartTls(options.tls)
        return (yield from _look(options))
    except (Garbled, TooLong) as strange:
        return stranger("mongodb", strange.received)


def _look(options: Options) -> Generator[Step, bytes, Answer]:
    login = login_of(options.address, options.login)
    hello = yield from _greet(HELLO)
    if hello.get("code") == COMMAND_NOT_FOUND:  # before 4.4.2
        hello = yield from _greet(OLD_HELLO)
    if (refused := error_answer(hello)) is not None:
        return refused
    if "maxWireVersion" not in hello and "ismaster" not in hello:
        raise Garbled(repr(hello).encode())
    facts = _facts(hello)
    if options.mechanism == X509:
        if (refused := error_answer((yield from log_in_by_certificate()))) is not None:
            return refused
    elif login is not None:
        user = login.user or options.address.user or ""
        entered = yield from log_in(user, login.password, options.login_database)
        if isinstance(entered, Answer):
            return entered
        if (refused := error_answer(entered)) is not None:
            return refused
    elif (yield from _shows_nothing()):
        facts["login"] = "demanded"
        if options.roundtrip:
            return fails(Cause.LOGIN_REFUSED, "it asks for a login, and none is configured", **facts)
    answer = _judge(hello, options.expect, facts)
    if answer.cause is None and facts["role"] == "replica" and options.expect.lag_s is not None:
        answer = yield from _judge_lag(options.expect.lag_s, facts)
    if not options.roundtrip or answer.cause is not None:
        return answer
    yield Mark(answer)
    return (yield from _write(options.database or OWN_DATABASE, facts["role"]))


def _write(database: str, role: str) -> Generator[Step, bytes, Answer]:
    """The function layer's answer, unless what comes of it is of the whole service."""
    if role not in WRITABLE:
        return fails(Cause.READ_ONLY, f"it is a {role}, and a round trip writes", layer=Layer.FUNCTION)
    try:
        found = yield from round_trip(database)
    except Quiet:
        return fails(Cause.SLOW, "no answer to the write in time", layer=Layer.FUNCTION)
    if isinstance(found, Answer):
        return found
    failed = error_answer(found)
    assert failed is not None
    is_of_function = failed.cause is not None and Layer.FUNCTION in failed.cause.layers
    return failed._replace(layer=Layer.FUNCTION) if is_of_function else failed


def _greet(word: str) -> Generator[Step, bytes, Mapping[str, Any]]:
    """The reply to ``hello``, or that to ``ping`` where that is the worse: a server that shuts down may
    answer the first and no more.
    """
    try:
        said = parse((yield Ask(command(1, {word: 1}) + command(2, {"ping": 1}), replies(2))))
    except Closed as closed:
        said = parse(closed.received)
        if not said:
            raise
    return next((reply for reply in said if error_answer(reply) is not None), said[0])


def _shows_nothing() -> Generator[Step, bytes, bool]:
    """Whether nobody in particular may see any database: where no login is demanded, all see all.

    The one command that tells without leaving a line in the server's log.
    """
    asked = {"listDatabases": 1, "nameOnly": True, "$readPreference": {"mode": "secondaryPreferred"}}
    reply = parse((yield Ask(command(3, asked), replies(1))))[0]
    return reply.get("code") == 13 or (bool(reply.get("ok")) and reply.get("databases") == [])


def _facts(hello: Mapping[str, Any]) -> dict[str, Any]:
    role = "other"
    if hello.get("arbiterOnly"):
        role = "arbiter"
    elif hello.get("msg") == "isdbgrid":
        role = "router"
    elif hello.get("isWritablePrimary", hello.get("ismaster")):
        role = "primary"
    elif hello.get("secondary"):
        role = "replica"
    names = {"set": hello.get("setName"), "primary": hello.get("primary")}
    shown = {name: printable(str(word), 100) for name, word in names.items() if word}
    return {"role": role, "wire_version": hello.get("maxWireVersion"), **shown}


def _judge(hello: Mapping[str, Any], expect: Expect, facts: dict[str, Any]) -> Answer:
    role = facts["role"]
    if role == "other":
        if hello.get("isreplicaset"):
            return fails(Cause.STARTING_UP, "it waits for its replica set to be initiated", **facts)
        return fails(Cause.STARTING_UP, "it joins or recovers: neither primary nor secondary", **facts)
    if role in ("replica", "arbiter") and "primary" not in facts:
        return fails(Cause.NO_QUORUM, f"its replica set has no primary; it is a {role}", **facts)
    if expect.role is not None and role != expect.role and (role, expect.role) != ("router", "primary"):
        cause = Cause.READ_ONLY if expect.role == "primary" else Cause.WRONG_ANSWER
        return fails(cause, f"it is a {role}, and a {expect.role} is expected", **facts)
    if hello.get("readOnly"):
        return fails(Cause.READ_ONLY, "it refuses writes (read-only mode)", **facts)
    return ready(f"answers ping, {role}", **facts)


def _judge_lag(lag_s_max: float, facts: dict[str, Any]) -> Generator[Step, bytes, Answer]:
    """A replica's own word is its last write; how old that may be, only the primary's last one tells."""
    reply = parse((yield Ask(command(9, {"replSetGetStatus": 1}), replies(1))))[0]
    if (refused := error_answer(reply)) is not None:
        return refused
    own = primary = None
    members = reply.get("members")
    for member in members if isinstance(members, list) else []:
        if isinstance(member, dict) and isinstance(member.get("optimeDate"), int):
            own = member["optimeDate"] if member.get("self") else own
            primary = member["optimeDate"] if member.get("stateStr") == "PRIMARY" else primary
    if own is None or primary is None:
        return fails(Cause.REPLICATION, "a replica that doesn't say how far it is behind", **facts)
    lag_s = max(0.0, (primary - own) / 1000)
    if lag_s > lag_s_max:
        return fails(Cause.REPLICATION, f"{lag_s:.1f} s behind, over {lag_s_max:g} s", **facts, lag_s=lag_s)
    return ready("answers ping, replica", **facts, lag_s=lag_s)


def error_answer(reply: Mapping[str, Any]) -> Answer | None:
    """The table's word for a reply that is an error; None for one that isn't."""
    if reply.get("ok"):
        return None
    code = reply.get("code")
    unknown = (Cause.ERROR_ANSWER, "it answers with an error")
    cause, meaning = ERRORS.get(code, unknown) if isinstance(code, int) else unknown
    said = " ".join(printable(str(reply[key]), 200) for key in ("codeName", "errmsg") if reply.get(key))
    if NO_SPACE in said:
        cause, meaning = ERRORS[14031]
    detail = f"{meaning}: {said}" if said else meaning
    return fails(cause, detail, code=code if isinstance(code, int) else None)


def recognise(said: bytes) -> bool:
    """What it says to HTTP; else a message of its own kind."""
    return OVER_HTTP in said or (said[12:16] == b"\xdd\x07\0\0" and said[2:4] == b"\0\0")


PROBE = Probe(
    name="mongodb",
    title="MongoDB",
    schemes={"mongodb": Scheme(27017)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.RESET,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
