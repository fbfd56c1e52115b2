"""What a conversation can ask the engine to do.

A conversation is a generator: it yields steps and gets back bytes (``Ask``, ``Receive``, ``Nonce``,
``Beside``) or empty bytes (the others), and returns an ``Answer``. One deadline holds for all of
it. When a read can't be completed, a ``Break`` is thrown in at the step.
"""

from collections.abc import Generator
from enum import StrEnum
from typing import NamedTuple

from trueup.conversation.answer import Answer
from trueup.conversation.reads import Read, ToEnd
from trueup.domain.target import TlsSettings


class Transport(StrEnum):
    """What carries the conversation."""

    TCP = "tcp"
    UDP = "udp"
    UNIX = "unix"
    ICMP = "icmp"


class Dial(NamedTuple):
    """Where to connect. ``host`` is a name, an address, or the path of a unix socket.

    ``tls`` starts a handshake at once; ``alpn`` are the protocols offered in it.
    """

    host: str
    port: int = 0
    transport: Transport = Transport.TCP
    tls: TlsSettings | None = None
    alpn: tuple[str, ...] = ()


class Send(NamedTuple):
    """Send, and expect nothing. ``secret`` keeps the bytes out of the transcript."""

    data: bytes
    secret: bool = False


class Receive(NamedTuple):
    """Read a reply. After ``within_s`` seconds without it, ``Quiet`` is thrown in and talk goes on."""

    read: Read
    within_s: float | None = None


class Ask(NamedTuple):
    """Send, then read the reply. ``again_s`` sends it once more after that long (datagrams get lost)."""

    data: bytes
    read: Read
    secret: bool = False
    within_s: float | None = None
    again_s: float | None = None


class StartTls(NamedTuple):
    """Turn the connection into TLS. Bytes that came before the handshake are dropped unread: they
    could have been injected (RFC 3207, 6; CVE-2011-0411).

    ``settings`` None: offered in passing, so not verified, and a fact rather than a judgement.
    """

    settings: TlsSettings | None = None
    alpn: tuple[str, ...] = ()


class Redial(NamedTuple):
    """Close this connection and open another: a redirect, TCP after a truncated datagram."""

    dial: Dial


class Nonce(NamedTuple):
    """Unpredictable bytes, for an identifier that an answer must repeat."""

    size_bytes: int


class Mark(NamedTuple):
    """Note what is known of one layer so far, and when; the talk goes on about the next layer."""

    answer: Answer


class HangUp(NamedTuple):
    """Say no more (a half-close), as the last step: to a server that waits for us and knows no goodbye
    at this point. It then closes at once, instead of when we have lingered.
    """


class Beside(NamedTuple):
    """Have one exchange on a connection of its own, while this one stays open: FTP's files travel so.

    With ``data`` it is sent, and our side closed; then everything is read to the peer's end, or to the end
    of ``read``: that is what the step brings. ``read`` None is for a connection and no more. ``secured`` is
    how it turns to TLS first, with the session of this connection, which servers want to see again. It has
    four fifths of the time that is left, or ``within_s`` where that's less; when it comes to nothing,
    ``Astray`` is thrown in.
    """

    dial: Dial
    data: bytes = b""
    read: Read | None = ToEnd()
    secured: StartTls | None = None
    within_s: float | None = None


Step = Send | Receive | Ask | StartTls | Redial | Nonce | Mark | HangUp | Beside
Conversation = Generator[Step, bytes, Answer]
"""Yields steps, is sent bytes (empty for steps that bring none), returns the answer."""
