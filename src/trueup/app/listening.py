"""Who listens on this machine, and what really answers there: ``trueup who``."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.app.clock import SystemClock
from trueup.checks.bare import look_at_bare
from trueup.checks.check import check_address
from trueup.domain.address import Address
from trueup.domain.clock import timestamp
from trueup.engine.engine import Engine
from trueup.host.facts import Transport
from trueup.host.reader import ThisMachine
from trueup.host.report import Listener
from trueup.host.survey import Survey
from trueup.host.unreadable import Unreadable

SPEAKS_WITHIN_S: Final = 2.0
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Heard:
    """A listener, and the scheme of the protocol that answers there; None where nobody was told."""

    listener: Listener
    speaks: str | None


async def who_listens(
    wanted: Callable[[Listener], bool], *, ask: bool = True
) -> tuple[list[Heard], Sequence[Unreadable]]:
    """The listeners that are ``wanted``, by port and address, and what could not be read.

    ``ask`` False leaves out what answers there.
    """
    reader = ThisMachine()
    try:
        report = await Survey(reader, socket.gethostname(), SystemClock()).take_listeners()
    finally:
        reader.close()
    listeners = sorted(filter(wanted, report.listeners), key=_place)
    if not ask:
        return [Heard(one, None) for one in listeners], report.unreadable
    async with Engine() as engine:
        speaks = await asyncio.gather(*(_speaks(engine, one) for one in listeners))
    return [Heard(one, says) for one, says in zip(listeners, speaks, strict=True)], report.unreadable


def _place(listener: Listener) -> tuple[int, str, str]:
    return listener.socket.port, listener.socket.transport.value, listener.socket.address


async def _speaks(engine: Engine, listener: Listener) -> str | None:
    if listener.socket.transport is not Transport.TCP:
        return None
    host = _ANY.get(listener.socket.address, listener.socket.address)
    bare = check_address(Address("", host, "", listener.socket.port), SPEAKS_WITHIN_S)
    found = (await look_at_bare(engine, bare)).check
    return found.address.scheme if found is not None else None


def listener_document(heard: Heard) -> dict[str, Any]:
    """One element of the contract's ``listeners``."""
    listener = heard.listener
    sock = listener.socket
    return {
        "address": sock.address,
        "port": sock.port,
        "protocol": sock.transport.value,
        "speaks": heard.speaks,
        "pid": listener.owner.pid,
        "process": listener.process,
        "user": listener.user,
        "unit": listener.unit,
        "container": listener.container,
        "since": timestamp(listener.since) if listener.since else None,
        "queue": sock.queue,
        "queue_max": sock.queue_max,
    }
