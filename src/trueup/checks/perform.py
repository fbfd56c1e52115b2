"""A check's one conversation."""

from dataclasses import replace

from trueup.checks.check import Check
from trueup.engine.engine import Engine
from trueup.engine.tls import prepare
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Farewell


async def perform(engine: Engine, check: Check, timeout_s: float, *, host: str | None = None) -> Transcript:
    """Perform it to its end; at ``host``, where that's another address of the same name."""
    assert check.probe is not None
    dial = check.probe.door(check.options) or check.probe.dial(check.address, check.tls)
    if host is not None:
        tls = dial.tls and replace(dial.tls, server_name=dial.tls.server_name or dial.host)
        dial = dial._replace(host=host, tls=tls)
    if dial.tls is not None:
        await prepare(dial.tls, dial.alpn)
    polite = check.probe.farewell is Farewell.POLITE
    return await engine.perform(dial, check.probe.conversation(check.options), timeout_s, polite=polite)
