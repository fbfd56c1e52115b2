"""What a probe's file declares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from trueup.conversation import Conversation, Dial, Transport
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.target import TlsSettings

TIMEOUT_S: Final = 5.0
MAIL_TIMEOUT_S: Final = 10.0


class Farewell(StrEnum):
    """How a connection is given up.

    ``reset`` leaves no TIME_WAIT with us and is harmless where servers don't count it;
    ``polite`` lets the peer close first where it would hold a reset against us (MySQL's 1129, mail).
    """

    RESET = "reset"
    POLITE = "polite"


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to name the protocol in an address.

    ``tls`` starts with a handshake, whose certificate is verified.
    """

    port: int | None
    tls: bool = False
    transport: Transport = Transport.TCP
    alpn: tuple[str, ...] = ()


def _never(_said: bytes) -> bool:
    return False


def _straight(_options: Any) -> Dial | None:
    return None


@dataclass(frozen=True, slots=True)
class Probe:
    """A protocol, as the rest of trueup sees it.

    ``name`` is the scheme by which it is reported (``found``, ``expected``, ``speaks``).
    ``title`` is what people call it. ``options`` is a frozen dataclass whose first field is
    ``address`` and whose other fields are the configuration keys that this protocol understands, with
    defaults for all. ``recognise`` says whether bytes are how this protocol begins to speak, whether
    unasked or in reply to a newline or an HTTP request; it must not mistake another's.
    ``next_steps`` are what to do about a cause, where the protocol knows better than the general rule.
    ``door`` says whom to connect to instead of the address, where the options name a proxy.
    ``asks_first``: the client speaks first, and asking anyone who answers in this dialect does no harm, so
    that a stranger can be told by it. ``over_http``: it's built on HTTP, of which it asks more.
    """

    name: str
    title: str
    schemes: Mapping[str, Scheme]
    options: Callable[..., Any]
    conversation: Callable[[Any], Conversation]
    farewell: Farewell = Farewell.RESET
    timeout_s: float = TIMEOUT_S
    asks_first: bool = False
    over_http: bool = False
    door: Callable[[Any], Dial | None] = field(default=_straight)
    recognise: Callable[[bytes], bool] = field(default=_never)
    next_steps: Mapping[Cause, tuple[str, ...]] = field(default_factory=dict)

    def dial(self, address: Address, tls: TlsSettings | None) -> Dial:
        """Where the conversation about ``address`` begins."""
        scheme = self.schemes[address.scheme]
        if address.socket_path is not None:
            return Dial(address.socket_path, transport=Transport.UNIX)
        return Dial(
            address.host,
            address.port or scheme.port or 0,
            scheme.transport,
            (tls or TlsSettings()) if scheme.tls else None,
            scheme.alpn,
        )
