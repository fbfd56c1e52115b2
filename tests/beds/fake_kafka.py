"""A FAKE of a Kafka broker: Kafka isn't in Debian. It speaks the protocol's published schemas, and no more.

https://kafka.apache.org/protocol.html. What a real broker does besides (closing before a login, answering
`SaslHandshake` with its mechanisms and closing at an unknown one) follows Kafka's SaslServerAuthenticator.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import scramp  # type: ignore[import-untyped]  # it ships no types

LISTED = {
    0: (3, 11),  # Produce
    1: (4, 16),  # Fetch
    3: (0, 12),  # Metadata
    17: (0, 1),  # SaslHandshake
    18: (0, 3),  # ApiVersions
    19: (2, 7),  # CreateTopics
    21: (0, 2),  # DeleteRecords
    36: (0, 2),  # SaslAuthenticate
}
"""Each request's lowest and highest version."""


@dataclass
class FakeKafka:
    """What it says can be changed while it runs. `topics` are leaders by partition."""

    port: int
    controller: int = 1
    brokers: Sequence[tuple[str, int]] = ()
    """Where it says that clients should go; none is itself."""
    topics: dict[str, list[int]] = field(default_factory=dict)
    behind: int = 0
    """How many of the two replicas of each partition are not in sync."""
    mechanisms: Sequence[str] = ()
    """A listener with SASL; empty is one without."""
    records: list[bytes] = field(default_factory=list)
    """The batches that were produced, whatever the topic; None of them is kept where ``loses`` is set."""
    loses: bool = False
    refuses: dict[int, int] = field(default_factory=dict)
    """Error codes, by the request that they answer."""
    deleted_before: int = 0
    user: str = "monitor"
    password: str = "sesame"

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"


@contextlib.contextmanager
def fake_kafka(**state: object) -> Iterator[FakeKafka]:
    """The fake, answering on loopback. `state` are its fields."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fake = FakeKafka(listener.getsockname()[1], **state)  # type: ignore[arg-type]  # fields by name
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=_serve, args=(fake, peer)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield fake
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in [accepting, *threads]:
                thread.join(5)


def _serve(fake: FakeKafka, peer: socket.socket) -> None:
    peer.settimeout(5)
    with peer, contextlib.suppress(OSError, struct.error, _ClosesError):
        _Client(fake, peer).serve()


class _ClosesError(Exception):
    """The broker closes the connection, as Kafka does at what it doesn't allow."""


class _Client:
    def __init__(self, fake: FakeKafka, peer: socket.socket) -> None:
        self._fake = fake
        self._peer = peer
        self._known = not fake.mechanisms
        self._mechanism = ""
        self._scram: Any = None

    def serve(self) -> None:
        while True:
            (size,) = struct.unpack("!i", self._take(4))
            if not 0 < size < 1_048_576:
                raise _ClosesError
            data = self._take(size)
            api, version, correlation, name_size = struct.unpack_from("!hhih", data)
            body = data[10 + max(0, name_size) :]
            answer = struct.pack("!i", correlation) + self._answer(api, version, body)
            self._peer.sendall(struct.pack("!i", len(answer)) + answer)
            if api == 17 and self._mechanism == "?":
                raise _ClosesError

    def _take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._peer.recv(size - len(data))
            if not piece:
                raise _ClosesError
            data += piece
        return data

    def _answer(self, api: int, version: int, body: bytes) -> bytes:
        if api == 18:
            return struct.pack("!hi", 0, len(LISTED)) + b"".join(
                struct.pack("!hhh", key, *versions) for key, versions in LISTED.items()
            )
        if api == 17:
            return self._handshake(body[2:].decode())
        if api == 36 and self._mechanism:
            return self._authenticate(body[4:])
        if api == 3 and version == 4 and self._known:
            return self._metadata(body)
        work = {0: self._produce, 1: self._fetch, 19: self._create, 21: self._delete}
        if api in work and self._known:
            return work[api](body, self._fake.refuses.get(api, 0))
        raise _ClosesError

    def _produce(self, body: bytes, error: int) -> bytes:
        """Version 3."""
        topic, place = _read_text(body, 12)
        (size,) = struct.unpack_from("!i", body, place + 8)
        offset = len(self._fake.records)
        if not error:
            batch = body[place + 12 : place + 12 + size]
            assert batch[16] == 2, "a batch of magic 2"
            self._fake.records.append(b"" if self._fake.loses else struct.pack("!q", offset) + batch[8:])
        told = struct.pack("!ihqq", 0, error, offset, -1)
        return struct.pack("!i", 1) + _text(topic) + struct.pack("!i", 1) + told + struct.pack("!i", 0)

    def _fetch(self, body: bytes, error: int) -> bytes:
        """Version 4."""
        topic, place = _read_text(body, 21)
        (offset,) = struct.unpack_from("!q", body, place + 8)
        data = b"" if error else b"".join(self._fake.records[offset:])
        told = struct.pack("!ihqqi", 0, error, len(self._fake.records), len(self._fake.records), 0)
        told += struct.pack("!i", len(data)) + data
        return struct.pack("!ii", 0, 1) + _text(topic) + struct.pack("!i", 1) + told

    def _create(self, body: bytes, error: int) -> bytes:
        """Version 4."""
        topic, place = _read_text(body, 4)
        (partitions,) = struct.unpack_from("!i", body, place)
        if not error:
            self._fake.topics[topic] = [1] * partitions
        return struct.pack("!ii", 0, 1) + _text(topic) + struct.pack("!hh", error, -1)

    def _delete(self, body: bytes, error: int) -> bytes:
        """Version 0."""
        topic, place = _read_text(body, 4)
        (self._fake.deleted_before,) = struct.unpack_from("!q", body, place + 8)
        told = struct.pack("!iqh", 0, self._fake.deleted_before, error)
        return struct.pack("!ii", 0, 1) + _text(topic) + struct.pack("!i", 1) + told

    def _handshake(self, mechanism: str) -> bytes:
        if not self._fake.mechanisms:
            return struct.pack("!hi", 34, 0)
        self._mechanism = mechanism if mechanism in self._fake.mechanisms else "?"
        listed = b"".join(_text(one) for one in self._fake.mechanisms)
        return struct.pack("!hi", 33 if self._mechanism == "?" else 0, len(self._fake.mechanisms)) + listed

    def _authenticate(self, message: bytes) -> bytes:
        if self._mechanism == "PLAIN":
            self._known = message == f"\0{self._fake.user}\0{self._fake.password}".encode()
            return _authenticated(b"") if self._known else _refused()
        try:
            if self._scram is None:
                mechanism = scramp.ScramMechanism(self._mechanism)
                secret = mechanism.make_auth_info(self._fake.password, 4096)
                self._scram = mechanism.make_server(lambda _user: secret)
                self._scram.set_client_first(message.decode())
                return _authenticated(self._scram.get_server_first().encode())
            self._scram.set_client_final(message.decode())
        except scramp.ScramException:
            return _refused()
        self._known = True
        return _authenticated(self._scram.get_server_final().encode())

    def _metadata(self, body: bytes) -> bytes:
        fake = self._fake
        brokers = fake.brokers or (("127.0.0.1", fake.port),)
        said = struct.pack("!ii", 0, len(brokers))
        for number, (host, port) in enumerate(brokers, start=1):
            said += struct.pack("!i", number) + _text(host) + struct.pack("!ih", port, -1)
        said += _text("fake-cluster") + struct.pack("!i", fake.controller)
        (count,) = struct.unpack_from("!i", body)
        if not count:
            return said + struct.pack("!i", 0)
        name = body[6:-1].decode()
        if name not in fake.topics:
            return said + struct.pack("!ih", 1, 3) + _text(name) + b"\0" + struct.pack("!i", 0)
        leaders = fake.topics[name]
        said += struct.pack("!ih", 1, 0) + _text(name) + b"\0" + struct.pack("!i", len(leaders))
        for number, leader in enumerate(leaders):
            error = 0 if leader >= 0 else 5
            said += struct.pack("!hii", error, number, leader) + struct.pack("!iii", 2, 1, 2)
            in_sync = 2 - fake.behind
            said += struct.pack("!i", in_sync) + struct.pack(f"!{in_sync}i", *range(1, in_sync + 1))
        return said


def _read_text(body: bytes, place: int) -> tuple[str, int]:
    """The string after this place and a list's length, and where it ends."""
    (size,) = struct.unpack_from("!h", body, place)
    return body[place + 2 : place + 2 + size].decode(), place + 2 + size


def _text(word: str) -> bytes:
    return struct.pack("!h", len(word)) + word.encode()


def _authenticated(message: bytes) -> bytes:
    return struct.pack("!hhi", 0, -1, len(message)) + message


def _refused() -> bytes:
    words = "Authentication failed: Invalid username or password"
    return struct.pack("!h", 58) + _text(words) + struct.pack("!i", 0)
