"""How an agent signs what it sends: Ed25519 over host, number, time and body (RFC 8032).

The monitor keeps the public half alone: whoever reads its data can't speak for an agent.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEQUENCE: Final = "x-trueup-sequence"
SENT: Final = "x-trueup-sent"
SIGNATURE: Final = "x-trueup-signature"
_VERSION: Final = "v1="
_NUMBER_MAX: Final = 2**62


@dataclass(frozen=True, slots=True)
class Envelope:
    """``sequence`` only rises; ``sent_ms`` is the agent's wall clock in milliseconds since 1970."""

    sequence: int
    sent_ms: int
    signature: bytes = b""

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """None where they aren't there, or aren't of this form. Names are in lower case."""
        signature = headers.get(SIGNATURE, "")
        try:
            sequence, sent_ms = int(headers[SEQUENCE]), int(headers[SENT])
            if not signature.startswith(_VERSION) or not 0 < sequence < _NUMBER_MAX:
                return None
            return cls(sequence, sent_ms, bytes.fromhex(signature.removeprefix(_VERSION)))
        except (KeyError, ValueError):
            return None

    def headers(self) -> dict[str, str]:
        return {
            SEQUENCE: str(self.sequence),
            SENT: str(self.sent_ms),
            SIGNATURE: _VERSION + self.signature.hex(),
        }

    def _signed(self, host: str, body: bytes) -> bytes:
        digest = hashlib.sha256(body).hexdigest()
        return f"trueup-agent-report\n{host}\n{self.sequence}\n{self.sent_ms}\n{digest}".encode()

    def sign(self, key: Ed25519PrivateKey, host: str, body: bytes) -> "Envelope":
        """The same with its signature."""
        return Envelope(self.sequence, self.sent_ms, key.sign(self._signed(host, body)))

    def is_signed_by(self, public_key: bytes, host: str, body: bytes) -> bool:
        """Whether exactly this was signed with the other half of ``public_key``."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self._signed(host, body))
        except InvalidSignature:
            return False
        return True
