"""A TCP connection and no more: whether someone is home.

With ``send`` it sends a text, and then anything that comes back will do; with ``expect`` the answer, or the
greeting where nothing is sent, must be the one expected. That is judged on all that came so far, however
it was cut into segments.
"""

from dataclasses import dataclass, field
from typing import Final

from trueup.conversation import Closed, Conversation, Quiet, Receive, Send, Some, ready
from trueup.domain.address import Address, require_port
from trueup.domain.states import Layer
from trueup.probes.probe import Probe, Scheme
from trueup.probes.wording import Expect, unescaped

SAID_BYTES_MAX: Final = 65_536
_PORT: Final = Layer.PORT  # looking a member up costs in Python 3.11


@dataclass(frozen=True, slots=True)
class Options:
    r"""``send`` is text with the escapes ``\r \n \t \0 \\ \xNN``."""

    address: Address
    send: str | None = None
    expect: Expect = field(default_factory=Expect)

    def __post_init__(self) -> None:
        require_port(self.address)
        unescaped(self.send or "")


def conversation(options: Options) -> Conversation:
    """Being connected is all that was asked, unless something is to be said or heard."""
    if not options.send and options.expect.anything:
        yield from ()
        return ready("connected", layer=_PORT)
    if options.send:
        yield Send(unescaped(options.send))
    said = b""
    try:
        while not said or not (options.expect.settled_by(said) or len(said) >= SAID_BYTES_MAX):
            said += yield Receive(Some())
    except (Closed, Quiet):
        if not said:
            raise
    return options.expect.judge(said)


PROBE = Probe("tcp", "TCP", {"tcp": Scheme(None)}, Options, conversation)
