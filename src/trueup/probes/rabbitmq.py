"""RabbitMQ by its management API: alarms, virtual hosts and nodes of the whole cluster.

Without ``login`` it finds out that RabbitMQ answers and asks for one. With it, it asks for alarms (a broker
under one accepts connections and blocks publishers), for virtual hosts that are down, for nodes that
are, and for partitions. A node with less than a tenth of its memory or file descriptors left is degraded:
what comes next is an alarm. The address's path is a virtual host; with ``queue`` it looks at one queue of it.
https://www.rabbitmq.com/docs/management#http-api
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from trueup.conversation import Answer, Conversation, Garbled, Mark, Step, degraded, fails, ready, stranger
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_api import Api, api_at, document_of, message_of, number_in, text_in
from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_message import Response
from trueup.probes.http_status import judge_status
from trueup.probes.probe import Probe, Scheme
from trueup.probes.queue_expect import QueueExpect, judge_queue, refuse_without_queue
from trueup.probes.room import nearly_full, short_of

REALM: Final = b'realm="RabbitMQ Management"'
ALARMS: Final[dict[str, tuple[Cause, str]]] = {
    # The "resource" of an alarm, in the order of what to look at first.
    "disk": (Cause.DISK_FULL, "a disk alarm blocks publishers: free space is below its limit"),
    "disk space": (Cause.DISK_FULL, "a disk alarm blocks publishers: free space is below its limit"),
    "memory": (Cause.OVERLOADED, "a memory alarm blocks publishers: memory is above its watermark"),
    "file descriptors": (Cause.OVERLOADED, "a file descriptor alarm: it accepts no more connections"),
}
SHORT_OF: Final = (
    # What a node can be short of: its name, and the fields that say how much is used and how much there is.
    ("bytes of memory", "mem_used", "mem_limit"),
    ("file descriptors", "fd_used", "fd_total"),
)
DISK: Final = ("disk_free", "disk_free_limit")
COLUMNS: Final = ",".join(
    ["name", "running", "partitions", *DISK, *(name for row in SHORT_OF for name in row[1:])]
)
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        "See what fills its memory: rabbitmq-diagnostics memory_breakdown; rabbitmqctl list_queues",
    ),
    Cause.DISK_FULL: ("See its limit and free space: rabbitmq-diagnostics status; df -h /var/lib/rabbitmq",),
    Cause.NO_QUORUM: ("See the cluster as each node does: rabbitmq-diagnostics cluster_status",),
    Cause.LOGIN_REFUSED: (
        "Give the user the tag that the API wants: rabbitmqctl set_user_tags USER monitoring",
    ),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for RabbitMQ's management API. ``tls`` makes it HTTPS."""

    address: Address
    login: Login | None = None
    queue: str | None = None
    expect: QueueExpect = field(default_factory=QueueExpect)
    tls: TlsSettings | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError where something is expected of no queue."""
        refuse_without_queue(self.queue, self.expect)

    @property
    def vhost(self) -> str:
        """The virtual host in the address, else the default one."""
        return self.address.part or "/"


def conversation(options: Options) -> Conversation:
    """Who is it; then, with a login, how are the broker and the queue."""
    try:
        api = yield from api_at("rabbitmq", options.address, 15672, options.login, options.tls)
        response = yield from api.ask("/api/overview")
        if response.status != 401 or REALM not in response.headers.get(b"www-authenticate", b""):
            return api.judge_gateway(response) or api.stranger(response)
        if api.login is None:
            return _no_login(response, needs_login=options.queue is not None or bool(options.address.part))
        answer = yield from _ask_broker(api)
        if answer.outcome is not Outcome.FAIL and options.address.part:
            answer = (yield from _ask_vhost(api, options.vhost)) or answer
        if options.queue is None or answer.outcome is Outcome.FAIL:
            return answer
        yield Mark(answer)
        return (yield from _ask_queue(api, options.vhost, options.queue, options.expect))
    except Garbled as garbled:
        return stranger("rabbitmq", garbled.received)


def _no_login(response: Response, *, needs_login: bool) -> Answer:
    if needs_login:
        words = f"{response.line}: it asks for a login, and none is configured"
        return fails(Cause.LOGIN_REFUSED, words, status=401, login="demanded")
    return ready(f"alive, and asks for a login ({response.line})", login="demanded")


def _ask_broker(api: Api) -> Generator[Step, bytes, Answer]:
    """Alarms anywhere in the cluster, then virtual hosts, then nodes."""
    response = yield from api.ask("/api/health/checks/alarms", with_login=True)
    if (answer := _judge_check(api, response)) is not None:
        return answer
    response = yield from api.ask("/api/health/checks/virtual-hosts", with_login=True)
    if (answer := _judge_check(api, response)) is not None:
        return answer
    response = yield from api.ask(f"/api/nodes?columns={COLUMNS}", with_login=True)
    nodes = _list_of(response)
    for node in nodes:
        name = text_in(node, "name")
        if node.get("partitions"):
            return fails(Cause.NO_QUORUM, f"the cluster is partitioned, as {name} sees it", nodes=len(nodes))
    down = [text_in(node, "name") for node in nodes if node.get("running") is False]
    if down:
        return degraded(
            Cause.NO_QUORUM, f"a node of the cluster is down: {down[0]}", nodes=len(nodes), down=len(down)
        )
    return _short(nodes) or ready("no alarms, and all virtual hosts are up", nodes=len(nodes) or None)


def _short(nodes: Sequence[dict[str, Any]]) -> Answer | None:
    """The answer for a node that is soon without something; None where all have enough."""
    for node in nodes:
        facts: dict[str, Any] = {"nodes": len(nodes), "node": text_in(node, "name")}
        for what, used, most in SHORT_OF:
            short = short_of(what, number_in(node, used) or 0, number_in(node, most) or 0, facts, limit=most)
            if short is not None:
                return short
        free, limit = (number_in(node, name) or 0 for name in DISK)
        if nearly_full(limit, free):
            words = f"nearly out of disk space: {free} bytes are free, and at {limit} it blocks publishers"
            return degraded(Cause.DISK_FULL, words, **facts)
    return None


def _judge_check(api: Api, response: Response) -> Answer | None:
    """One of its health checks: 200, or 503 with what is wrong. 404: too old a version to have it."""
    document = document_of(response) or {}
    if response.status in (401, 403):
        return api.refused(response)
    if response.status == 503 and document.get("status") == "failed":
        return _judge_alarms(document) or fails(
            Cause.ERROR_ANSWER, f"{message_of(response)} ({response.line})", status=503
        )
    if response.status == 200 and document.get("status") == "ok":
        return None
    if response.status == 404:
        return None
    return api.judge_gateway(response) or judge_status(response) or api.stranger(response)


def _judge_alarms(document: dict[str, Any]) -> Answer | None:
    alarms = document.get("alarms")
    found = [alarm for alarm in alarms if isinstance(alarm, dict)] if isinstance(alarms, list) else []
    resources = {text_in(alarm, "resource") or "": text_in(alarm, "node") for alarm in found}
    for resource, (cause, meaning) in ALARMS.items():
        if resource in resources:
            return fails(cause, f"{meaning} (on {resources[resource]})", alarms=sorted(resources))
    if not resources:
        return None
    return fails(
        Cause.OVERLOADED, f"an alarm is on: {', '.join(sorted(resources))}", alarms=sorted(resources)
    )


def _ask_vhost(api: Api, vhost: str) -> Generator[Step, bytes, Answer | None]:
    """Whether there is such a virtual host, for this user."""
    place = f"/api/queues/{quote(vhost, safe='')}?page=1&page_size=1&columns=name"
    response = yield from api.ask(place, with_login=True)
    if response.status == 404:
        return fails(Cause.ERROR_ANSWER, f"there is no virtual host {printable(vhost)!r}", status=404)
    if response.status in (401, 403):
        return api.refused(response)
    return api.judge_gateway(response) or judge_status(response)


def _ask_queue(api: Api, vhost: str, queue: str, expect: QueueExpect) -> Generator[Step, bytes, Answer]:
    place = f"/api/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}"
    response = yield from api.ask(place, with_login=True)
    answer = _judge_queue(api, response, queue, expect)
    is_of_service = answer.cause is not None and Layer.FUNCTION not in answer.cause.layers
    return answer if is_of_service else answer._replace(layer=Layer.FUNCTION)


def _judge_queue(api: Api, response: Response, queue: str, expect: QueueExpect) -> Answer:
    shown = printable(queue)
    if response.status == 404:
        return fails(Cause.ERROR_ANSWER, f"there is no queue {shown!r}", status=404)
    if response.status in (401, 403):
        return api.refused(response)
    document = document_of(response)
    if response.status != 200 or document is None:
        return api.judge_gateway(response) or judge_status(response) or api.stranger(response)
    state = text_in(document, "state")
    judged = judge_queue(queue, number_in(document, "messages"), number_in(document, "consumers"), expect)
    facts = {**judged.facts, **({"state": state} if state else {})}
    if state in ("down", "crashed", "stopped", "minority"):
        return fails(Cause.ERROR_ANSWER, f"queue {shown!r} is {state}", **facts)
    return judged._replace(facts=facts)


def _list_of(response: Response) -> list[dict[str, Any]]:
    """The objects of a list, none where it isn't one: what a user may not see is no failure."""
    if response.status != 200:
        return []
    try:
        found = json.loads(content_of(response)[0])
    except (Unreadable, ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def recognise(said: bytes) -> bool:
    """Its page, or how it asks for a login."""
    return said.startswith(b"HTTP/1.") and (REALM in said or b"<title>RabbitMQ Management</title>" in said)


PROBE = Probe(
    name="rabbitmq",
    title="RabbitMQ management",
    schemes={"rabbitmq": Scheme(15672)},
    options=Options,
    conversation=conversation,
    over_http=True,
    recognise=recognise,
    next_steps=NEXT,
)
