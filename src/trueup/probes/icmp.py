"""An ICMP echo: whether the host's kernel answers. It says nothing of any service there.

https://www.rfc-editor.org/rfc/rfc792 (echo); RFC 4443, 4 for IPv6, whose numbers the engine puts in.
"""

import struct
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Ask, Conversation, Frame, Nonce, Transport, ready
from trueup.domain.address import Address
from trueup.domain.states import Layer
from trueup.probes.probe import Probe, Scheme

ECHO_REQUEST: Final = 8
ECHO_REPLY: Final = 0
TOKEN_BYTES: Final = 16
HEADER: Final = struct.Struct("!BBHHH")
"""Type, code, checksum, identifier, sequence number."""

AGAIN_S: Final = 1.0
DATAGRAM_BYTES_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing but whom."""

    address: Address


def conversation(options: Options) -> Conversation:
    """One echo, told from all others that this machine may be waiting for by its token."""
    del options
    token = yield Nonce(TOKEN_BYTES)
    yield Ask(request(token), _reply(token), again_s=AGAIN_S)
    return ready("answers an echo", layer=Layer.PORT)


def request(token: bytes) -> bytes:
    """An echo request that carries ``token``."""
    identifier = int.from_bytes(token[:2], "big")
    bare = HEADER.pack(ECHO_REQUEST, 0, 0, identifier, 1) + token
    return HEADER.pack(ECHO_REQUEST, 0, _checksum(bare), identifier, 1) + token


def _checksum(message: bytes) -> int:
    """RFC 1071; ``message`` has an even length."""
    total: int = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _reply(token: bytes) -> Frame:
    """The reply to our own request; any other message is passed over."""

    def measure(received: bytearray) -> int | None:
        ours = received[:1] == bytes([ECHO_REPLY]) and received[HEADER.size :] == token
        return len(received) if ours else None

    return Frame(measure, DATAGRAM_BYTES_MAX)


PROBE = Probe("icmp", "ICMP", {"icmp": Scheme(None, transport=Transport.ICMP)}, Options, conversation)
