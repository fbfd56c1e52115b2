"""What a conversation has done on a connection of its own beside the first."""

from typing import Final

from trueup.conversation import Beside, Conversation, HangUp, Receive, Send, ready

TIME_PART: Final = 0.8
"""Of the time that is left: what it came to is still to be told."""


class Errand:
    """One exchange; ``heard`` is what it brought."""

    def __init__(self, step: Beside) -> None:
        self.step = step
        self.heard = b""

    def conversation(self) -> Conversation:
        """Turn to TLS, say what there is to say and no more, and read to the end."""
        step = self.step
        if step.secured is not None:
            yield step.secured
        if step.data:
            yield Send(step.data)
            yield HangUp()
        if step.read is not None:
            self.heard = yield Receive(step.read)
        if not step.data:
            yield HangUp()
        return ready("done")
