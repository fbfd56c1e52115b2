"""The Docker engine, or Podman in its place, over its unix socket or TCP.

``/_ping`` shows that the engine answers; the list of containers shows that it can also work: with its
storage or containerd stuck, only the first of the two comes. Over TCP with ``tls`` it is asked by HTTPS.
https://docs.docker.com/reference/api/engine/
"""

import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import Answer, Conversation, Garbled, Quiet, Step, fails, ready, stranger
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.target import TlsSettings
from trueup.probes.http_api import Api, api_at, message_of
from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_message import Response
from trueup.probes.http_status import judge_status, product
from trueup.probes.probe import Probe, Scheme

PORT: Final = 2375
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.SILENT: ("See what it waits for: journalctl -u docker -u containerd -n 50; df -h /var/lib/docker",),
    Cause.ERROR_ANSWER: ("See its log: journalctl -u docker -n 50",),
    Cause.REFUSED: (
        "See why: systemctl status --no-pager docker.socket docker.service",
        "Start it: systemctl start docker",
    ),
}
_ENGINE: Final = re.compile(rb"\r\nserver: (?:docker|libpod)/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for a Docker engine. ``tls`` has its client certificate, for TCP."""

    address: Address
    tls: TlsSettings | None = None


def conversation(options: Options) -> Conversation:
    """A sign of life, then a list that needs the engine's whole works."""
    try:
        api = yield from api_at("docker", options.address, PORT, None, options.tls)
        response = yield from api.ask("/_ping")
        if not _is_engine(response):
            return api.judge_gateway(response) or api.stranger(response)
        if (answer := judge_status(response)) is not None:
            return _explained(answer, response)
        return (yield from _ask_containers(api, product(response)))
    except Garbled as garbled:
        return stranger("docker", garbled.received)


def _is_engine(response: Response) -> bool:
    return b"api-version" in response.headers or b"libpod-api-version" in response.headers


def _explained(answer: Answer, response: Response) -> Answer:
    said = message_of(response)
    assert answer.cause is not None
    return fails(answer.cause, answer.detail + (f": {said}" if said else ""), **answer.facts)


def _ask_containers(api: Api, facts: dict[str, Any]) -> Generator[Step, bytes, Answer]:
    try:
        response = yield from api.ask("/containers/json")
    except Quiet:
        words = "it answers a ping and doesn't list its containers: its storage or containerd is stuck"
        return fails(Cause.SILENT, words, **facts)
    if response.status in (401, 403):
        return ready(f"alive, and doesn't list its containers to us ({response.line})", **facts)
    if (answer := judge_status(response)) is not None:
        return _explained(answer, response)
    running = _containers(response)
    if running is None:
        return ready("alive", **facts)
    unhealthy = sum("(unhealthy)" in str(one.get("Status")) for one in running)
    words = f"alive, with {len(running)} running containers"
    if unhealthy:
        words += f", {unhealthy} of them unhealthy"
    return ready(words, containers=len(running), unhealthy=unhealthy or None, **facts)


def _containers(response: Response) -> list[dict[str, Any]] | None:
    """The running containers; None where the list is too long to be read whole."""
    try:
        content, whole = content_of(response)
        found = json.loads(content) if whole else None
    except (Unreadable, ValueError, RecursionError):
        return None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else None


def recognise(said: bytes) -> bool:
    """What it calls itself on any answer."""
    return said.startswith(b"HTTP/1.") and _ENGINE.search(said) is not None


PROBE = Probe(
    name="docker",
    title="Docker",
    schemes={"docker": Scheme(PORT)},
    options=Options,
    conversation=conversation,
    over_http=True,
    recognise=recognise,
    next_steps=NEXT,
)
