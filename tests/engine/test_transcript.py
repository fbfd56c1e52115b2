"""What is kept of a conversation is bounded."""

from trueup.conversation import Dial
from trueup.engine.transcript import SAID_BYTES_MAX, Transcript


def test_what_was_said_is_kept_as_far_as_there_is_room() -> None:
    transcript = Transcript(Dial("127.0.0.1", 1))
    transcript.keep("us", b"", 0)
    for number in range(100):
        transcript.keep("peer", b"x" * 1000, number)
    transcript.keep("note", b"late", 101)
    assert sum(len(said.data) for said in transcript.said) == SAID_BYTES_MAX
    assert transcript.heard() == b"x" * SAID_BYTES_MAX


def test_what_slow_is_held_against_begins_with_connecting() -> None:
    transcript = Transcript(Dial("db.internal", 1), resolve_ms=30, total_ms=50)
    assert transcript.exchange_ms == 20
