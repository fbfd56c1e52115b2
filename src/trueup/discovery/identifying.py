"""Who answers at each door: told by what it says, not by the number of its port."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from trueup.checks.check import check_address
from trueup.checks.identify import recognised
from trueup.checks.look import look
from trueup.conversation import Ask, Conversation, Dial, ToEnd, ready
from trueup.discovery.found import Door, Found
from trueup.domain.address import Address
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.engine.engine import Engine
from trueup.host.facts import Transport

TIMEOUT_S: Final = 5.0
AT_ONCE: Final = 32
PAGE_WITHIN_S: Final = 2.0
PAGE_BYTES_MAX: Final = 256 * 1024
_VERSIONS: Final = ("version", "software", "server")
_ANSWERS: Final = (Outcome.PASS, Outcome.SLOW)

Progress = Callable[[int, int], None]
"""Called with how many have been asked, of how many."""


async def identify_doors(
    engine: Engine,
    clock: Clock,
    doors: Sequence[Door],
    *,
    timeout_s: float = TIMEOUT_S,
    progress: Progress | None = None,
) -> list[Found]:
    """Who answers at each of ``doors``, in their order. Of those over UDP only name servers are found."""
    places = asyncio.Semaphore(AT_ONCE)
    asked = 0

    async def one(door: Door) -> Found | None:
        nonlocal asked
        async with places:
            found = await _identify(engine, clock, door, timeout_s)
        asked += 1
        if progress is not None:
            progress(asked, len(doors))
        return found

    found = await asyncio.gather(*map(one, doors))
    return [one for one in found if one is not None]


async def _identify(engine: Engine, clock: Clock, door: Door, timeout_s: float) -> Found | None:
    if door.transport is Transport.UDP:
        return await _name_server(engine, clock, door)
    bare = check_address(Address("", door.host, door.place, door.port), timeout_s)
    seen = (await look(engine, bare, clock)).observations
    scheme = _speaks(seen)
    if scheme == "http":
        scheme = await _over_http(engine, door) or scheme
    if not scheme and (server := await _name_server(engine, clock, door)) is not None:
        return server
    return Found(door, scheme, version=version_of(seen))


def _speaks(seen: Iterable[Observation]) -> str:
    return next((str(one.facts["speaks"]) for one in seen if one.facts.get("speaks")), "")


async def _over_http(engine: Engine, door: Door) -> str | None:
    """What is built on HTTP, by its whole page: the first packet has the header alone."""
    transcript = await engine.perform(Dial(door.host, door.port), _page(door.host), PAGE_WITHIN_S)
    return recognised(transcript.heard())


def _page(host: str) -> Conversation:
    request = f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii", "replace")
    yield Ask(request, ToEnd(PAGE_BYTES_MAX))
    return ready("")


async def _name_server(engine: Engine, clock: Clock, door: Door) -> Found | None:
    """A name server listens for TCP too, where it says nothing; over UDP any answer shows who it is."""
    address = Address("dns", door.host, f"dns://{door.place}", door.port)
    seen = (await look(engine, check_address(address, 1.5), clock, follow_up=False)).observations
    answered = [one for one in seen if one.layer is Layer.SERVICE and one.outcome in _ANSWERS]
    return Found(door, "dns", version=version_of(answered)) if answered else None


def version_of(seen: Iterable[Observation]) -> str | None:
    """The software and version that it told, as far as it did."""
    told = (one.facts[key] for one in seen for key in _VERSIONS if isinstance(one.facts.get(key), str))
    return next((str(version)[:200] for version in told), None)
