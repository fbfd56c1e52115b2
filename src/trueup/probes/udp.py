"""A UDP datagram and an answer to it: there is no other way to see whether someone is home.

``send`` (text) or ``hex`` is what the protocol there answers; without either it's an empty line. A peer
that says nothing is ``silent``, whether it's dead or only doesn't answer that.
"""

from dataclasses import dataclass, field
from typing import Final

from trueup.conversation import Ask, Conversation, Datagram, Quiet, Receive, Transport
from trueup.domain.address import Address, require_port
from trueup.probes.probe import Probe, Scheme
from trueup.probes.wording import Expect, unescaped

AGAIN_S: Final = 1.0
"""Datagrams get lost: after that long without an answer it's sent once more."""

MORE_S: Final = 0.5
"""How long to wait for the expected answer once another came."""

ANSWERS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Options:
    r"""``send`` is text with the escapes ``\r \n \t \0 \\ \xNN``; ``hex`` is the same in hexadecimal."""

    address: Address
    send: str | None = None
    hex: str | None = None
    expect: Expect = field(default_factory=Expect)

    def __post_init__(self) -> None:
        require_port(self.address)
        if self.send and self.hex:
            raise ValueError("send and hex exclude each other")
        _datagram(self)


def _datagram(options: Options) -> bytes:
    if options.hex:
        return bytes.fromhex(options.hex)
    return unescaped(options.send or r"\n")


def conversation(options: Options) -> Conversation:
    """Ask, and wait for the expected answer among those that come."""
    said = yield Ask(_datagram(options), Datagram(), again_s=AGAIN_S)
    try:
        for _ in range(ANSWERS_MAX):
            if options.expect.met_by(said):
                break
            said = yield Receive(Datagram(), within_s=MORE_S)
    except Quiet:
        pass
    return options.expect.judge(said)


PROBE = Probe("udp", "UDP", {"udp": Scheme(None, transport=Transport.UDP)}, Options, conversation)
