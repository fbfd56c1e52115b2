"""What the engine throws into a conversation when a read can't be completed.

A probe may catch any of them to say what it means in its protocol. Uncaught, the engine ends the
conversation and the check turns the break into an observation.

    Break
    ├── Closed      the peer closed or reset
    ├── Quiet       nothing (more) came in time
    ├── TooLong     more came than the read allows
    ├── Astray      a second connection came to nothing
    └── Garbled     the engine or the probe could not make sense of it
"""

from typing import final

from trueup.domain.causes import Cause


class Break(Exception):  # noqa: N818 - these are turns of a conversation; most are no error of ours
    """A read that ended otherwise than hoped. ``received`` is what had come of it."""

    def __init__(self, received: bytes = b"") -> None:
        super().__init__(f"{type(self).__name__} after {len(received)} bytes")
        self.received = received


@final
class Closed(Break):
    """The peer closed the connection; ``reset`` where it did so by a reset (RFC 9293, 3.5.3)."""

    def __init__(self, received: bytes = b"", *, reset: bool = False) -> None:
        super().__init__(received)
        self.reset = reset


@final
class Quiet(Break):
    """Nothing completed the read in time. ``final`` at the deadline: an answer, but no further step."""

    def __init__(self, received: bytes = b"", *, final: bool = False) -> None:
        super().__init__(received)
        self.final = final


@final
class TooLong(Break):
    """The read's bound was reached before it was complete."""


@final
class Astray(Break):
    """The connection that was to be opened ``Beside`` this one came to nothing: ``cause`` and the words."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__()
        self.cause = cause
        self.detail = detail


@final
class Garbled(Break):
    """The bytes are none that this protocol allows. Raised by probes' parsers, with what was seen."""
