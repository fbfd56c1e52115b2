"""Who answers there? Asked of a bare address, and after a failure of anyone else.

A ladder, from what costs the peer least: what it says unasked, what it says to an empty line, to an
HTTP request, to a TLS handshake, and then to each protocol in which the client speaks first.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.conversation import (
    Answer,
    Ask,
    Conversation,
    Dial,
    Quiet,
    Receive,
    Some,
    Transport,
    ready,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.target import TlsSettings
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Farewell, Probe
from trueup.probes.registry import all_probes

GREETING_S: Final = 0.15
"""How long a server that speaks first has before we speak: local ones need a millisecond."""

NO_IDENTITY: Final = frozenset({Cause.WRONG_SERVICE, Cause.CLOSES, Cause.SILENT})
_UNVERIFIED: Final = TlsSettings(verify=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: a scheme of the contract, and the first words."""

    scheme: str
    seen: bytes = b""


async def know_all() -> None:
    """Load every probe, off the loop: the first time takes longer than others may have to wait."""
    await asyncio.to_thread(all_probes)


def recognised(said: bytes) -> str | None:
    """The protocol that begins like this."""
    if not said:
        return None
    if said[0] in (0x15, 0x16) and said[1:2] == b"\x03":
        return "tls"
    return next((probe.name for probe in all_probes() if probe.recognise(said)), None)


async def identify(
    engine: Engine, dial: Dial, timeout_s: float, *, except_for: str | None = None
) -> Identity | None:
    """Who answers at ``dial``, within ``timeout_s``; None where nobody can be told.

    ``except_for`` is who it isn't, as we know already.
    """
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + timeout_s
    await know_all()
    place = Dial(dial.host, dial.port, dial.transport)
    listening = asyncio.ensure_future(_listen(engine, place, timeout_s * 0.6))
    await asyncio.wait([listening], timeout=min(GREETING_S, timeout_s / 4))
    asked = [
        asyncio.ensure_future(_get(engine, place, timeout_s * 0.5)),
        asyncio.ensure_future(_tls(engine, place, timeout_s * 0.5)),
    ]
    found = await _first([listening, *asked] if not _settled(listening) else [listening])
    if found is None and not all(task.done() for task in asked):
        found = await _first(asked)
    for task in asked:
        task.cancel()
    if found is not None and found.scheme != except_for:
        return found
    left_s = ends_s - loop.time()
    return await _ask_each(engine, place, left_s, except_for) if left_s > 0 else None


def _settled(task: "asyncio.Future[Identity | None]") -> bool:
    return task.done() and task.result() is not None


async def _first(tasks: Sequence["asyncio.Future[Identity | None]"]) -> Identity | None:
    """The first identity that any of them finds; the others are cancelled."""
    pending = set(tasks)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (found := task.result()) is not None:
                    return found
    finally:
        for task in pending:
            task.cancel()
    return None


# -- the rungs -------------------------------------------------------------------------------------


def listen_then_newline(within_s: float) -> Conversation:
    """What it says unasked, else to an empty line: line-based servers answer that with an error."""
    try:
        return _heard((yield Receive(Some(), within_s=within_s)))
    except Quiet as quiet:
        if quiet.final:
            return _heard(b"")
    return _heard((yield Ask(b"\r\n\r\n", Some())))


def get(host: str) -> Conversation:
    """A plain HTTP request: also Redis, memcached, MongoDB and AMQP give themselves away by it."""
    request = f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii", "replace")
    return _heard((yield Ask(request, Some())))


def _heard(said: bytes) -> Answer:
    return ready("", seen=said)


async def _listen(engine: Engine, place: Dial, timeout_s: float) -> Identity | None:
    transcript = await engine.perform(place, listen_then_newline(timeout_s / 2), timeout_s)
    return _named(transcript)


async def _get(engine: Engine, place: Dial, timeout_s: float) -> Identity | None:
    return _named(await engine.perform(place, get(place.host), timeout_s))


async def _tls(engine: Engine, place: Dial, timeout_s: float) -> Identity | None:
    """A handshake without verification; then who speaks behind it."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + timeout_s
    inside = Dial(place.host, place.port, place.transport, _UNVERIFIED)
    transcript = await engine.perform(inside, get(place.host), timeout_s * 0.6)
    if transcript.tls_ms is None:
        first = transcript.tls.get("first_bytes", b"")
        return Identity(name, first) if (name := recognised(first)) and name != "tls" else None
    said = transcript.heard()
    name = recognised(said)
    if name is None and (left_s := ends_s - loop.time()) > 0:
        return await _ask_each_inside(engine, place, left_s) or Identity("tls", said)
    return Identity(over_tls(name, said), said)


async def _ask_each_inside(engine: Engine, place: Dial, timeout_s: float) -> Identity | None:
    """Speak each protocol in which the client begins, and that has a scheme over TLS, inside of it."""
    inside = [
        (probe, scheme)
        for probe in all_probes()
        if probe.asks_first
        for scheme, how in probe.schemes.items()
        if how.tls
    ]
    return await _first(
        [asyncio.ensure_future(_ask(engine, probe, place, timeout_s, scheme)) for probe, scheme in inside]
    )


async def identify_behind_tls(engine: Engine, dial: Dial, timeout_s: float) -> Identity | None:
    """Who answers inside TLS at ``dial``, ``tls`` where nobody is told there; None where it isn't spoken."""
    found = await _tls(engine, Dial(dial.host, dial.port, dial.transport), timeout_s)
    return found if found is not None and (found.scheme == "tls" or _is_tls(found.scheme)) else None


def _is_tls(scheme: str) -> bool:
    return any(how.tls for probe in all_probes() for name, how in probe.schemes.items() if name == scheme)


def over_tls(name: str | None, said: bytes = b"") -> str:
    """The scheme of a protocol behind TLS: ``https`` for what's built on HTTP, ``tls`` where nothing fits."""
    for probe in all_probes():
        if probe.name == name:
            over_http = said.startswith(b"HTTP/") and not probe.asks_first
            schemes = (scheme for scheme, how in probe.schemes.items() if how.tls)
            return next(schemes, "https" if over_http else "tls")
    return "tls"


def _named(transcript: Transcript) -> Identity | None:
    said = transcript.heard()
    name = recognised(said)
    return Identity(name, said) if name else None


async def _ask_each(engine: Engine, place: Dial, timeout_s: float, except_for: str | None) -> Identity | None:
    """Speak each protocol in which the client begins, and take the first that is answered in kind."""
    if place.transport is Transport.UDP:
        return None
    probes = [probe for probe in all_probes() if probe.asks_first and probe.name != except_for]
    tasks = [asyncio.ensure_future(_ask(engine, probe, place, timeout_s)) for probe in probes]
    return await _first(tasks)


async def _ask(
    engine: Engine, probe: Probe, place: Dial, timeout_s: float, over: str | None = None
) -> Identity | None:
    """``over`` is a scheme of the probe's over TLS, where it's to be spoken inside."""
    address = bare_address(place, probe, over)
    dial = place if over is None else probe.dial(address, _UNVERIFIED)
    polite = probe.farewell is Farewell.POLITE
    conversation = probe.conversation(probe.options(address))
    transcript = await engine.perform(dial, conversation, timeout_s, polite=polite)
    return Identity(over or probe.name, transcript.heard()) if is_proven(transcript) else None


def is_proven(transcript: Transcript) -> bool:
    """Whether the peer has shown that it speaks the probe's protocol: an error in it does, too."""
    answer = transcript.answer
    return bool(transcript.marks) or (answer is not None and answer.cause not in NO_IDENTITY)


def bare_address(place: Dial, probe: Probe, scheme: str | None = None) -> Address:
    """The address at ``place`` as the probe would be given it; without TLS where no ``scheme`` is named."""
    scheme = scheme or next(name for name, how in probe.schemes.items() if not how.tls)
    shown = f"[{place.host}]" if ":" in place.host else place.host
    return Address(scheme, place.host, f"{scheme}://{shown}:{place.port}", place.port)


def probes_for_port(port: int) -> Iterable[Probe]:
    """The probes whose protocol is at home on ``port``: a guess to try first, never a verdict."""
    return (
        probe
        for probe in all_probes()
        if any(how.port == port and how.transport is Transport.TCP for how in probe.schemes.values())
    )


__all__ = [
    "Identity",
    "bare_address",
    "identify",
    "identify_behind_tls",
    "is_proven",
    "know_all",
    "over_tls",
    "probes_for_port",
    "recognised",
]
