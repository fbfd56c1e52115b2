"""Solr: who answers, and whether its cores or its collections can serve.

Without a path all cores are looked at (standalone), or all collections (SolrCloud): a core that failed to
load, a shard without a leader, a copy that is down. With the name of a core or collection in the path it
is pinged through its own handler. With ``roundtrip`` it also writes, reads and deletes a document there.
https://solr.apache.org/guide/solr/latest/
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from trueup.conversation import (
    Answer,
    Conversation,
    Garbled,
    Mark,
    Nonce,
    Step,
    degraded,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_api import Api, api_at, document_of, message_of, object_in, text_in
from trueup.probes.http_message import Response
from trueup.probes.http_status import judge_status
from trueup.probes.probe import Probe, Scheme

WORDS: Final[dict[str, tuple[Cause, str]]] = {
    # In the message of an error; from Solr's sources, SolrException and where it is thrown.
    "SolrCore is loading": (Cause.STARTING_UP, "loading the core"),
    "not initialized or shutting down": (Cause.STARTING_UP, "starting or shutting down"),
    "no servers hosting shard": (Cause.NO_QUORUM, "a shard has no copy that serves"),
    "No registered leader": (Cause.NO_QUORUM, "a shard has no leader"),
    "Cannot talk to ZooKeeper": (Cause.NO_QUORUM, "cut off from ZooKeeper, so it takes no updates"),
    "KeeperErrorCode": (Cause.NO_QUORUM, "ZooKeeper doesn't serve it"),
    "init failure": (Cause.ERROR_ANSWER, "the core failed to load"),
    "Service disabled": (Cause.ERROR_ANSWER, "its ping is switched off, so balancers leave it out"),
    "No space left on device": (Cause.DISK_FULL, "the disk is full"),
    "read-only": (Cause.READ_ONLY, "the collection is read-only"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.NO_QUORUM: ("See shards and leaders: curl '{place}/solr/admin/collections?action=CLUSTERSTATUS'",),
    Cause.REPLICATION: ("See the copies: curl '{place}/solr/admin/collections?action=CLUSTERSTATUS'",),
    Cause.ERROR_ANSWER: ("See why the core doesn't load: curl '{place}/solr/admin/cores?action=STATUS'",),
}
_WHO: Final = "/solr/admin/info/system?wt=json"
_CORES: Final = "/solr/admin/cores?action=STATUS&indexInfo=false&wt=json"
_CLUSTER: Final = "/solr/admin/collections?action=CLUSTERSTATUS&wt=json"


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for Solr. ``roundtrip`` needs a core or collection in the address."""

    address: Address
    login: Login | None = None
    roundtrip: bool = False
    tls: TlsSettings | None = None

    @property
    def name(self) -> str:
        """The core or collection in the address, with or without the context path that all have."""
        part = self.address.part.partition("?")[0].strip("/")
        return "" if part == "solr" else part.removeprefix("solr/")


def conversation(options: Options) -> Conversation:
    """Who is it, can it serve; then a round trip if that is wanted."""
    try:
        api = yield from api_at("solr", options.address, 8983, options.login, options.tls)
        introduced = yield from _introduce(api, options)
        if isinstance(introduced, Answer):
            return introduced
        answer = yield from _ask_state(api, options.name, introduced)
        if not options.roundtrip or not options.name or answer.cause is not None:
            return answer
        yield Mark(answer)
        return (yield from _round_trip(api, options.name))
    except Garbled as garbled:
        return stranger("solr", garbled.received)


def _introduce(api: Api, options: Options) -> Generator[Step, bytes, dict[str, Any] | Answer]:
    """The facts of who it is, or the answer where that is all there is to know."""
    response = yield from api.ask(_WHO)
    if response.status == 401 and b"basic" in response.headers.get(b"www-authenticate", b"").lower():
        if api.login is None:
            return _no_login(response, needs_login=options.roundtrip or bool(options.name))
        response = yield from api.ask(_WHO, with_login=True)
        if response.status in (401, 403):
            return api.refused(response)
    document = document_of(response) or {}
    version = text_in(object_in(document, "lucene"), "solr-spec-version")
    if response.status == 200 and version is not None:
        return {"version": version, "mode": text_in(document, "mode") or "std"}
    if (error := _judge_error(response)) is not None:
        return error
    return api.judge_gateway(response) or api.stranger(response)


def _no_login(response: Response, *, needs_login: bool) -> Answer:
    if needs_login:
        words = f"{response.line}: it asks for a login, and none is configured"
        return fails(Cause.LOGIN_REFUSED, words, status=401, login="demanded")
    return ready(f"alive, and asks for a login ({response.line})", login="demanded")


def _judge_error(response: Response) -> Answer | None:
    """What an error in Solr's words means; None where it isn't in Solr's words."""
    document = document_of(response) or {}
    if response.status < 400 or "responseHeader" not in document:
        return None
    said = message_of(response)
    for words, (cause, meaning) in WORDS.items():
        if words in said:
            return fails(cause, f"{meaning}: {said} ({response.line})", status=response.status)
    if response.status == 429:
        return fails(Cause.OVERLOADED, f"it limits the rate of requests: {said}", status=429)
    return fails(Cause.ERROR_ANSWER, f"{response.line}: {said}", status=response.status)


def _ask_state(api: Api, name: str, facts: dict[str, Any]) -> Generator[Step, bytes, Answer]:
    cloud = facts["mode"] == "solrcloud"
    place = f"/solr/{quote(name)}/admin/ping?wt=json" if name else _CLUSTER if cloud else _CORES
    response = yield from api.ask(place, with_login=True)
    if response.status in (401, 403):
        if api.login is not None or name:
            return api.refused(response)
        return ready(f"alive, and doesn't tell us its state ({response.line})", login="demanded", **facts)
    if response.status == 404 and name:
        words = f"there is no core or collection {printable(name)!r}, or it has no ping handler"
        return fails(Cause.ERROR_ANSWER, words, status=404, **facts)
    if (error := _judge_error(response)) is not None:
        return error
    document = document_of(response)
    if response.status != 200 or document is None:
        return api.judge_gateway(response) or judge_status(response) or ready("alive", **facts)
    if name:
        return _judge_ping(document, name, facts)
    return _judge_cluster(object_in(document, "cluster"), facts) if cloud else _judge_cores(document, facts)


def _judge_ping(document: dict[str, Any], name: str, facts: dict[str, Any]) -> Answer:
    shown = printable(name)
    if object_in(document, "responseHeader").get("zkConnected") is False:
        return fails(Cause.NO_QUORUM, f"{shown} answers, cut off from ZooKeeper", **facts)
    status = text_in(document, "status")
    if status != "OK":
        return fails(Cause.ERROR_ANSWER, f"{shown} answers its ping with {status!r}", **facts)
    return ready(f"{shown} answers its ping", **facts)


def _judge_cores(document: dict[str, Any], facts: dict[str, Any]) -> Answer:
    failures, cores = object_in(document, "initFailures"), object_in(document, "status")
    facts = {**facts, "cores": len(cores)}
    if failures:
        name, reason = next(iter(failures.items()))
        words = f"core {printable(name)} failed to load: {printable(str(reason))}"
        return fails(Cause.ERROR_ANSWER, words, failed=len(failures), **facts)
    return ready(f"serves {len(cores)} cores", **facts)


def _judge_cluster(cluster: dict[str, Any], facts: dict[str, Any]) -> Answer:
    """A shard without a leader can't be written; a copy that's down is one fewer to lose."""
    nodes = cluster.get("live_nodes")
    live = set(map(str, nodes)) if isinstance(nodes, list) else set()
    collections = object_in(cluster, "collections")
    facts = {**facts, "nodes": len(live), "collections": len(collections)}
    weak: list[str] = []
    for name, collection in collections.items():
        shards = object_in(collection, "shards") if isinstance(collection, dict) else {}
        for shard in shards:
            replicas = object_in(object_in(shards, shard), "replicas")
            serving = [one for one in replicas.values() if _serves(one, live)]
            shown = printable(f"{shard} of {name}")
            if object_in(shards, shard).get("state") != "active":
                continue  # a parent that was split, or one under construction
            if not any(str(one.get("leader")).lower() == "true" for one in serving):
                return fails(Cause.NO_QUORUM, f"{shown} has no leader ({len(serving)} copies serve)", **facts)
            if len(serving) < len(replicas):
                weak.append(shown)
    if weak:
        words = f"copies of shards are down, as of {weak[0]}"
        return degraded(Cause.REPLICATION, words, weak_shards=len(weak), **facts)
    return ready(f"serves {len(collections)} collections on {len(live)} nodes", **facts)


def _serves(replica: Any, live: set[str]) -> bool:
    return isinstance(replica, dict) and replica.get("state") == "active" and replica.get("node_name") in live


def _round_trip(api: Api, name: str) -> Generator[Step, bytes, Answer]:
    """A document of our own: written, read from the transaction log, deleted. Searches never see it."""
    key = f"trueup-probe-{(yield Nonce(8)).hex()}"
    place = f"/solr/{quote(name)}"
    written = yield from api.ask(
        f"{place}/update?wt=json", method="POST", document=[{"id": key}], with_login=True
    )
    if written.status != 200:
        return _refused("a write is refused", written)
    read = yield from api.ask(f"{place}/get?id={key}&wt=json", with_login=True)
    found = object_in(document_of(read) or {}, "doc").get("id") == key
    deleted = yield from api.ask(
        f"{place}/update?wt=json", method="POST", document={"delete": {"id": key}}, with_login=True
    )
    if not found:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    if deleted.status != 200:
        return _refused("our document can't be deleted", deleted)
    return ready("wrote, read and deleted a document", layer=Layer.FUNCTION)


def _refused(what: str, response: Response) -> Answer:
    if response.status in (401, 403):
        return fails(Cause.LOGIN_REFUSED, f"{what}: {response.line}", layer=Layer.FUNCTION)
    failed = _judge_error(response) or judge_status(response)
    if failed is None or failed.cause is None:
        return fails(Cause.ERROR_ANSWER, f"{what}: {response.line}", layer=Layer.FUNCTION)
    return fails(failed.cause, f"{what}: {failed.detail}", layer=Layer.FUNCTION, **failed.facts)


def recognise(said: bytes) -> bool:
    """Its pages, its way to ask for a login, or the redirect to its admin page."""
    if not said.startswith(b"HTTP/1."):
        return False
    marks = (b"Searching for Solr?", b"<title>Solr Admin</title>", b'realm="solr"', b"solr-spec-version")
    return any(mark in said for mark in marks) or b"\nlocation: /solr/" in said[:2048].lower()


PROBE = Probe(
    name="solr",
    title="Solr",
    schemes={"solr": Scheme(8983)},
    options=Options,
    conversation=conversation,
    over_http=True,
    recognise=recognise,
    next_steps=NEXT,
)
