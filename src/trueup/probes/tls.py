"""A TLS handshake and no more: whether the certificate is good and somebody holds its key.

What is said inside is another scheme's matter.
"""

from dataclasses import dataclass
from typing import Final

from trueup.conversation import Conversation, ready
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.domain.target import TlsSettings
from trueup.probes.probe import Probe, Scheme

NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.TLS_FAILED: ("See the handshake: openssl s_client -connect {place} -servername {host} </dev/null",),
}


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing but how the certificate is judged."""

    address: Address
    tls: TlsSettings | None = None


def conversation(options: Options) -> Conversation:
    """It begins when the handshake is done: that was all."""
    del options
    yield from ()
    return ready("the TLS handshake is done", layer=Layer.TLS)


PROBE = Probe("tls", "TLS", {"tls": Scheme(443, tls=True)}, Options, conversation, next_steps=NEXT)
