"""Who held the ports of this machine's targets when they were last well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from trueup.diagnosis.evidence import Former
from trueup.diagnosis.holder import holder_of, is_changing
from trueup.diagnosis.keeper import is_called
from trueup.diagnosis.words import port_of
from trueup.domain.observation import Observation
from trueup.domain.states import Outcome
from trueup.domain.target import Target
from trueup.host.facts import Process, ProcessState
from trueup.host.reader import Reader
from trueup.host.report import HostReport, Listener
from trueup.host.unreadable import HostUnreadable, Reason

_ENDED: Final = (ProcessState.ZOMBIE, ProcessState.DEAD)


@dataclass(frozen=True, slots=True)
class _Held:
    listener: Listener
    process: Process | None
    is_strange: bool
    """Whether it's another than the process or unit that is named, for all that is known."""


class HeldBefore:
    """By a target's name: who held its port. ``remember`` each report, ``passed`` each good look."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets: Mapping[str, Target] = {}
        self._answered: dict[str, Observation] = {}
        self._asked: dict[str, object] = {}
        """By the name of a target whose holder was looked for: the place that had answered."""
        self._well_at: dict[str, datetime] = {}
        """By the name of a target that names a process: when it last answered."""
        self._held: dict[str, _Held] = {}
        self._lost: set[str] = set()
        self._report: HostReport | None = None
        self._listeners: dict[int, list[Listener]] = {}
        self.watch(targets)

    def watch(self, targets: Mapping[str, Target]) -> None:
        """Of these from now on; of those whose addresses stay, what is known holds."""
        before, self._targets = self._targets, targets
        self._by_port: dict[int, set[str]] = {}
        self._ports = {target.name: _ports_of(target) for target in targets.values()}
        for name, ports in self._ports.items():
            for port in ports:
                self._by_port.setdefault(port, set()).add(name)
        for name, target in before.items():
            if name not in targets or targets[name].at != target.at:
                self._answered.pop(name, None)
                self._asked.pop(name, None)
                self._well_at.pop(name, None)
                self._held.pop(name, None)
                self._lost.discard(name)

    def passed(self, name: str, seen: Sequence[Observation]) -> None:
        """A look at ``name`` was good: what answered it tells the place that it went to."""
        answered = next((one for one in seen if one.outcome in (Outcome.PASS, Outcome.SLOW)), None)
        if answered is not None and name in self._targets:
            if self._targets[name].process is not None:
                self._well_at[name] = answered.observed_at
            place = _place(answered)
            if name not in self._asked or place != self._asked[name]:
                self._answered[name] = answered
                if self._report is not None:
                    self._recall(name, self._report)

    def remember(self, report: HostReport) -> set[int]:
        """Who holds the places that have answered, by a report with the listeners and addresses. Returns the
        ports that have changed hands since the report before.
        """
        is_first, before = self._report is None, self._listeners
        moved = self._report is None or self._report.addresses != report.addresses
        self._report, self._listeners = report, {}
        for listener in report.listeners:
            self._listeners.setdefault(listener.socket.port, []).append(listener)
        changed = {
            port
            for port in before.keys() | self._listeners.keys()
            if not _are_held_alike(before.get(port, ()), self._listeners.get(port, ()))
        }
        concerned = {name for port in changed for name in self._by_port.get(port, ())}
        asked_anew = self._answered.keys() if moved else self._answered.keys() - self._asked.keys()
        for name in asked_anew | (concerned & self._answered.keys()):
            self._recall(name, report)
        return set() if is_first else changed

    def _recall(self, name: str, report: HostReport) -> None:
        self._asked[name] = _place(self._answered[name])
        held = self._holder(self._targets[name], self._answered[name], report)
        self._lost.discard(name)
        if held is not None:
            self._held[name] = held
        elif name in self._held:
            self._lost.add(name)

    def holds(self, name: str) -> bool:
        """Whether it's known who holds a target's port."""
        return name in self._held and name not in self._lost

    def lost(self) -> bool:
        """Whether a port that was held isn't any more."""
        return bool(self._lost)

    def has_lost(self, name: str) -> bool:
        """Whether it was held for this target, and isn't any more."""
        return name in self._lost

    def is_strange(self, name: str) -> bool:
        """Whether another holds its port than the process or unit that is named."""
        held = self._held.get(name)
        return held is not None and held.is_strange

    def units(self) -> frozenset[str]:
        """The units of all holders."""
        return frozenset(held.listener.unit for held in self._held.values() if held.listener.unit)

    # ---- whom an event is about ---------------------------------------------------------------------------

    def at_port(self, port: int) -> set[str]:
        return set(self._by_port.get(port, ()))

    def by_process(self, process: Process) -> set[str]:
        ended = (process.pid, process.start_ticks)
        named = {
            one.name for one in self._targets.values() if one.process and is_called(process, one.process)
        }
        return named | {
            name
            for name, held in self._held.items()
            if held.process is not None and (held.process.pid, held.process.start_ticks) == ended
        }

    def by_unit(self, unit: str) -> set[str]:
        return {name for name in self._targets if self.unit_of(name) == unit}

    def by_container(self, container: str) -> set[str]:
        return {name for name in self._targets if container == self.container_of(name)}

    def unit_of(self, name: str) -> str | None:
        """The unit that a target names, else the system's unit that held its port."""
        unit = self._targets[name].unit
        if unit is not None:
            return unit if "." in unit else f"{unit}.service"
        held = self._held.get(name)
        if held is None or held.listener.unit is None or held.listener.user_unit is not None:
            return None
        return held.listener.unit if held.listener.unit.endswith(".service") else None

    def container_of(self, name: str) -> str | None:
        """The container that a target names, else the one that held its port."""
        if (named := self._targets[name].container) is not None:
            return named
        held = self._held.get(name)
        return held.listener.container if held is not None else None

    # ---- what is known after a failure --------------------------------------------------------------------

    def known_of(
        self, target: Target, failed: Observation | None, report: HostReport, reader: Reader
    ) -> tuple[Target, Former | None]:
        """The target with the unit or container that held its port, where it names none and nobody holds
        the port now; and the process that did. Where it names a process, the one that held it and has ended.
        """
        held = self._held.get(target.name)
        if held is None or failed is None or target.unit or target.container:
            return target, None
        holder = holder_of(target, failed, report)
        if holder is None or holder.met:
            return target, None
        container, unit = held.listener.container, self.unit_of(target.name)
        if target.process is not None:
            known = report.unit(unit) if unit is not None else None
            if known is not None and is_changing(known, report):
                return replace(target, unit=unit), None  # its process comes back with the unit
            return target, self._ended_of_the_name(target, held.process, reader)
        if container is not None and report.container(container) is not None:
            return replace(target, container=container), None
        if unit is not None and report.unit(unit) is not None and not held.listener.owner.by_init:
            return replace(target, unit=unit), None
        if held.process is None:
            return target, None
        return target, Former(held.process, has_ended=_has_ended(held.process, reader))

    def _ended_of_the_name(self, target: Target, process: Process | None, reader: Reader) -> Former | None:
        named = process is not None and target.process is not None and is_called(process, target.process)
        if process is None or not named or not _has_ended(process, reader):
            return None
        return Former(process, has_ended=True, well_at=self._well_at.get(target.name))

    def _holder(self, target: Target, answered: Observation, report: HostReport) -> _Held | None:
        near = tuple(one for port in self._ports[target.name] for one in self._listeners.get(port, ()))
        holder = holder_of(target, answered, replace(report, listeners=near))
        if holder is None or not holder.met:
            return None
        listener = holder.met[0]
        return _Held(
            listener, report.process(listener.owner.pid), _is_strange(target, listener, holder.holding())
        )


def _is_strange(target: Target, listener: Listener, holding: Sequence[Process]) -> bool:
    if target.unit is not None:
        return listener.unit not in (target.unit, f"{target.unit}.service")
    name = target.process
    return name is not None and bool(holding) and not any(is_called(one, name) for one in holding)


def _are_held_alike(before: Sequence[Listener], now: Sequence[Listener]) -> bool:
    return len(before) == len(now) and all(map(_is_held_alike, before, now))


def _is_held_alike(before: Listener, now: Listener) -> bool:
    """Whether they differ in nothing but how many wait."""
    return before is now or (
        before.socket.inode == now.socket.inode
        and before == replace(now, socket=before.socket, queued_since=before.queued_since)
    )


def _ports_of(target: Target) -> tuple[int, ...]:
    return tuple(sorted({port for address in target.at if (port := port_of(address)) is not None}))


def _place(answered: Observation) -> object:
    """Where it was answered: the address that was asked, and which of its name's addresses spoke."""
    return answered.at, answered.facts.get("peer")


def _has_ended(process: Process, reader: Reader) -> bool:
    """Whether this very process is gone; a zombie has ended too. What can't be read is taken for alive."""
    try:
        now = reader.process(process.pid)
    except HostUnreadable as error:
        return error.reason is Reason.ABSENT
    return now.start_ticks != process.start_ticks or now.state in _ENDED
