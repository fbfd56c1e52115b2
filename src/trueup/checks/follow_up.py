"""Questions that are asked after a failure only: they cost more, and tell why."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trueup.checks.certificate import facts_of
from trueup.checks.check import Check
from trueup.conversation import Answer, Break, Conversation, Dial, StartTls, ready
from trueup.domain.states import Outcome
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript


def connect() -> Conversation:
    """A connection and no more."""
    yield from ()
    return ready("connected")


def addresses_besides_the_first(engine: Engine, dial: Dial) -> list[str]:
    """What else the name resolved to when it was dialled."""
    found = engine.resolver.addresses_of(dial.host, dial.port, lambda _: None)
    return [place.text for place in found[1:]] if isinstance(found, tuple) else []


async def other_addresses(
    engine: Engine, dial: Dial, others: Sequence[str], timeout_s: float
) -> dict[str, str]:
    """Whether ``others``, of the same name, accept a connection: ``pass`` or the cause, of each."""
    looks = (engine.perform(dial._replace(host=text, tls=None), connect(), timeout_s) for text in others)
    found = await asyncio.gather(*looks)
    return {text: _outcome(other) for text, other in zip(others, found, strict=True)}


def _outcome(transcript: Transcript) -> str:
    fault = transcript.fault
    if fault is None:
        return Outcome.PASS.value
    return (fault.cause or fault.outcome).value


async def certificate_facts(
    engine: Engine, check: Check, transcript: Transcript, timeout_s: float
) -> dict[str, Any]:
    """The facts of a certificate that wasn't accepted, read by a handshake without verification."""
    assert check.probe is not None
    dial = transcript.dial
    if dial.tls is not None:
        unverified = dial._replace(tls=replace(dial.tls, verify=False))
        again = await engine.perform(unverified, connect(), timeout_s)
    elif not transcript.redials:
        as_far = as_far_as_tls(check.probe.conversation(check.options))
        again = await engine.perform(dial, as_far, timeout_s)
    else:
        return {}
    der = again.tls.get("certificate")
    return facts_of(der) if der else {}


def as_far_as_tls(conversation: Conversation) -> Conversation:
    """The same as far as it turns to TLS, which isn't verified then: nothing more is said to this peer."""
    try:
        step = next(conversation)
        while not isinstance(step, StartTls):
            try:
                brought = yield step
            except Break as broken:
                step = conversation.throw(broken)
            else:
                step = conversation.send(brought)
    except StopIteration as ended:
        answer: Answer = ended.value
        return answer
    conversation.close()
    yield step._replace(settings=replace(step.settings or TlsSettings(), verify=False))
    return ready("TLS")
