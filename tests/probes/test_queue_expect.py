"""What is expected of a queue."""

import pytest

from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.queue_expect import QueueExpect, judge_queue, refuse_without_queue


@pytest.mark.parametrize(
    ("messages", "consumers", "expect", "cause"),
    [
        (7, 0, QueueExpect(), None),
        (7, 1, QueueExpect(messages_max=7, consumers_min=1), None),
        (8, 1, QueueExpect(messages_max=7), Cause.OVERLOADED),
        (0, 0, QueueExpect(consumers_min=1), Cause.WRONG_ANSWER),
        (None, None, QueueExpect(messages_max=0), None),
        (None, None, QueueExpect(consumers_min=1), Cause.WRONG_ANSWER),
    ],
)
def test_a_queue(
    messages: int | None, consumers: int | None, expect: QueueExpect, cause: Cause | None
) -> None:
    answer = judge_queue("jobs\x1b", messages, consumers, expect)
    assert (answer.layer, answer.cause) == (Layer.FUNCTION, cause)
    assert answer.facts.get("messages") == messages
    assert "\x1b" not in answer.detail


def test_nothing_is_expected_of_no_queue() -> None:
    refuse_without_queue(None, QueueExpect())
    refuse_without_queue("jobs", QueueExpect(messages_max=0))
    with pytest.raises(ValueError, match="add queue"):
        refuse_without_queue(None, QueueExpect(messages_max=0))
