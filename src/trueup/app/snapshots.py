"""Takes a snapshot: everything that a deployment or a reboot must leave as it was."""

import asyncio
import hashlib
import os
import socket
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from trueup.app.clock import SystemClock
from trueup.app.discovering import discover_here
from trueup.app.listening import Heard, listener_document
from trueup.app.one_look import Looked, look_once
from trueup.checks.certificate import facts_of
from trueup.checks.check import Check
from trueup.checks.look import look
from trueup.config import Configuration, load, load_text
from trueup.conversation import Conversation, Dial, ready
from trueup.discovery.doors import is_held_by_us
from trueup.discovery.found import Door, Found
from trueup.discovery.identifying import identify_doors, version_of
from trueup.domain.clock import timestamp
from trueup.domain.observation import Observation
from trueup.domain.secret import hide_in, secrets_in
from trueup.domain.states import Outcome
from trueup.domain.target import Kind, TlsSettings
from trueup.engine.engine import Engine
from trueup.host.boot_survival import starts_at_boot
from trueup.host.facts import Container, Transport, Unit
from trueup.host.reader import ThisMachine
from trueup.host.report import HostReport, Listener
from trueup.host.survey import Survey
from trueup.host.unreadable import HostUnreadable
from trueup.reports.compared_listeners import EPHEMERAL
from trueup.reports.snapshot import KIND, SCHEMA

LOOKS: Final = 3
AT_ONCE: Final = 32
_UNITS: Final = ("*.service", "*.socket", "*.timer", "*.path", "*.mount")
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_LEFT_OUT: Final = ("user@", "user-runtime-dir@", "session-")
"""Units of people who come and go."""

_GOOD: Final = (Outcome.PASS, Outcome.SLOW)


class Subject:
    """What is looked at: this machine, and the targets of a configuration.

    ``source`` is where that comes from: ``{"file": path}``, or ``{"text": configuration}`` of what discovery
    found, so that the same is looked at later.
    """

    def __init__(self, configuration: Configuration, source: Mapping[str, str]) -> None:
        self.source = source
        self._targets = configuration.targets
        self._enabled = [one for one in self._targets if one.enabled and one.kind is not Kind.HEARTBEAT]
        names = {one.name for one in self._enabled}
        self._checks = [
            check for name, checks in configuration.checks.items() if name in names for check in checks
        ]
        self._journeys = {name: one for name, one in configuration.journeys.items() if name in names}
        self._location = configuration.location
        self._secrets = tuple(secrets_in(self._checks))
        self._clock = SystemClock()

    @classmethod
    def of_file(cls, path: Path) -> "Subject":
        """Raises: ConfigurationError: it doesn't hold, or can't be read."""
        return cls(load(path, os.environ), {"file": str(path.absolute())})

    @classmethod
    def of_text(cls, text: str) -> "Subject":
        """Raises: ConfigurationError: it doesn't hold."""
        return cls(load_text(text, "the snapshot"), {"text": text})

    @classmethod
    async def of_this_machine(cls) -> "Subject":
        """Raises: HostUnreadable: this machine's sockets can't be read."""
        found = await discover_here()
        return cls.of_text(found.identified().text)  # the others are told as listeners

    async def take(self, also_units: Collection[str] = ()) -> dict[str, Any]:
        """The snapshot's document. ``also_units`` are told of whatever their state is."""
        taken_at = self._clock.now()
        reader = ThisMachine()
        try:
            survey = Survey(reader, socket.gethostname(), self._clock)
            report, units, containers, looked = await asyncio.gather(
                survey.take_listeners(),
                _units(reader, also_units),
                _containers(reader),
                look_once(
                    self._checks,
                    self._targets,
                    journeys=self._journeys,
                    location=self._location,
                ),
            )
        finally:
            reader.close()
        async with Engine() as engine:
            listeners = await self._listeners(engine, report)
            latencies = await self._latencies(engine, looked)
            certificates = await _certificates(engine, self._checks)
        gaps = [_gap(what, found) for what, found in (("systemd", units), ("containers", containers))]
        gaps += [{"what": gap.what, "why": gap.why} for gap in report.unreadable]
        if not report.listeners and report.unreadable:
            gaps.append({"what": "sockets", "why": report.unreadable[0].why})
        return {
            "schema": SCHEMA,
            "kind": KIND,
            "host": report.host,
            "taken_at": timestamp(taken_at),
            "boot": _boot(report),
            "configuration": dict(self.source),
            "listeners": listeners,
            "units": units if isinstance(units, list) else [],
            "containers": containers if isinstance(containers, list) else [],
            "certificates": certificates,
            "targets": [self._target(one, latencies) for one in looked if one.target in self._enabled],
            "unreadable": [gap for gap in gaps if gap is not None],
        }

    async def latency_again(self, names: Collection[str]) -> dict[str, float]:
        """The latencies of some targets once more, in ms."""
        async with Engine() as engine:
            checks = [check for check in self._checks if check.target.name in names]
            return await _median_latencies(engine, checks, self._location.name)

    # ---- targets ------------------------------------------------------------------------------------------

    async def _latencies(self, engine: Engine, looked: Iterable[Looked]) -> dict[str, float]:
        """Of those that answered: who is silent isn't asked again and again."""
        answered = {one.target.name for one in looked if one.verdict.state in ("up", "degraded")}
        checks = [check for check in self._checks if check.target.name in answered]
        return await _median_latencies(engine, checks, self._location.name)

    def _target(self, looked: Looked, latencies: Mapping[str, float]) -> dict[str, Any]:
        verdict = looked.verdict
        told = {
            "name": looked.target.name,
            "kind": looked.target.kind.value,
            "at": ", ".join(address.text for address in looked.target.at) or None,
            "state": verdict.state.value,
            "layer": verdict.layer.value if verdict.layer else None,
            "cause": verdict.cause.value if verdict.cause else None,
            "blame": verdict.blame,
            "summary": hide_in(verdict.summary, self._secrets),
            "next": hide_in(list(verdict.next), self._secrets),
            "version": version_of(verdict.observations),
        }
        return {**told, "latency_ms": latencies.get(looked.target.name)}

    # ---- listeners ----------------------------------------------------------------------------------------

    async def _listeners(self, engine: Engine, report: HostReport) -> list[dict[str, Any]]:
        kept = [one for one in report.listeners if _is_kept(one, report)]
        doors = [_door(one) for one in kept]
        found = {one.door: one for one in await identify_doors(engine, self._clock, doors)}
        told = [_listener(one, found.get(door)) for one, door in zip(kept, doors, strict=True)]
        return sorted(
            told, key=lambda document: (document["port"], document["protocol"], document["address"])
        )

    async def ask_again(self, listeners: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Who answers at each of these listeners of a snapshot, one after the other."""
        again = []
        async with Engine() as engine:
            for one in listeners:
                door = Door(_ANY.get(one["address"], one["address"]), one["port"])
                (found,) = await identify_doors(engine, self._clock, [door]) or (None,)
                again.append({**one, **_answering(found)})
        return again


def _door(listener: Listener) -> Door:
    sock = listener.socket
    return Door(_ANY.get(sock.address, sock.address), sock.port, sock.transport)


def _listener(listener: Listener, found: Found | None) -> dict[str, Any]:
    document = listener_document(Heard(listener, None))
    told = ("address", "port", "protocol", "process", "user", "unit", "container", "since")
    return {**{key: document[key] for key in told}, **_answering(found)}


def _answering(found: Found | None) -> dict[str, str | None]:
    if found is None:
        return {"speaks": None, "version": None}
    return {"speaks": found.scheme or None, "version": found.version}


def _is_kept(listener: Listener, report: HostReport) -> bool:
    """Not our own, nor a client's end over UDP, which is bound for a moment."""
    sock = listener.socket
    if sock.transport is Transport.UDP and sock.port in EPHEMERAL:
        return False
    return not is_held_by_us(listener, report)


# ---- what answers -----------------------------------------------------------------------------------------


async def _median_latencies(engine: Engine, checks: Sequence[Check], vantage: str) -> dict[str, float]:
    """By target, in ms: the median of a few looks, and of several addresses the longest."""
    clock = SystemClock()
    told: dict[str, list[float]] = {}
    places = asyncio.Semaphore(AT_ONCE)

    async def one(check: Check) -> None:
        async with places:
            took = [
                found
                for _ in range(LOOKS)
                if (found := _latency((await look(engine, check, clock, vantage=vantage)).observations))
            ]
        if took:
            told.setdefault(check.target.name, []).append(statistics.median(took))

    await asyncio.gather(*map(one, checks))
    return {name: round(max(medians), 3) for name, medians in told.items()}


def _latency(seen: Iterable[Observation]) -> float | None:
    """Of the deepest layer that was reached."""
    return next(
        (one.latency_ms for one in reversed([*seen]) if one.latency_ms and one.outcome in _GOOD), None
    )


def _nothing() -> Conversation:
    yield from ()
    return ready("")


async def _certificates(engine: Engine, checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Of every address that begins with TLS, as it is shown, whether anybody trusts it or not."""
    secure = [check for check in checks if check.probe is not None and _dial(check).tls is not None]
    told = await asyncio.gather(*(_certificate(engine, check) for check in secure))
    return [one for one in told if one is not None]


def _dial(check: Check) -> Dial:
    assert check.probe is not None
    return check.probe.dial(check.address, check.tls)


async def _certificate(engine: Engine, check: Check) -> dict[str, Any] | None:
    dial = _dial(check)
    settings = replace(dial.tls or TlsSettings(), verify=False)
    transcript = await engine.perform(dial._replace(tls=settings), _nothing(), check.timeout_s)
    der = transcript.tls.get("certificate")
    if not isinstance(der, bytes):
        return None
    return {"at": check.address.text, "fingerprint": hashlib.sha256(der).hexdigest(), **facts_of(der)}


# ---- the machine ------------------------------------------------------------------------------------------


def _boot(report: HostReport) -> dict[str, str] | None:
    if report.boot is None:
        return None
    return {"id": report.boot.id, "started_at": timestamp(report.boot.started_at)}


def _gap(what: str, found: object) -> dict[str, str] | None:
    if not isinstance(found, HostUnreadable):
        return None
    return {"what": what, "why": found.why if found.what == what else str(found)}


async def _units(reader: ThisMachine, also: Collection[str]) -> list[dict[str, Any]] | HostUnreadable:
    """Those that are enabled, active or failed, and ``also`` others by name."""
    try:
        names = [name for name in await reader.systemd.in_use(_UNITS) if not name.startswith(_LEFT_OUT)]
        units = await reader.units(list(dict.fromkeys([*names, *also])))
        seen = {name for unit in units for name in unit.names}
        pulling = [name for unit in units for name in (*unit.triggered_by, *unit.wanted_by)]
        units += await reader.units([name for name in dict.fromkeys(pulling) if name not in seen])
    except HostUnreadable as error:
        return error
    others = {name: unit for unit in units for name in (unit.name, *unit.names)}
    asked = {*names, *also}
    told = {
        unit.name: unit
        for unit in units
        if asked.intersection(unit.names) and (_is_told(unit) or unit.name in also)
    }
    return [_unit(told[name], others) for name in sorted(told)]


def _is_told(unit: Unit) -> bool:
    if unit.load_state != "loaded" or unit.unit_file_state == "transient":
        return False
    if unit.name.endswith(".mount") and not unit.unit_file_state:
        return False  # somebody mounted it by hand or for a container
    return unit.active_state != "inactive" or unit.unit_file_state in ("enabled", "enabled-runtime", "linked")


def _unit(unit: Unit, others: Mapping[str, Unit]) -> dict[str, Any]:
    boot = starts_at_boot(unit, others)
    return {
        "name": unit.name,
        "state": unit.active_state if unit.load_state not in ("not-found", "bad-setting") else "not-found",
        "sub_state": unit.sub_state,
        "enabled": unit.unit_file_state,
        "starts_at_boot": boot.starts,
        "why": boot.why,
        "type": unit.type,
        "result": unit.result,
        "exit_status": unit.exit_status,
        "exit_signal": unit.exit_signal,
        "condition_met": unit.condition_met,
        "triggered_by": list(unit.triggered_by),
    }


async def _containers(reader: ThisMachine) -> list[dict[str, Any]] | HostUnreadable:
    try:
        containers = await reader.containers()
    except HostUnreadable as error:
        return error
    return [_container(one) for one in sorted(containers, key=lambda one: one.name)]


def _container(container: Container) -> dict[str, Any]:
    keys = ("name", "image", "state", "health", "restart_policy")
    return {key: getattr(container, key) for key in keys}
