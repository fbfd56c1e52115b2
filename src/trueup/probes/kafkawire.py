"""Kafka's requests and responses, as far as a probe needs them.

https://kafka.apache.org/protocol.html; the schemas are in Kafka's sources under
clients/src/main/resources/common/message. Only versions without "flexible" encoding are spoken.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from trueup.conversation import Frame, Garbled

METADATA: Final = 3
SASL_HANDSHAKE: Final = 17
API_VERSIONS: Final = 18
SASL_AUTHENTICATE: Final = 36

METADATA_VERSION: Final = 4
"""The first in which asking for a topic doesn't make it (``allow_auto_topic_creation``)."""

CORRELATION: Final = 0x74727565
RESPONSE_BYTES_MAX: Final = 262_144
ITEMS_MAX: Final = 10_000
CLIENT: Final = "trueup"

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Partition:
    """``leader`` is -1 where there is none."""

    error: int
    number: int
    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the broker knows it."""

    error: int
    name: str
    partitions: list[Partition]


@dataclass(frozen=True, slots=True)
class Metadata:
    """``places`` are the addresses that clients are sent to, by the broker's number; ``controller`` is -1
    where there is none.
    """

    places: dict[int, tuple[str, int]]
    cluster: str | None
    controller: int
    topics: list[Topic]

    @property
    def brokers(self) -> list[str]:
        """The addresses as they are written."""
        return [
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.places.values()
        ]


def request(api: int, version: int, body: bytes = b"") -> bytes:
    """A request with its length and header (version 1)."""
    head = struct.pack("!hhi", api, version, CORRELATION) + text(CLIENT)
    return struct.pack("!i", len(head) + len(body)) + head + body


def text(word: str) -> bytes:
    """A string."""
    data = word.encode()[:32_767]
    return struct.pack("!h", len(data)) + data


def metadata_of(topic: str | None) -> bytes:
    """A request for the brokers and, where it's named, for one topic, which isn't made by it."""
    topics = [topic] if topic else []
    listed = struct.pack("!i", len(topics)) + b"".join(text(name) for name in topics)
    return request(METADATA, METADATA_VERSION, listed + b"\0")


def sasl_handshake(mechanism: str) -> bytes:
    """A request to log in by this mechanism."""
    return request(SASL_HANDSHAKE, 1, text(mechanism))


def sasl_authenticate(message: bytes) -> bytes:
    """One message of the mechanism's."""
    return request(SASL_AUTHENTICATE, 0, struct.pack("!i", len(message)) + message)


def _measure(received: bytearray) -> int | None:
    if len(received) < 4:
        return None
    size = int.from_bytes(received[:4], "big")
    if not 4 <= size <= RESPONSE_BYTES_MAX:
        raise Garbled(bytes(received))
    if len(received) >= 8 and int.from_bytes(received[4:8], "big") != CORRELATION:
        raise Garbled(bytes(received))
    return 4 + size if len(received) >= 4 + size else None


RESPONSE: Final = Frame(_measure, RESPONSE_BYTES_MAX + 8)
"""Reads one response, to a request of ours."""


class Response:
    """Reads a response's fields one after another. Every method raises ``Garbled`` past the end."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._place = 8

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        taken = self._said[self._place : self._place + size]
        if size < 0 or len(taken) != size:
            raise Garbled(self._said)
        self._place += size
        return taken

    def number(self, size: int) -> int:
        """A signed number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def text(self) -> str | None:
        """A string or null."""
        size = self.number(2)
        return None if size < 0 else self.take(size).decode("utf-8", "replace")

    def data(self) -> bytes:
        """Bytes; null is none."""
        return self.take(max(0, self.number(4)))

    def array(self, read: Callable[[], _Item]) -> list[_Item]:
        """Each item as ``read`` reads it; null is none."""
        count = self.number(4)
        if count > ITEMS_MAX:
            raise Garbled(self._said)
        return [read() for _ in range(count)]


def api_versions(said: bytes) -> tuple[int, dict[int, tuple[int, int]]]:
    """The error code, and the lowest and highest version of each request. Raises: Garbled."""
    response = Response(said)
    error = response.number(2)
    rows = response.array(lambda: (response.number(2), response.number(2), response.number(2)))
    return error, {api: (low, high) for api, low, high in rows}


def metadata(said: bytes) -> Metadata:
    """The cluster as this broker knows it. Raises: Garbled."""
    response = Response(said)
    response.take(4)  # how long we were throttled
    brokers = response.array(lambda: _broker(response))
    cluster, controller = response.text(), response.number(4)
    return Metadata(dict(brokers), cluster, controller, response.array(lambda: _topic(response)))


def _broker(response: Response) -> tuple[int, tuple[str, int]]:
    number, host, port = response.number(4), response.text() or "", response.number(4)
    response.text()
    return number, (host, port)


def _topic(response: Response) -> Topic:
    error, name = response.number(2), response.text() or ""
    response.take(1)
    return Topic(error, name, response.array(lambda: _partition(response)))


def _partition(response: Response) -> Partition:
    error, number, leader = response.number(2), response.number(4), response.number(4)
    replicas = response.array(lambda: response.number(4))
    in_sync = response.array(lambda: response.number(4))
    return Partition(error, number, leader, len(replicas), len(in_sync))


def handshake(said: bytes) -> tuple[int, list[str]]:
    """The error code and the mechanisms that the listener knows. Raises: Garbled."""
    response = Response(said)
    error = response.number(2)
    return error, [mechanism for mechanism in response.array(response.text) if mechanism]


def authenticated(said: bytes) -> tuple[int, str | None, bytes]:
    """The error code, its words, and the mechanism's message. Raises: Garbled."""
    response = Response(said)
    return response.number(2), response.text(), response.data()
