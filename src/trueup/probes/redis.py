"""Redis, Valkey and KeyDB.

One write of ``PING``, ``ROLE`` and ``INFO``: PING alone says PONG on a replica whose primary died, on a
server that has no memory left for any write, and on a node of a cluster that is down. One that can't persist
though it takes writes, or has less than a tenth of its memory or clients left, is degraded. Where a password
is demanded and none is configured, the service is up and says so. With ``login`` it logs in; with
``roundtrip: true`` it writes a key of its own that expires, reads it back and deletes it; with
``queues: {jobs: 1000}`` no more may wait in these lists, sorted sets or streams. Of a stream counts what its
slowest group has yet to finish.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from trueup.conversation import (
    Answer,
    Ask,
    Closed,
    Conversation,
    Garbled,
    Line,
    Mark,
    Nonce,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.limits import AtLeast
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login
from trueup.probes.credentials import login_of
from trueup.probes.probe import Farewell, Probe, Scheme
from trueup.probes.redis_cluster import is_cluster_node, judge_cluster, key_of_this_node
from trueup.probes.redis_queues import look_at_queues
from trueup.probes.redis_state import QUESTION, REPLIES_COUNT, State
from trueup.probes.resp import ErrorReply, Reply, command, parse, replies_to

ERRORS: Final[dict[bytes, tuple[Cause | None, str]]] = {
    # The first word of an error reply (redis source, server.c and the documentation of each feature).
    b"NOAUTH": (None, "alive, and asks for a password"),
    b"NOPERM": (None, "alive, and this user may not ask for its state"),
    b"WRONGPASS": (Cause.LOGIN_REFUSED, "the password or user is not accepted"),
    b"LOADING": (Cause.STARTING_UP, "loading its data set into memory"),
    b"MASTERDOWN": (Cause.REPLICATION, "a replica that lost its primary and refuses stale reads"),
    b"MISCONF": (Cause.DISK_FULL, "can't persist to disk and refuses writes"),
    b"BUSY": (Cause.OVERLOADED, "busy in a script; it answers nothing else"),
    b"OOM": (Cause.OVERLOADED, "out of memory (maxmemory); it refuses writes"),
    b"READONLY": (Cause.READ_ONLY, "a read-only replica"),
    b"NOREPLICAS": (Cause.READ_ONLY, "too few replicas in sync; it refuses writes"),
    b"CLUSTERDOWN": (Cause.NO_QUORUM, "the cluster doesn't cover all its slots"),
    b"DENIED": (Cause.BLOCKED, "protected mode: it refuses clients from other machines"),
    b"MOVED": (None, "a cluster node; the key lives on another"),
    b"ASK": (None, "a cluster node; the key is moving to another"),
    b"TRYAGAIN": (Cause.STARTING_UP, "a cluster node in the middle of moving keys"),
}
ELSEWHERE: Final = (b"MOVED", b"ASK")
MESSAGES: Final[dict[bytes, tuple[Cause, str]]] = {
    # Error replies that begin with ERR and are told apart by their words.
    b"max number of clients": (Cause.OVERLOADED, "takes no more clients (maxclients)"),
    b"invalid password": (Cause.LOGIN_REFUSED, "the password is not accepted"),
    b"without any password configured": (Cause.LOGIN_REFUSED, "a password is given, and it has none set"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        (
            "See what it is short of: redis-cli -h {host} -p {port} info | "
            "grep -E '^(used_memory|maxmemory|maxclients|connected_clients)'"
        ),
        (
            "Full of clients, it refuses that too; {there}, see who they are: "
            "ss -Htn state established 'sport = :{port}'"
        ),
        "See its limits: redis-cli -h {host} -p {port} config get 'max*'",
    ),
    Cause.BLOCKED: (
        (
            "Give its default user a password (requirepass), or bind it to where no stranger comes; "
            "{there}, see what it has now: redis-cli -p {port} config get protected-mode"
        ),
    ),
    Cause.DISK_FULL: (
        "See why it can't save: redis-cli -h {host} -p {port} info persistence",
        (
            "{on}, find the full file system, that of its folder: "
            "df -h; redis-cli -h {host} -p {port} config get dir"
        ),
    ),
    Cause.REPLICATION: ("See the link to its primary: redis-cli -h {host} -p {port} info replication",),
    Cause.STARTING_UP: ("Watch it load: redis-cli -h {host} -p {port} info persistence | grep loading",),
    Cause.READ_ONLY: ("See who is primary: redis-cli -h {host} -p {port} role",),
}


@dataclass(frozen=True, slots=True)
class Expect:
    """``role``: what this server must be."""

    role: Literal["primary", "replica"] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for Redis.

    ``roundtrip`` writes, reads and deletes a key of its own. ``queues``: the most that may wait in each of
    these lists, sorted sets and streams.
    """

    address: Address
    login: Login | None = None
    expect: Expect = field(default_factory=Expect)
    roundtrip: bool = False
    queues: Mapping[str, Annotated[int, AtLeast(0)]] = field(default_factory=dict)

    @property
    def needs_login(self) -> bool:
        """Whether something is configured that can't be known from outside."""
        return self.roundtrip or bool(self.queues) or self.expect.role is not None


def conversation(options: Options) -> Conversation:
    """Ask for a sign of life, the role and what it may be short of, in one write; then what is configured."""
    login = login_of(options.address, options.login)
    seen = yield from _ask_state()
    if isinstance(seen, Answer):
        return seen
    if _demands_login(seen.pong):
        if login is None:
            return _no_login(needs_login=options.needs_login)
        refused = yield from _log_in(login)
        if refused is not None:
            return refused
        seen = yield from _ask_state()
        if isinstance(seen, Answer):
            return seen
    elif login is not None and seen.pong == b"PONG" and (refused := (yield from _log_in(login))) is not None:
        return refused
    answer = yield from _judge(seen, options.expect)
    if options.queues and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        try:
            found = yield from look_at_queues(options.queues)
        except (Garbled, TooLong) as strange:
            return stranger("redis", strange.received)
        answer = found if isinstance(found, Answer) else _refused("a queue can't be seen", found)
    if options.roundtrip and answer.outcome is not Outcome.FAIL:
        yield Mark(answer)
        answer = yield from _round_trip()
    return answer


def _ask_state() -> Generator[Step, bytes, State | Answer]:
    """The replies, or the answer where one came instead of them."""
    try:
        return State.of((yield from replies_to(QUESTION, REPLIES_COUNT)))
    except Closed as closed:
        return _spoken_before_closing(closed)
    except (Garbled, TooLong) as strange:
        return stranger("redis", strange.received)


def _spoken_before_closing(closed: Closed) -> State | Answer:
    """A server that takes no more clients says so unasked and closes. A proxy (twemproxy) may know PING
    and hang up at the rest.
    """
    if not closed.received:
        raise closed
    try:
        said = parse(closed.received)
    except Garbled:
        return stranger("redis", closed.received)
    if said and isinstance(said[0], ErrorReply):
        return _error_answer(said[0])
    if said and said[0] == b"PONG":
        return State.of(said)
    return stranger("redis", closed.received)


def _demands_login(reply: Reply) -> bool:
    return isinstance(reply, ErrorReply) and bytes(reply).startswith(b"NOAUTH")


def _no_login(*, needs_login: bool) -> Answer:
    if needs_login:
        return fails(Cause.LOGIN_REFUSED, "it asks for a password and none is configured", login="demanded")
    return ready("alive, and asks for a password", login="demanded")


def _log_in(login: Login) -> Generator[Step, bytes, Answer | None]:
    words = [login.user.encode()] if login.user else []
    said = yield Ask(command(b"AUTH", *words, login.password.reveal().encode()), Line(), secret=True)
    if said.startswith(b"+OK"):
        return None
    if not said.startswith(b"-"):
        return stranger("redis", said)
    return _error_answer(ErrorReply(said[1:].strip()))


def _error_answer(reply: ErrorReply) -> Answer:
    """The table's word for an error reply. An error in the dialect proves who it is."""
    word = reply.split(b" ", 1)[0]
    cause, meaning = ERRORS.get(word, (Cause.ERROR_ANSWER, "answers with an error"))
    for words, row in MESSAGES.items():
        if words in bytes(reply):
            cause, meaning = row
    detail, code = f"{meaning}: {printable(bytes(reply))}", printable(word)
    return ready(detail, code=code) if cause is None else fails(cause, detail, code=code)


def _judge(seen: State, expect: Expect) -> Generator[Step, bytes, Answer]:
    pong = seen.pong
    if isinstance(pong, ErrorReply):
        return _error_answer(pong)
    if pong != b"PONG":
        return stranger("redis", pong if isinstance(pong, bytes) else repr(pong).encode())
    facts = seen.role_facts()
    if expect.role is not None and facts.get("role") not in (None, expect.role):
        cause = Cause.READ_ONLY if expect.role == "primary" else Cause.WRONG_ANSWER
        return fails(cause, f"it is a {facts['role']}, and a {expect.role} is expected", **facts)
    if is_cluster_node(seen.info) and (down := (yield from judge_cluster(facts))) is not None:
        return down
    if facts.get("link") == "sync":
        return fails(Cause.STARTING_UP, "a replica that copies its primary's data", **facts)
    if facts.get("link") not in (None, "connected"):
        whose = f"its primary {facts['primary']}" if "primary" in facts else "its primary"
        return fails(Cause.REPLICATION, f"a replica without {whose} (link: {facts['link']})", **facts)
    short = seen.short(facts)
    if short is not None and short.outcome is Outcome.FAIL:
        return short
    if expect.role is not None and "role" not in facts:
        return fails(Cause.LOGIN_REFUSED, "it doesn't tell its role to this user", **facts)
    return short or ready("answers PING" + (f", {facts['role']}" if "role" in facts else ""), **facts)


def _round_trip() -> Generator[Step, bytes, Answer]:
    token = (yield Nonce(8)).hex().encode()
    key = b"trueup:probe:" + token
    written, read = yield from _write_and_read(key, token)
    if isinstance(written, ErrorReply) and written.startswith(b"MOVED "):
        own = yield from key_of_this_node(key)
        if own is None:
            words = "a cluster node without slots of its own, as a replica is: it takes no writes"
            return fails(Cause.READ_ONLY, words, layer=Layer.FUNCTION)
        written, read = yield from _write_and_read(own, token)
    if isinstance(written, ErrorReply):
        return _refused("a write is refused", written)
    if read != token:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    return ready("wrote, read and deleted a key", layer=Layer.FUNCTION)


def _refused(what: str, reply: ErrorReply) -> Answer:
    """The function layer's answer for an error reply, unless it speaks of the whole service."""
    failed = _error_answer(reply)
    cause = failed.cause or (Cause.ERROR_ANSWER if reply.startswith(ELSEWHERE) else Cause.LOGIN_REFUSED)
    layer = Layer.FUNCTION if Layer.FUNCTION in cause.layers else Layer.SERVICE
    return fails(cause, f"{what}: {failed.detail}", layer=layer, **failed.facts)


def _write_and_read(key: bytes, word: bytes) -> Generator[Step, bytes, tuple[Reply, Reply]]:
    asked = command(b"SET", key, word, b"EX", b"60") + command(b"GET", key) + command(b"DEL", key)
    written, read, _deleted = yield from replies_to(asked, 3)
    return written, read


def recognise(said: bytes) -> bool:
    """A RESP error, which no other protocol's begins like."""
    word = said.removeprefix(b"-").split(b" ", 1)[0].strip()
    return said.startswith(b"-") and (word in ERRORS or (word == b"ERR" and not said.startswith(b"-ERR '")))


PROBE = Probe(
    name="redis",
    title="Redis",
    schemes={"redis": Scheme(6379), "rediss": Scheme(6379, tls=True)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.RESET,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
