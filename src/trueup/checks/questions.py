"""What a person would ask next when a look fails: each question only where its answer changes what we say."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from trueup.checks.check import Check
from trueup.checks.follow_up import addresses_besides_the_first, certificate_facts, other_addresses
from trueup.checks.identify import Identity, identify, know_all, over_tls, recognised
from trueup.checks.observe import observe
from trueup.checks.perform import perform
from trueup.conversation import Dial, Transport
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.engine.engine import Engine
from trueup.engine.routes import has_default_route
from trueup.engine.transcript import Transcript

ASK_WHO: Final = frozenset({Cause.SILENT, Cause.CLOSES, Cause.WRONG_SERVICE})
OUT_OF_TIME: Final = frozenset({Cause.TLS_EXPIRED, Cause.TLS_NOT_YET_VALID})
LOOPBACK_NAMES: Final = frozenset({"localhost", "ip6-localhost", "localhost.localdomain"})


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The other addresses of a name: of each ``pass`` or the cause; what was said at one that works."""

    outcomes: dict[str, str]
    working: str | None = None
    transcript: Transcript | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions under way: who else might be there, and whether another address of the name works."""

    who: asyncio.Future[Identity | None] | None
    elsewhere: asyncio.Future[Elsewhere] | None

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        for one in (self.who, self.elsewhere):
            if one is not None:
                one.cancel()


def ask_meanwhile(engine: Engine, check: Check, timeout_s: float) -> Asking:
    """Begin to ask while the service, or the way to it, is still silent; the caller cancels it."""
    assert check.probe is not None
    who = elsewhere = None
    if _may_be_someone_else(check):
        who = asyncio.ensure_future(_identify(engine, check, timeout_s))
    dial = check.probe.door(check.options) or check.probe.dial(check.address, check.tls)
    if dial.transport is Transport.TCP:
        others = addresses_besides_the_first(engine, dial)
        if others:
            elsewhere = asyncio.ensure_future(_elsewhere(engine, check, dial, others, timeout_s))
    return Asking(who, elsewhere)


async def ask_on(
    engine: Engine,
    check: Check,
    transcript: Transcript,
    observations: list[Observation],
    *,
    asking: Asking | None,
    left_s: float,
) -> list[Observation]:
    """The observations with what the follow-up questions brought, within ``left_s`` seconds."""
    failed = next(seen for seen in observations if seen.outcome not in (Outcome.PASS, Outcome.SLOW))
    if _has_no_way_out(failed, transcript.peer):
        return unless_offline(observations, transcript.peer)
    if failed.outcome is not Outcome.FAIL:
        return observations
    if failed.layer is Layer.PORT and len(transcript.addresses) > 1:
        return await _ask_elsewhere(engine, check, transcript, failed, asking=asking, left_s=left_s)
    if failed.layer is Layer.TLS and failed.facts.get("verify_code") is not None:
        facts = await certificate_facts(engine, check, transcript, left_s)
        return _swap(observations, failed, _described(failed, facts))
    if "found" in failed.facts:  # the probe knows a neighbour of its own when it meets one
        return observations
    if failed.cause in ASK_WHO and _may_be_someone_else(check):
        who = await _who(engine, check, transcript, asking, left_s)
        if who is not None:
            return _swap(observations, failed, _wrong_service(check, failed, who))
    return observations


def _described(failed: Observation, facts: dict[str, Any]) -> Observation:
    """With what its certificate says; OpenSSL doesn't tell whether it or an issuer's is out of its time."""
    failed = replace(failed, facts={**failed.facts, **facts})
    ends_at, begins_at = facts.get("expires_at"), facts.get("not_before")
    if failed.cause not in OUT_OF_TIME or not (ends_at and begins_at):
        return failed
    if not datetime.fromisoformat(begins_at) <= failed.observed_at <= datetime.fromisoformat(ends_at):
        return failed
    how = "has expired" if failed.cause is Cause.TLS_EXPIRED else "isn't valid yet"
    words = f"the certificate of an issuer {how}; its own is valid until {ends_at}"
    return replace(failed, detail=words, facts={**failed.facts, "of_an_issuer": True})


def unless_offline(observations: Sequence[Observation], peer: str) -> list[Observation]:
    """What was seen; where it fails because this machine has no way out, that nobody knows."""
    return [_offline(seen) if _has_no_way_out(seen, peer) else seen for seen in observations]


def _has_no_way_out(failed: Observation, peer: str) -> bool:
    """Without a route connect(2) says ENETUNREACH; over IPv6 also that it has no address to come from."""
    number = failed.facts.get("errno")
    no_source = number == "EADDRNOTAVAIL" and ":" in peer
    return (number == "ENETUNREACH" or no_source) and not has_default_route(peer)


def _may_be_someone_else(check: Check) -> bool:
    """TCP services can be told by what answers; a connection alone (``tcp``) is not asked who it is."""
    assert check.probe is not None
    dial = check.probe.dial(check.address, check.tls)
    return dial.transport is not Transport.UDP and check.probe.name not in ("tcp", "icmp", "udp")


async def _who(
    engine: Engine,
    check: Check,
    transcript: Transcript,
    asking: Asking | None,
    left_s: float,
) -> Identity | None:
    """Who it is: by what it has said already, else by asking."""
    assert check.probe is not None
    said = transcript.heard() or transcript.tls.get("first_bytes", b"")
    await know_all()
    name = recognised(said)
    if name is not None and transcript.dial.tls is not None and transcript.tls_ms is not None:
        name = over_tls(name)  # it was said inside
    if name is not None and not _is_expected(check, name):
        return Identity(name, said)
    try:
        begun = asking.who if asking is not None else None
        who = await asyncio.wait_for(begun or _identify(engine, check, left_s), left_s)
    except TimeoutError:
        return None
    return None if who is None or _is_expected(check, who.scheme) else who


def _is_expected(check: Check, scheme: str) -> bool:
    """Whether ``scheme`` is what the check asked for: then it is the right one, and it's ill."""
    assert check.probe is not None
    wants_tls = check.probe.schemes[check.address.scheme].tls
    if scheme in check.probe.schemes:
        return check.probe.schemes[scheme].tls == wants_tls
    return scheme == "tls" and wants_tls


async def _identify(engine: Engine, check: Check, timeout_s: float) -> Identity | None:
    assert check.probe is not None
    dial = check.probe.dial(check.address, check.tls)
    inside = check.probe.schemes[check.address.scheme].tls
    return await identify(engine, dial, timeout_s, except_for=None if inside else check.probe.name)


def _wrong_service(check: Check, failed: Observation, who: Identity) -> Observation:
    assert check.probe is not None
    facts = {**failed.facts, "expected": check.address.scheme, "found": who.scheme}
    detail = f"{who.scheme} answers where {check.address.scheme} is expected"
    if failed.facts.get("seen"):
        detail += f": '{failed.facts['seen']}'"
    return replace(
        failed,
        layer=Layer.SERVICE,
        outcome=Outcome.FAIL,
        cause=Cause.WRONG_SERVICE,
        detail=detail,
        facts=facts,
    )


def _offline(failed: Observation) -> Observation:
    """A network that can't be reached while we have no way out says nothing of the target."""
    words = "this machine has no route out for that address"
    return replace(failed, outcome=Outcome.UNKNOWN, cause=Cause.MONITOR_OFFLINE, detail=words)


async def _ask_elsewhere(
    engine: Engine,
    check: Check,
    transcript: Transcript,
    failed: Observation,
    *,
    asking: Asking | None,
    left_s: float,
) -> list[Observation]:
    """Another address of the name may work: half up isn't up, and it isn't down either.

    This machine's own names are the exception: a service on one loopback address is all there.
    """
    begun = asking.elsewhere if asking is not None else None
    others = [text for text in transcript.addresses if text != transcript.peer]
    try:
        ask = begun or _elsewhere(engine, check, transcript.dial, others, left_s)
        found = await asyncio.wait_for(ask, left_s)
    except TimeoutError:
        return [failed]
    failed = replace(failed, facts={**failed.facts, "other_addresses": found.outcomes})
    if found.transcript is None:
        every = ", ".join([transcript.peer, *others])
        return [replace(failed, detail=f"{failed.detail}, at all its addresses: {every}")]
    seen = observe(check, found.transcript, failed.observed_at, failed.vantage)
    if transcript.dial.host in LOOPBACK_NAMES:
        return seen
    detail = f"{failed.detail} at {transcript.peer}, and {found.working} of the same name accepts"
    return [replace(failed, outcome=Outcome.SLOW, detail=detail), *seen]


async def _elsewhere(
    engine: Engine, check: Check, dial: Dial, others: Sequence[str], timeout_s: float
) -> Elsewhere:
    """Connect to all of ``others``, and look at the first that accepts."""
    outcomes = await other_addresses(engine, dial, others, timeout_s / 2)
    working = next((text for text, outcome in outcomes.items() if outcome == Outcome.PASS), None)
    if working is None:
        return Elsewhere(outcomes)
    return Elsewhere(outcomes, working, await perform(engine, check, timeout_s / 2, host=working))


def _swap(observations: list[Observation], old: Observation, new: Observation) -> list[Observation]:
    return [new if seen is old else seen for seen in observations]
