"""A conversation that says what the one before it said: nothing needs to be made of it but its times."""

from trueup.checks.beyond import goes_beyond
from trueup.checks.check import Check
from trueup.checks.observe import LAG_MS_MAX
from trueup.conversation import Transport
from trueup.domain.states import Layer, Outcome
from trueup.engine.transcript import Transcript


def tells_all(check: Check, transcript: Transcript) -> bool:
    """Whether such a conversation is all that there is to see, so that the next may be held against it.

    TLS isn't: its certificate ages. What has no connection, or went to another place, isn't either.
    """
    return (
        check.probe is not None
        and not goes_beyond(check)
        and transcript.answer is not None
        and transcript.dial.transport in (Transport.TCP, Transport.UNIX)
        and transcript.connect_ms is not None
        and transcript.tls_ms is None
        and not transcript.redials
        and all(answer.outcome is Outcome.PASS for answer, _ in transcript.marks)
        and transcript.answer.outcome is Outcome.PASS
    )


def took_ms(check: Check, before: Transcript, now: Transcript) -> dict[Layer, float] | None:
    """How long each layer took, in milliseconds, where ``now`` says the same as ``before``, which was well
    and told all. None where anything differs, or was slow: then it's to be looked at closely. Nothing is
    said of the times while our own loop was late.
    """
    answer = now.answer
    if answer is None or answer != before.answer or now.peer != before.peer:
        return None
    if now.connect_ms is None or now.redials or len(now.marks) != len(before.marks):
        return None
    took = {Layer.PORT: now.connect_ms}
    if now.marks:
        for (mark, at_ms), (known, _) in zip(now.marks, before.marks, strict=True):
            if mark != known:
                return None
            took[mark.layer] = at_ms - now.resolve_ms
    took[answer.layer] = now.total_ms - now.resolve_ms
    if now.lag_ms > LAG_MS_MAX:
        return {}
    slow_s = check.target.slow_s
    if slow_s is not None and max(took.values()) > slow_s * 1000:
        return None
    return took
