"""What Elasticsearch and OpenSearch have in common: who they are, the health of the cluster, its blocks.

Facts from the vendors' references and sources: cluster health, ``ElasticsearchException`` (the names of
errors), ``ClusterBlocks`` and ``IndexMetadata`` (the texts of blocks).
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from trueup.conversation import Answer, Conversation, Garbled, Mark, Step, degraded, fails, ready, stranger
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_api import (
    Api,
    api_at,
    document_of,
    message_of,
    number_in,
    object_in,
    text_in,
)
from trueup.probes.http_message import Response, target_of
from trueup.probes.http_status import judge_status
from trueup.probes.search_round_trip import round_trip

PORT: Final = 9200

ERRORS: Final[dict[str, tuple[Cause, str]]] = {
    # The "type" of an error. OpenSearch renamed master to cluster manager and kept the old names beside.
    "master_not_discovered_exception": (Cause.NO_QUORUM, "no master is elected"),
    "cluster_manager_not_discovered_exception": (Cause.NO_QUORUM, "no cluster manager is elected"),
    "not_master_exception": (Cause.NO_QUORUM, "the master is just lost"),
    "not_cluster_manager_exception": (Cause.NO_QUORUM, "the cluster manager is just lost"),
    "no_shard_available_action_exception": (Cause.NO_QUORUM, "a shard that is needed has no copy"),
    "circuit_breaking_exception": (Cause.OVERLOADED, "out of memory: a circuit breaker refuses the work"),
    "es_rejected_execution_exception": (Cause.OVERLOADED, "its queues are full"),
    "rejected_execution_exception": (Cause.OVERLOADED, "its queues are full"),
    "process_cluster_event_timeout_exception": (Cause.OVERLOADED, "the master is too busy to answer"),
    "security_exception": (Cause.LOGIN_REFUSED, "the login isn't accepted, or may not do this"),
}
WORDS: Final[dict[bytes, tuple[Cause, str]]] = {
    # The texts of blocks (cluster_block_exception) and of what isn't JSON, told apart by their words.
    b"state not recovered": (Cause.STARTING_UP, "recovering the cluster's state"),
    b"no master": (Cause.NO_QUORUM, "no master is elected"),
    b"no cluster-manager": (Cause.NO_QUORUM, "no cluster manager is elected"),
    b"read-only / allow delete": (
        Cause.DISK_FULL,
        "a disk is above the flood stage, so indices are read-only",
    ),
    b"create-index blocked": (Cause.DISK_FULL, "disks are above their watermark, so no index can be made"),
    b"cluster read-only": (Cause.READ_ONLY, "the cluster is set to read-only"),
    b"index read-only": (Cause.READ_ONLY, "the index is set to read-only"),
    b"Security not initialized": (Cause.STARTING_UP, "its security plugin isn't initialised"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.NO_QUORUM: (
        "See which shards have no home and why: curl '{place}/_cluster/allocation/explain?pretty'",
        "See who is there and who is master: curl '{place}/_cat/nodes?v'",
    ),
    Cause.REPLICATION: ("See which copies miss: curl '{place}/_cat/shards?v&s=state'",),
    Cause.DISK_FULL: (
        "Free space, and the block goes by itself; see the disks: curl '{place}/_cat/allocation?v'",
    ),
    Cause.OVERLOADED: ("See heap and queues: curl '{place}/_nodes/stats/jvm,thread_pool?pretty'",),
}
FLOOD_BLOCK: Final = "index.blocks.read_only_allow_delete"
_BLOCKS_PATH: Final = f"/_all/_settings/{FLOOD_BLOCK}?flat_settings=true"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of the two. ``timeout``: the parameter by which a node without a master answers soon."""

    name: str
    title: str
    timeout: str


@dataclass(frozen=True, slots=True)
class Expect:
    """``status``: how healthy the cluster must be at least."""

    status: Literal["green", "yellow"] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for a search cluster. The address's path is an index, or several.

    ``roundtrip`` makes an index of its own, writes, reads and deletes it. ``tls`` makes it HTTPS.
    """

    address: Address
    login: Login | None = None
    expect: Expect = field(default_factory=Expect)
    roundtrip: bool = False
    tls: TlsSettings | None = None

    @property
    def needs_login(self) -> bool:
        """Whether something configured can't be done without the login that is demanded."""
        return self.roundtrip or self.expect.status is not None


def converse(dialect: Dialect, options: Options) -> Conversation:
    """Who is it, how is the cluster, are its disks full; then a round trip if that is wanted."""
    try:
        api = yield from api_at(dialect.name, options.address, PORT, options.login, options.tls)
        introduced = yield from _introduce(api, dialect, options)
        if isinstance(introduced, Answer):
            return introduced
        answer = yield from _ask_health(api, dialect, options, introduced)
        if answer.cause is None and answer.facts.get("login") is None:
            answer = (yield from _ask_blocks(api, answer)) or answer
        if not options.roundtrip or (answer.cause is not None and answer.cause is not Cause.REPLICATION):
            return answer
        yield Mark(answer)
        return (yield from round_trip(api, judge_error))
    except Garbled as garbled:
        return stranger(dialect.name, garbled.received)


def _introduce(
    api: Api, dialect: Dialect, options: Options
) -> Generator[Step, bytes, dict[str, Any] | Answer]:
    """The facts of who it is, or the answer where that is all there is to know."""
    response = yield from api.ask("/")
    if response.status in (401, 403):
        if not _asks_for_login(response):
            return api.stranger(response)
        if api.login is None:
            return _no_login(response, needs_login=options.needs_login)
        response = yield from api.ask("/", with_login=True)
        if response.status in (401, 403):
            return api.refused(response)
    if (error := judge_error(response)) is not None:
        return error
    document = document_of(response) or {}
    product = _product_of(document)
    if response.status != 200 or product is None:
        return api.judge_gateway(response) or api.stranger(response)
    facts = {
        "version": text_in(object_in(document, "version"), "number"),
        "cluster": text_in(document, "cluster_name"),
    }
    if product != dialect.name:
        words = f"it is {product} {facts['version']}, and {dialect.title} is expected"
        return fails(Cause.WRONG_SERVICE, words, expected=dialect.name, found=product, **_known(facts))
    return _known(facts)


def _product_of(document: dict[str, Any]) -> str | None:
    version = object_in(document, "version")
    if version.get("distribution") == "opensearch":
        return "opensearch"
    tagline = document.get("tagline")
    return "elasticsearch" if tagline == "You Know, for Search" and "number" in version else None


def _asks_for_login(response: Response) -> bool:
    """By itself, or through a proxy in front that asks for the same kind of login."""
    return (
        b"basic" in response.headers.get(b"www-authenticate", b"").lower()
        or judge_error(response) is not None
    )


def _no_login(response: Response, *, needs_login: bool) -> Answer:
    if needs_login:
        words = f"{response.line}: it asks for a login, and none is configured"
        return fails(Cause.LOGIN_REFUSED, words, status=response.status, login="demanded")
    return ready(f"alive, and asks for a login ({response.line})", login="demanded")


def judge_error(response: Response) -> Answer | None:
    """What an error in this dialect means; None where the response is none."""
    if response.status < 400:
        return None
    error = object_in(document_of(response) or {}, "error")
    kind = text_in(error, "type")
    row = next((row for words, row in WORDS.items() if words in response.body), None)
    if row is None and kind is not None:
        row = ERRORS.get(kind, (Cause.ERROR_ANSWER, "it answers with an error"))
    if row is None:
        return None
    cause, meaning = row
    said = message_of(response) or printable(response.body, 120)
    return fails(cause, f"{meaning}: {said} ({response.line})", status=response.status, code=kind)


def _ask_health(
    api: Api, dialect: Dialect, options: Options, facts: dict[str, Any]
) -> Generator[Step, bytes, Answer]:
    index = target_of(options.address.path).rstrip("/")
    place = f"/_cluster/health{index}"
    response = yield from api.ask(f"{place}?{dialect.timeout}=2s&timeout=2s", with_login=True)
    if response.status == 400:  # a version that doesn't know the parameter
        response = yield from api.ask(place, with_login=True)
    if response.status in (401, 403):
        return _health_forbidden(api, response, options, facts)
    if response.status == 408:
        return fails(Cause.ERROR_ANSWER, f"there is no index {printable(index[1:])!r}", status=408, **facts)
    if (error := judge_error(response)) is not None:
        return error
    document = document_of(response)
    if response.status != 200 or document is None:
        return api.judge_gateway(response) or judge_status(response) or api.stranger(response)
    return _judge_health(document, options.expect, facts)


def _health_forbidden(api: Api, response: Response, options: Options, facts: dict[str, Any]) -> Answer:
    if options.needs_login:
        return api.refused(response)
    whom = "us without a login" if api.login is None else "this user"
    words = f"alive, and doesn't tell {whom} how the cluster is ({response.line})"
    return ready(words, **facts, login="demanded")


def _judge_health(document: dict[str, Any], expect: Expect, facts: dict[str, Any]) -> Answer:
    status = text_in(document, "status")
    nodes, unassigned = number_in(document, "number_of_data_nodes"), number_in(document, "unassigned_shards")
    facts = _known({**facts, "status": status, "data_nodes": nodes, "unassigned_shards": unassigned})
    if status == "red":
        return fails(
            Cause.NO_QUORUM, f"the cluster is red: {unassigned} shards have no home, some no copy", **facts
        )
    if status not in ("green", "yellow"):
        return fails(Cause.ERROR_ANSWER, "it doesn't say how the cluster is", **facts)
    if status == "yellow" and expect.status == "green":
        return fails(
            Cause.WRONG_ANSWER,
            f"the cluster is yellow, and green is expected ({unassigned} copies miss)",
            **facts,
        )
    if status == "yellow" and nodes != 1:
        # On one node a copy can't be anywhere: yellow is as healthy as it gets.
        return degraded(
            Cause.REPLICATION, f"the cluster is yellow: {unassigned} copies of shards have no home", **facts
        )
    return ready(f"the cluster is {status}", **facts)


def _ask_blocks(api: Api, answer: Answer) -> Generator[Step, bytes, Answer | None]:
    """Indices that became read-only because a disk is full: health stays green then."""
    response = yield from api.ask(_BLOCKS_PATH, with_login=True)
    settings = (document_of(response) or {}) if response.status == 200 else {}
    blocked = [name for name in settings if _is_flooded(object_in(settings, name))]
    if not blocked:
        return None
    which = f"{len(blocked)} indices are read-only, as {printable(blocked[0], 60)}"
    return fails(
        Cause.DISK_FULL,
        f"a disk is above its flood stage: {which}",
        **answer.facts,
        blocked_indices=len(blocked),
    )


def _is_flooded(index: dict[str, Any]) -> bool:
    return str(object_in(index, "settings").get(FLOOD_BLOCK)).lower() == "true"


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
