"""Kafka.

``ApiVersions``, which every broker answers before any login, proves who it is. ``Metadata`` then tells what
clients live by: the controller, the addresses that they are sent to, and the leaders of the topic that the
path names. A listener that demands a login closes at that; it's asked whether it does, and then it's up and
says so. With ``login`` it logs in by SCRAM or PLAIN, whichever the listener has. With ``advertised: true``
each of those addresses must be reachable from here: where they aren't, clients find the cluster and none of
its data. With ``roundtrip: true`` a record of its own goes to its leader and comes back.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Ask,
    Break,
    Closed,
    Conversation,
    Dial,
    Garbled,
    Mark,
    Nonce,
    Redial,
    StartTls,
    Step,
    TooLong,
    degraded,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes import kafkawire as wire
from trueup.probes.credentials import login_of, not_spoken
from trueup.probes.kafka_round_trip import reach, round_trip
from trueup.probes.probe import Probe, Scheme
from trueup.probes.scram import NONCE_BYTES, ForgedError, Scram, ScramError

ERRORS: Final[dict[int, tuple[Cause, str]]] = {
    # https://kafka.apache.org/protocol.html#protocol_error_codes
    -1: (Cause.ERROR_ANSWER, "unknown server error"),
    3: (Cause.ERROR_ANSWER, "has no such topic or partition"),
    5: (Cause.NO_QUORUM, "a partition has no leader"),
    6: (Cause.NO_QUORUM, "a partition's leader is changing"),
    7: (Cause.OVERLOADED, "the request timed out inside it"),
    8: (Cause.NO_QUORUM, "a broker isn't available"),
    9: (Cause.REPLICATION, "a replica isn't available"),
    14: (Cause.STARTING_UP, "its coordinator is loading"),
    15: (Cause.NO_QUORUM, "has no coordinator"),
    17: (Cause.ERROR_ANSWER, "the topic's name isn't valid"),
    19: (Cause.NO_QUORUM, "too few replicas in sync"),
    20: (Cause.NO_QUORUM, "too few replicas in sync, though it has kept the record"),
    29: (Cause.LOGIN_REFUSED, "this user may not use the topic"),
    31: (Cause.LOGIN_REFUSED, "this user may not use the cluster"),
    33: (Cause.LOGIN_REFUSED, "doesn't know the login's mechanism"),
    34: (Cause.LOGIN_REFUSED, "a login is configured, and this listener takes none"),
    35: (Cause.ERROR_ANSWER, "doesn't speak this version of the request"),
    38: (Cause.NO_QUORUM, "has too few brokers for so many replicas"),
    41: (Cause.NO_QUORUM, "isn't the controller any more"),
    56: (Cause.DISK_FULL, "its disk fails"),
    58: (Cause.LOGIN_REFUSED, "the login is not accepted"),
    72: (Cause.ERROR_ANSWER, "the leader has no such listener"),
    89: (Cause.OVERLOADED, "a quota is exceeded"),
}
_TOPICS: Final = "kafka-topics.sh --bootstrap-server {place} --describe"
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.NO_QUORUM: (
        "See the controllers: kafka-metadata-quorum.sh --bootstrap-server {place} describe --status",
        f"See what has no leader: {_TOPICS} --unavailable-partitions",
    ),
    Cause.WRONG_ANSWER: (
        "Look at advertised.listeners in its server.properties, which is where it sends clients",
    ),
    Cause.REPLICATION: (f"See what is behind: {_TOPICS} --under-replicated-partitions",),
}
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""The best first."""

UNSUPPORTED_MECHANISM: Final = 33
ILLEGAL_STATE: Final = 34
BROKERS_TOLD_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """The path of the address names a topic that must have all its leaders.

    ``tls`` speaks TLS from the first byte, as an SSL listener has it. ``advertised``: every address that
    clients are sent to must be reachable from here. ``roundtrip`` produces, fetches and deletes a record in
    the topic ``trueup-probe``, which it makes where it isn't there.
    """

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None
    advertised: bool = False
    roundtrip: bool = False


def conversation(options: Options) -> Conversation:
    """ApiVersions, then Metadata; then what is configured."""
    versions = yield from _greet(options)
    if isinstance(versions, Answer):
        return versions
    try:
        return (yield from _go_on(options, versions))
    except (Garbled, TooLong) as broken:
        return fails(Cause.ERROR_ANSWER, f"breaks the protocol: '{printable(broken.received, 80)}'")


def _greet(options: Options) -> Generator[Step, bytes, dict[int, tuple[int, int]] | Answer]:
    """The versions of each request that it speaks."""
    if options.tls is not None:
        yield StartTls(options.tls)
    try:
        error, versions = wire.api_versions((yield Ask(wire.request(wire.API_VERSIONS, 0), wire.RESPONSE)))
    except (Garbled, TooLong) as broken:
        return stranger("kafka", broken.received)
    return _error(error) if error else versions


def _again(options: Options, dial: Dial) -> Generator[Step, bytes, None]:
    """Another connection like the first."""
    yield Redial(dial)
    if options.tls is not None:
        yield StartTls(options.tls)


def _go_on(options: Options, versions: dict[int, tuple[int, int]]) -> Conversation:
    login = login_of(options.address, options.login)
    if login is not None:
        refused = yield from _log_in(options, login, PROBE.dial(options.address, None))
        if refused is not None:
            return refused
    low, high = versions.get(wire.METADATA, (0, -1))
    if not low <= wire.METADATA_VERSION <= high:
        return fails(Cause.ERROR_ANSWER, f"speaks versions {low} to {high} of Metadata, not 4")
    try:
        said = yield Ask(wire.metadata_of(options.address.part or None), wire.RESPONSE)
    except Closed as closed:
        if login is not None:
            raise
        return (yield from _does_it_demand_a_login(options, closed))
    cluster = wire.metadata(said)
    answer = _judge(cluster, options.address.part)
    if options.advertised and answer.outcome is not Outcome.FAIL:
        answer = (yield from _reach_all(options, cluster, answer)) or answer
    if not options.roundtrip or answer.outcome is Outcome.FAIL:
        return answer
    yield Mark(answer)
    secured = StartTls(options.tls) if options.tls is not None else None
    return (
        yield from round_trip(versions, secured, lambda dial: _enter(options, login, dial), _error_of_trip)
    )


def _enter(options: Options, login: Login | None, dial: Dial) -> Generator[Step, bytes, Answer | None]:
    """Open another connection, say hello and log in; an answer where that ends it."""
    yield Redial(dial)
    greeted = yield from _greet(options)
    if isinstance(greeted, Answer):
        return greeted
    return None if login is None else (yield from _log_in(options, login, dial))


def _reach_all(
    options: Options, cluster: wire.Metadata, answer: Answer
) -> Generator[Step, bytes, Answer | None]:
    """An answer where clients are sent to a broker that can't be reached from here."""
    secured = StartTls(options.tls) if options.tls is not None else None
    for place, shown in zip(cluster.places.values(), cluster.brokers, strict=True):
        if (problem := (yield from reach(place, secured))) is not None:
            words = (
                f"it sends clients to {printable(shown, 100)}, which can't be reached from here: {problem}"
            )
            return fails(Cause.WRONG_ANSWER, words, **answer.facts)
    return None


def _does_it_demand_a_login(options: Options, closed: Closed) -> Conversation:
    """A listener with SASL says nothing but closes; asked for its mechanisms, it names them.

    Raises:
        Closed: it has no such thing, so it closed for another reason.
    """
    yield from _again(options, PROBE.dial(options.address, None))
    try:
        error, mechanisms = wire.handshake((yield Ask(wire.sasl_handshake("PLAIN"), wire.RESPONSE)))
    except Break:
        raise closed from None
    if error == ILLEGAL_STATE:
        raise closed
    offered = [printable(mechanism) for mechanism in mechanisms[:10]]
    if options.address.part or options.advertised or options.roundtrip:
        words = "it asks for a login, and none is configured to ask for more with"
        return fails(Cause.LOGIN_REFUSED, words, login="demanded", mechanisms=offered)
    return ready("alive, and asks for a login", login="demanded", mechanisms=offered)


def _log_in(options: Options, login: Login, dial: Dial) -> Generator[Step, bytes, Answer | None]:
    """None when it's done. ``dial`` is how to come back."""
    mechanism = MECHANISMS[0]
    error, offered = wire.handshake((yield Ask(wire.sasl_handshake(mechanism), wire.RESPONSE)))
    if error == UNSUPPORTED_MECHANISM:  # said so, it closes
        known = [one for one in MECHANISMS if one in offered]
        if not known:
            listed = printable(", ".join(offered))
            return not_spoken(listed, f"give the monitor a listener with one of {', '.join(MECHANISMS)}")
        mechanism = known[0]
        yield from _again(options, dial)
        error, _ = wire.handshake((yield Ask(wire.sasl_handshake(mechanism), wire.RESPONSE)))
    if error:
        return _error(error)
    if mechanism == "PLAIN":
        message = f"\0{login.user or ''}\0{login.password.reveal()}".encode()
        error, words, _ = yield from _authenticate(message)
        return _error(error, words) if error else None
    return (yield from _log_in_by_scram(mechanism, login))


def _log_in_by_scram(mechanism: str, login: Login) -> Generator[Step, bytes, Answer | None]:
    nonce = yield Nonce(NONCE_BYTES)
    try:
        scram = Scram(mechanism, login.user or "", login.password, nonce)
        error, words, challenge = yield from _authenticate(scram.first())
        if error:
            return _error(error, words)
        error, words, signature = yield from _authenticate(scram.final(challenge))
        if error:
            return _error(error, words)
        scram.verify(signature)
    except ScramError as limit:
        return fails(Cause.LOGIN_REFUSED, str(limit))
    except ForgedError:
        return fails(Cause.WRONG_SERVICE, "it can't prove that it knows the password", expected="kafka")
    return None


def _authenticate(message: bytes) -> Generator[Step, bytes, tuple[int, str | None, bytes]]:
    return wire.authenticated((yield Ask(wire.sasl_authenticate(message), wire.RESPONSE, secret=True)))


def _error(code: int, words: str | None = None) -> Answer:
    cause, meaning = ERRORS.get(code, (Cause.ERROR_ANSWER, "answers with an error"))
    said = f": {printable(words)}" if words else ""
    return fails(cause, f"{meaning} (code {code}){said}", code=code)


def _error_of_trip(code: int, words: str | None) -> Answer:
    """The function layer's answer, unless what it says is of the whole service."""
    answer = _error(code, words)
    is_of_function = answer.cause is not None and Layer.FUNCTION in answer.cause.layers
    return answer._replace(layer=Layer.FUNCTION) if is_of_function else answer


def _judge(cluster: wire.Metadata, topic: str) -> Answer:
    facts: dict[str, Any] = {
        "brokers": [printable(broker) for broker in cluster.brokers[:BROKERS_TOLD_MAX]],
        "controller": cluster.controller,
        "cluster": printable(cluster.cluster) if cluster.cluster else None,
    }
    if cluster.controller < 0:
        return fails(Cause.NO_QUORUM, "has no controller", **facts)
    if not cluster.brokers:
        return fails(Cause.NO_QUORUM, "knows of no broker", **facts)
    if not topic:
        return ready(f"one of {len(cluster.brokers)} brokers", **facts)
    found = next((one for one in cluster.topics if one.name == topic), None)
    if found is None:
        return fails(Cause.WRONG_ANSWER, "it was asked for a topic and told of none", **facts)
    return _judge_topic(found, facts)


def _judge_topic(topic: wire.Topic, facts: dict[str, Any]) -> Answer:
    if topic.error:
        cause, meaning = ERRORS.get(topic.error, (Cause.ERROR_ANSWER, "answers with an error"))
        words = f"topic {printable(topic.name)}: {meaning} (code {topic.error})"
        return fails(cause, words, code=topic.error, **facts)
    leaderless = [one.number for one in topic.partitions if one.leader < 0]
    if leaderless:
        words = f"{len(leaderless)} of {len(topic.partitions)} partitions of {printable(topic.name)}"
        return fails(Cause.NO_QUORUM, f"{words} have no leader", partitions=leaderless[:20], **facts)
    behind = [one.number for one in topic.partitions if one.in_sync < one.replicas]
    if behind:
        words = f"{len(behind)} of {len(topic.partitions)} partitions of {printable(topic.name)}"
        return degraded(Cause.REPLICATION, f"{words} have replicas behind", partitions=behind[:20], **facts)
    count = len(topic.partitions)
    return ready(f"topic {printable(topic.name)} has all leaders of {count} partitions", **facts)


PROBE = Probe(
    name="kafka",
    title="Kafka",
    schemes={"kafka": Scheme(9092)},
    options=Options,
    conversation=conversation,
    asks_first=True,
    next_steps=NEXT,
)
