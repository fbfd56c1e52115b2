"""A transcript becomes observations, one for each layer that it touched."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from trueup.checks.certificate import expiry, facts_of
from trueup.checks.check import Check
from trueup.conversation import Answer, Transport
from trueup.domain.causes import Cause
from trueup.domain.observation import LOCAL, Observation
from trueup.domain.states import Layer, Outcome
from trueup.engine.faults import Fault, Stage
from trueup.engine.transcript import Transcript

LAG_MS_MAX: Final = 100.0
"""A latency taken while our own loop was later than this is no latency of the peer's."""

_LAYER_OF_STAGE: Final = {
    Stage.RESOLVING: Layer.PORT,
    Stage.CONNECTING: Layer.PORT,
    Stage.HANDSHAKING: Layer.TLS,
    Stage.TALKING: Layer.SERVICE,
}


def observe(check: Check, transcript: Transcript, now: datetime, vantage: str = LOCAL) -> list[Observation]:
    """What the conversation showed, from the outside in."""
    observations = list(_layers(check, transcript, now))
    return [_finish(check, transcript.lag_ms, seen, vantage) for seen in observations]


def observed(
    check: Check, answer: Answer, latency_ms: float, now: datetime, vantage: str = LOCAL
) -> Observation:
    """What was found out otherwise than by the conversation."""
    seen = _answered(answer, latency_ms, now)
    return _finish(check, 0.0, seen, vantage)


def _layers(check: Check, transcript: Transcript, now: datetime) -> Iterator[Observation]:
    answers = list(transcript.marks)
    if transcript.answer is not None:
        answers.append((transcript.answer, transcript.total_ms))
    if not any(answer.layer is Layer.PORT for answer, _ in answers):
        yield from _port(transcript, now)
    if transcript.tls_ms is not None:
        yield _tls(check, transcript, now)
    for answer, reached_ms in answers:
        if answer.layer is not Layer.TLS or answer.outcome is not Outcome.PASS or transcript.tls_ms is None:
            yield _answered(answer, reached_ms - transcript.resolve_ms, now)
    if transcript.fault is not None:
        yield _failed(check, transcript.fault, transcript, now)


def _port(transcript: Transcript, now: datetime) -> Iterator[Observation]:
    facts = {"peer": transcript.peer} if transcript.peer and transcript.peer != transcript.dial.host else {}
    if transcript.connect_ms is not None:
        yield Observation(Layer.PORT, Outcome.PASS, now, None, "connected", transcript.connect_ms, facts)
    elif transcript.dial.transport is Transport.UDP and transcript.received_bytes:
        yield Observation(Layer.PORT, Outcome.PASS, now, None, "answers", transcript.first_byte_ms, facts)


def _tls(check: Check, transcript: Transcript, now: datetime) -> Observation:
    facts: dict[str, Any] = {name: value for name, value in transcript.tls.items() if isinstance(value, str)}
    latency_ms = (transcript.connect_ms or 0.0) + (transcript.tls_ms or 0.0)
    certificate = transcript.tls.get("certificate")
    detail = str(facts.get("tls_version", "TLS"))
    if not transcript.tls_verified:
        detail += ", certificate not verified"
        if check.tls is not None:
            facts |= {"verified": False, **facts_of(certificate or b"")}
        return Observation(Layer.TLS, Outcome.PASS, now, None, detail, latency_ms, facts)
    left_s, ends = expiry(transcript.tls.get("expires_at_s"), now)
    if ends is not None and left_s is not None:
        facts["expires_at"] = ends
        if left_s < (check.tls.expires_within_s if check.tls else DEFAULT_EXPIRES_WITHIN_S):
            days = f"the certificate ends in {left_s / 86400:.1f} days ({ends})"
            return Observation(Layer.TLS, Outcome.SLOW, now, Cause.TLS_EXPIRING, days, latency_ms, facts)
    return Observation(Layer.TLS, Outcome.PASS, now, None, detail, latency_ms, facts)


DEFAULT_EXPIRES_WITHIN_S: Final = 14 * 86400.0


def _answered(answer: Answer, latency_ms: float, now: datetime) -> Observation:
    return Observation(
        answer.layer, answer.outcome, now, answer.cause, answer.detail, latency_ms, dict(answer.facts)
    )


def _failed(check: Check, fault: Fault, transcript: Transcript, now: datetime) -> Observation:
    facts: dict[str, Any] = dict(fault.facts)
    layer = fault.layer if fault.outcome is Outcome.FAIL else _LAYER_OF_STAGE[fault.stage]
    if fault.cause is Cause.SILENT and transcript.unacked_bytes is not None and transcript.sent_bytes:
        facts["unacked_bytes"] = transcript.unacked_bytes
        facts["retransmits"] = transcript.retransmits
    if transcript.peer and transcript.peer != transcript.dial.host:
        facts["peer"] = transcript.peer
    detail, dialled = fault.detail, f"{transcript.dial.host}:{transcript.dial.port}"
    if is_elsewhere := _is_elsewhere(check, fault, transcript):
        detail = f"{dialled}: {detail}"
    elif transcript.redials and _begins_over_udp(check):
        detail = f"over TCP: {detail}"
    if transcript.redials or is_elsewhere:
        facts["dialled"] = dialled
    return Observation(layer, fault.outcome, now, fault.cause, detail, None, facts)


def _is_elsewhere(check: Check, fault: Fault, transcript: Transcript) -> bool:
    """Whether it's about another place than the address: where a redirect led, or the proxy on the way."""
    dialled = transcript.dial
    if check.probe is None or dialled.transport is Transport.UNIX:
        return False
    if (dialled.host, dialled.port) == check.probe.dial(check.address, None)[:2]:
        return False
    is_tunnel = not transcript.redials and (fault.stage is Stage.HANDSHAKING or transcript.tls_ms is not None)
    return not is_tunnel or dialled.tls is not None


def _begins_over_udp(check: Check) -> bool:
    return check.probe is not None and check.probe.dial(check.address, None).transport is Transport.UDP


def _finish(check: Check, lag_ms: float, seen: Observation, vantage: str) -> Observation:
    """Round the latency, hold it against the threshold, and say where from and where."""
    latency_ms = seen.latency_ms if lag_ms <= LAG_MS_MAX else None
    outcome, cause, detail = seen.outcome, seen.cause, seen.detail
    slow_s = check.target.slow_s
    if (
        outcome is Outcome.PASS
        and slow_s is not None
        and latency_ms is not None
        and latency_ms > slow_s * 1000
    ):
        outcome, cause = Outcome.SLOW, Cause.SLOW
        detail = f"{latency_ms:.0f} ms, over {slow_s * 1000:g} ms ({detail})"
    return Observation(
        seen.layer,
        outcome,
        seen.observed_at,
        cause,
        detail,
        None if latency_ms is None else round(latency_ms, 3),
        seen.facts,
        vantage,
        check.at,
    )
