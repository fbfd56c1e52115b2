"""The record of one performed conversation."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from trueup.conversation import Answer, Dial
from trueup.engine.faults import Fault

SAID_BYTES_MAX: Final = 16_384


class Said(NamedTuple):
    """Bytes of one side. ``who`` is ``us``, ``peer``, or ``note`` for what is no bytes (TLS, redials)."""

    who: str
    data: bytes
    at_ms: float


@dataclass(slots=True)
class Transcript:
    """What was done, said and found, in order. Times in milliseconds since the conversation began.

    Ends either with ``answer`` or with ``fault``. ``marks`` are answers about earlier layers with the
    time that each was reached. ``connect_ms``, ``tls_ms`` and ``first_byte_ms`` are None where it never
    came to that; ``connect_ms`` is a duration, the others too. ``lag_ms`` is the longest that the loop
    itself was late meanwhile, 0 where it was too quick for that to matter. ``unacked_bytes`` (0: the
    peer's kernel has all that we sent) and ``retransmits`` are set when the deadline passed on an open
    connection.
    """

    dial: Dial
    answer: Answer | None = None
    fault: Fault | None = None
    marks: list[tuple[Answer, float]] = field(default_factory=list)
    peer: str = ""
    addresses: tuple[str, ...] = ()
    resolve_ms: float = 0.0
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float = 0.0
    received_bytes: int = 0
    sent_bytes: int = 0
    tls: dict[str, Any] = field(default_factory=dict)
    tls_verified: bool = False
    redials: int = 0
    lag_ms: float = 0.0
    unacked_bytes: int | None = None
    retransmits: int | None = None
    kept_bytes: int = 0
    _said: list[tuple[str, bytes, float]] = field(default_factory=list)

    def keep(self, who: str, data: bytes, at_ms: float) -> None:
        """Note what was said, as far as there's room for it."""
        room = SAID_BYTES_MAX - self.kept_bytes
        if len(data) > room:
            data = data[:room]
        if data:
            self.kept_bytes += len(data)
            self._said.append((who, data, at_ms))

    @property
    def said(self) -> list[Said]:
        """What was said, in order. Named for those who ask: of a look that goes well nobody does."""
        return list(map(Said._make, self._said))

    def forget_said(self) -> None:
        """Let go of what was said: it may be long, and of what went well nobody asks."""
        self._said = []

    @property
    def exchange_ms(self) -> float:
        """From the start of connecting to the end: what ``slow`` is held against."""
        return max(0.0, self.total_ms - self.resolve_ms)

    def heard(self) -> bytes:
        """What the peer said, as far as it was kept."""
        return b"".join(data for who, data, _ in self._said if who == "peer")
