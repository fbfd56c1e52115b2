"""Who holds, or should hold, the place that a target is asked at: what a host cause needs to be named."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from trueup.conversation import Transport as Over
from trueup.diagnosis.keeper import NOBODY, Keeper, is_kept_by, keeper_of, likely_keeper, named_keeper
from trueup.diagnosis.words import address_of, port_of
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.target import Target
from trueup.host.dialled import met_at
from trueup.host.facts import Container, Process, ProcessState, Transport, Unit
from trueup.host.report import HostReport, Listener
from trueup.probes.registry import probe_for

NOBODY_THERE: Final = frozenset({Cause.REFUSED, Cause.NO_ANSWER, Cause.CLOSES, Cause.SILENT})
"""What is seen from outside where nobody is there, or nobody who does anything."""
STOPPED: Final = frozenset({ProcessState.STOPPED, ProcessState.TRACED})
_RESTARTED_WITHIN: Final = timedelta(seconds=2)
_CHANGING: Final = frozenset({"activating", "deactivating", "reloading", "refreshing", "maintenance"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Where on a machine a question went: an own address and a port, or a unix socket without a port."""

    peer: str
    port: int | None
    transport: Transport = Transport.TCP

    @property
    def words(self) -> str:
        """As ``port 6379``, ``UDP port 53`` or ``/run/docker.sock``."""
        if self.port is None:
            return self.peer
        return f"{'UDP ' if self.transport is Transport.UDP else ''}port {self.port}"


@dataclass(frozen=True, slots=True)
class Holder:
    """What the machine knows about the place asked.

    ``met`` are the listeners that a client of the address meets, ``elsewhere`` those of the same port at
    other addresses. ``unit``, ``container`` and ``process`` are the configured ones, else those of the
    listener met, else the only ones that can be meant. ``named`` says that they're configured.
    """

    report: HostReport
    asked: Asked
    met: tuple[Listener, ...] = ()
    elsewhere: tuple[Listener, ...] = ()
    keeper: Keeper = NOBODY
    named: bool = False

    @property
    def unit(self) -> Unit | None:
        return self.keeper.unit

    @property
    def container(self) -> Container | None:
        return self.keeper.container

    @property
    def process(self) -> Process | None:
        return self.keeper.process

    @property
    def is_changing(self) -> bool:
        """Whether it starts, stops, restarts or has a job queued: then nothing about it is final."""
        unit, container = self.unit, self.container
        if container is not None:
            checked_yet = container.state != "running" or container.health != "starting"
            return container.state in ("restarting", "removing") or not checked_yet
        return unit is not None and is_changing(unit, self.report)

    def holding(self) -> tuple[Process, ...]:
        """The processes that hold the listeners met, masters before their workers."""
        masters = [one.owner.pid for one in self.met]
        workers = [pid for one in self.met for pid in one.owner.pids]
        found = (self.report.process(pid) for pid in dict.fromkeys([*masters, *workers]) if pid)
        return tuple(process for process in found if process is not None)


def ended_just_now(container: Container, now: datetime) -> bool:
    """Whether it may be in the middle of a restart, for which an engine ends it and starts it again."""
    ended_at = container.finished_at
    return container.state == "exited" and ended_at is not None and now - ended_at < _RESTARTED_WITHIN


def is_changing(unit: Unit, report: HostReport) -> bool:
    """Whether a unit is between two states, or came to this one while the report was taken: the listeners,
    which are read first, may be those of the state before.
    """
    moved = unit.changed_at is not None and unit.changed_at >= report.taken_at
    return moved or unit.job is not None or unit.active_state in _CHANGING


def holder_of(target: Target, failed: Observation, report: HostReport) -> Holder | None:
    """The holder of the place that ``failed`` is about; None where that isn't on the report's machine."""
    address = address_of(target, failed)
    asked = _asked(address, failed) if address is not None else None
    if address is None or asked is None or not _is_here(target, asked, report):
        return None
    met: tuple[Listener, ...] = ()
    elsewhere: tuple[Listener, ...] = ()
    if asked.port is not None:
        there = [one for one in report.on_port(asked.port, asked.transport) if not _has_ended(one, report)]
        reached = report.reached_at(asked.peer, asked.port, asked.transport)
        met = tuple(one for one in reached if one in there)
        elsewhere = tuple(one for one in there if one not in met)
    holder = Holder(report, asked, met, elsewhere)
    if target.unit or target.container or target.process:
        keeper = named_keeper(target, met, report)
        return replace(holder, keeper=keeper, named=True, elsewhere=_kept(elsewhere, keeper, report))
    if met:
        return replace(holder, keeper=keeper_of(met[0], report))
    keeper = likely_keeper(address, asked.port, elsewhere, report)
    return replace(holder, keeper=keeper, elsewhere=_kept(elsewhere, keeper, report))


def _has_ended(listener: Listener, report: HostReport) -> bool:
    """Its owner was gone by the time that it was looked at, and with it the listener."""
    return listener.owner.pid is not None and report.process(listener.owner.pid) is None


def _kept(listeners: tuple[Listener, ...], keeper: Keeper, report: HostReport) -> tuple[Listener, ...]:
    return tuple(one for one in listeners if is_kept_by(keeper, one, report))


def _asked(address: Address, failed: Observation) -> Asked | None:
    """By the address; where the conversation went on to another one, by that."""
    dialled = str(failed.facts.get("dialled", ""))
    if address.socket_path is not None and not dialled:
        return Asked(address.socket_path, None)
    host, port = address.host, port_of(address)
    over = probe_for(address.scheme).schemes[address.scheme].transport if address.scheme else Over.TCP
    if dialled:
        host, _, number = dialled.rpartition(":")
        port, over = int(number), Over.TCP
    peer = str(failed.facts.get("peer", "")) or (host if _is_numeric(host) else "")
    if not peer or port is None:
        return None  # a name without an address, or nothing that has ports
    return Asked(met_at(peer), port, Transport.UDP if over is Over.UDP else Transport.TCP)


def _is_numeric(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _is_here(target: Target, asked: Asked, report: HostReport) -> bool:
    if target.host is not None:
        return target.host == report.host
    return asked.port is None or report.is_own(asked.peer)
