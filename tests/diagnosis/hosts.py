"""Machines made up for rules: a report with as much in it as the rule asks for."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from tests.host.fake_reader import NOW, container, listening, process
from tests.host.units import unit
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.finding import Finding
from trueup.diagnosis.holder import Holder, holder_of
from trueup.diagnosis.host_rules import HostRule
from trueup.diagnosis.rules import explained_by_the_host
from trueup.domain.address import parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.host.facts import Boot, Container, InterfaceAddress, Owner, Process, Unit
from trueup.host.report import HostReport, Listener
from trueup.host.traces import LogExcerpt, LogLine
from trueup.probes.registry import SCHEMES

__all__ = ["NOW", "container", "listening", "process", "unit"]

HOST: Final = "db-1"
OWN: Final = "10.0.0.5"
BOOTED_AT: Final = NOW - timedelta(days=1)
PORT_CAUSES: Final = frozenset({Cause.REFUSED, Cause.NO_ANSWER, Cause.UNREACHABLE, Cause.UNRESOLVED})
REDIS: Final = "redis-server.service"


def before(**much: float) -> datetime:
    """So long before the report was taken."""
    return NOW - timedelta(**much)


def target(at: str = "redis://127.0.0.1", **named: Any) -> Target:
    return Target("shop", at=(parse_address(at, SCHEMES),), **named)


def failed(cause: Cause = Cause.REFUSED, detail: str = "said so", **facts: Any) -> Observation:
    layer = Layer.PORT if cause in PORT_CAUSES else Layer.SERVICE
    return Observation(layer, Outcome.FAIL, before(seconds=1), cause, detail, facts=facts)


def held(
    port: int = 6379,
    address: str = "127.0.0.1",
    *,
    by: Process | None = None,
    pids: tuple[int, ...] = (),
    by_init: bool = False,
    container: str | None = None,
    **sock: Any,
) -> Listener:
    """A listener that ``by`` holds; without one, its owner may not be known."""
    pid = by.pid if by is not None else None
    place = by.place if by is not None else None
    return Listener(
        socket=listening(port, address, **sock),
        user="redis",
        owner=Owner(pid, pids or ((pid,) if pid else ()), by_init=by_init),
        process=by.name if by is not None else None,
        since=by.started_at if by is not None else None,
        unit=place.unit if place is not None else None,
        user_unit=place.user_unit if place is not None else None,
        container=container,
    )


def report(
    *units: Unit,
    listeners: tuple[Listener, ...] = (),
    processes: tuple[Process, ...] = (),
    containers: tuple[Container, ...] = (),
    **said: Any,
) -> HostReport:
    plain: dict[str, Any] = {
        "host": HOST,
        "taken_at": NOW,
        "boot": Boot("b", BOOTED_AT, BOOTED_AT),
        "addresses": (InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth0", OWN, 24)),
    }
    return HostReport(
        **(plain | said), units=units, listeners=listeners, processes=processes, containers=containers
    )


def log(of: str, *lines: str, at: datetime | None = None) -> LogExcerpt:
    """``systemd: text`` is systemd's own line, ``(shop): text`` its child's; the others are the service's."""
    moment = at or before(seconds=30)
    split = (_SOURCE.fullmatch(line) for line in lines)
    said = ((match["source"] or "shop", match["text"]) for match in split if match is not None)
    return LogExcerpt(of, tuple(LogLine(moment, text, source=source) for source, text in said))


_SOURCE = re.compile(r"(?:(?P<source>systemd|\(\w+\)): )?(?P<text>.*)", re.DOTALL)


def down_unit(name: str = REDIS, **said: Any) -> Unit:
    """Inactive, and never active since the boot."""
    plain: dict[str, Any] = {"active_state": "inactive", "sub_state": "dead", "unit_file_state": "disabled"}
    return unit(name, **(plain | said))


def failed_unit(name: str = REDIS, **said: Any) -> Unit:
    """It ran for an hour and ended with status 1 a minute ago."""
    plain: dict[str, Any] = {
        "active_state": "failed",
        "sub_state": "failed",
        "result": "exit-code",
        "exit_status": 1,
        "restarts": 0,
        "started_at": before(hours=1),
        "active_since": before(hours=1),
        "exited_at": before(minutes=1),
        "inactive_since": before(minutes=1),
    }
    return unit(name, **(plain | said))


SERVER = process(812, "redis-server", unit=REDIS)
ACTIVE = unit(REDIS, main_pid=812, active_since=before(hours=1), started_at=before(hours=1))
SYSTEMD = process(1, "systemd", unit="init.scope")


def serving(
    by: Process = SERVER, *others: Process, units: tuple[Unit, ...] = (ACTIVE,), **sock: Any
) -> HostReport:
    pids = (by.pid, *(one.pid for one in others))
    return report(*units, listeners=(held(by=by, pids=pids, **sock),), processes=(by, *others))


def asked_of(
    rule: HostRule, host: HostReport, of: Target | None = None, seen: Observation | None = None
) -> Finding | None:
    """What one rule finds by itself."""
    of, seen = of or target(), seen or failed()
    holder = holder_of(of, seen, host)
    assert holder is not None, "the place isn't on this machine"
    return rule(Evidence(of, (seen,), host), seen, holder)


def holder_in(host: HostReport, of: Target | None = None, seen: Observation | None = None) -> Holder:
    holder = holder_of(of or target(), seen or failed(), host)
    assert holder is not None
    return holder


def cause_by(host: HostReport, of: Target | None = None, seen: Observation | None = None) -> Cause | None:
    """What all rules together name; None where what is seen from outside stays."""
    found = explained_by_the_host(Evidence(of or target(), (seen or failed(),), host))
    return found.cause if found is not None else None


def without_owner(listener: Listener) -> Listener:
    """As seen by one who may not look into the process."""
    return replace(listener, owner=Owner(None), process=None, since=None, unit=None)
