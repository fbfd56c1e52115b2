"""What can be expected of a queue: that not too much waits in it, and that somebody takes it out."""

from dataclasses import dataclass
from typing import Annotated, Any

from trueup.conversation import Answer, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.limits import AtLeast
from trueup.domain.printable import printable
from trueup.domain.states import Layer


@dataclass(frozen=True, slots=True)
class QueueExpect:
    """Of the ``queue``: no more waiting messages, no fewer consumers than that."""

    messages_max: Annotated[int, AtLeast(0)] | None = None
    consumers_min: Annotated[int, AtLeast(0)] | None = None

    @property
    def of_queue(self) -> bool:
        """Whether anything is expected."""
        return self.messages_max is not None or self.consumers_min is not None


def refuse_without_queue(queue: str | None, expect: QueueExpect) -> None:
    """Raises: ValueError where something is expected of a queue that isn't named."""
    if expect.of_queue and queue is None:
        raise ValueError("expect: messages_max and consumers_min are of a queue; add queue")


def judge_queue(name: str, messages: int | None, consumers: int | None, expect: QueueExpect) -> Answer:
    """The function layer's answer for a queue that is there. None is what it doesn't tell."""
    shown = printable(name)
    facts: dict[str, Any] = {"messages": messages, "consumers": consumers}
    if expect.messages_max is not None and messages is not None and messages > expect.messages_max:
        words = f"queue {shown!r} holds {messages} messages, more than {expect.messages_max}"
        return fails(Cause.OVERLOADED, words, layer=Layer.FUNCTION, **facts)
    if expect.consumers_min is not None and (consumers or 0) < expect.consumers_min:
        words = f"queue {shown!r} has {consumers or 0} consumers, fewer than {expect.consumers_min}"
        return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION, **facts)
    words = f"queue {shown!r} holds {messages or 0} messages for {consumers or 0} consumers"
    return ready(words, layer=Layer.FUNCTION, **facts)
