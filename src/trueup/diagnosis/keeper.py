"""Who keeps a port, or should: the unit, container and process that a host cause may speak of."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from trueup.domain.address import Address
from trueup.domain.target import Target
from trueup.host.boot_survival import starts_at_boot
from trueup.host.facts import Container, Process, ProcessState, Unit
from trueup.host.report import HostReport, Listener
from trueup.host.scripts import script_of
from trueup.host.software import SOFTWARE, Software, software_of, stands_for_others

_WEB: Final = software_of("http")
_WEB_PORTS: Final = frozenset({80, 443})
_ENDED: Final = (ProcessState.ZOMBIE, ProcessState.DEAD)


@dataclass(frozen=True, slots=True)
class Keeper:
    """What is configured, or one unmistakable match; nothing where there's none."""

    unit: Unit | None = None
    container: Container | None = None
    process: Process | None = None

    @property
    def name(self) -> str | None:
        """What tells it from others; None where nobody is known."""
        if self.container is not None:
            return self.container.id
        if self.unit is not None:
            return self.unit.name
        return str(self.process.pid) if self.process is not None else None


NOBODY: Final = Keeper()


def named_keeper(target: Target, met: Iterable[Listener], report: HostReport) -> Keeper:
    """The unit, container or process that the configuration names."""
    if target.container is not None:
        container = report.container(target.container)
        return Keeper(container=container, process=report.process(container.pid) if container else None)
    if target.unit is not None:
        unit = _unit_named(target.unit, report)
        return Keeper(unit=unit, process=report.process(unit.main_pid) if unit else None)
    called = [one for one in report.processes if target.process and is_called(one, target.process)]
    holding = [pid for one in met for pid in (one.owner.pid, *one.owner.pids)]
    process = next((one for one in called if one.pid in holding), next(iter(called), None))
    return Keeper(unit=_unit_of(process, report), process=process)


def _unit_named(name: str, report: HostReport) -> Unit | None:
    """The unit; for one that only stands for others, such as postgresql.service, the only one of those."""
    unit = report.unit(name if "." in name else f"{name}.service")
    if unit is None or not stands_for_others(unit):
        return unit
    others = [one for one in report.units if unit.name in one.wanted_by]
    return others[0] if len(others) == 1 else None


def _unit_of(process: Process | None, report: HostReport) -> Unit | None:
    """The system's own unit that a process lives in; a user's manager speaks for none of its services."""
    place = process.place if process is not None else None
    if place is None or place.unit is None or place.user_unit is not None:
        return None
    return report.unit(place.unit)


def is_called(process: Process, name: str) -> bool:
    """By its name, which the kernel cuts at 15 letters, its program's file, or the script that this runs."""
    program = (process.executable or "").rpartition("/")[2]
    names = (process.name, program, script_of(process.command or ()))
    return name in names or name[:15] == process.name


def may_run(name: str, report: HostReport) -> bool:
    """Whether a process of this name lives; a zombie doesn't.

    The boot is read from process 1: where even that is hidden from us, nobody's absence is known.
    """
    called = (one for one in report.processes if is_called(one, name))
    return report.boot is None or any(one.state not in _ENDED for one in called)


def keeper_of(listener: Listener, report: HostReport) -> Keeper:
    """Who keeps a port that is held: a container before its proxy, a service before the systemd for it."""
    if listener.container is not None:
        container = report.container(listener.container)
        return Keeper(container=container, process=report.process(container.pid) if container else None)
    unit = report.unit(listener.unit) if listener.unit and not listener.user_unit else None
    if listener.owner.by_init and (unit is None or not unit.name.endswith(".service")):
        return Keeper(unit=next(iter(activated(listener.socket.port, report)), None))
    return Keeper(unit=unit, process=report.process(listener.owner.pid))


def is_kept_by(keeper: Keeper, listener: Listener, report: HostReport) -> bool:
    """Whether a listener belongs to the keeper."""
    if keeper.container is None and keeper.unit is None:
        return keeper.process is not None and keeper.process.pid in (listener.owner.pid, *listener.owner.pids)
    names = {keeper.name, *(keeper.unit.triggers if keeper.unit else ())}
    return keeper_of(listener, report).name in names or listener.user_unit in names


def activated(port: int | None, report: HostReport) -> tuple[Unit, ...]:
    """The services for which a .socket unit holds this port, or would."""
    sockets = [unit for unit in report.units if listens_for(unit, port)]
    found = [report.unit(name) for sock in sockets for name in sock.triggers]
    return tuple(unit for unit in found if unit is not None)


def listens_for(unit: Unit, port: int | None) -> bool:
    """Whether it's a .socket unit of this port: ``127.0.0.1:80``, ``[::]:80``."""
    return port is not None and any(one.address.endswith(f":{port}") for one in unit.listens)


def likely_keeper(
    address: Address, port: int | None, elsewhere: Iterable[Listener], report: HostReport
) -> Keeper:
    """Who should keep a port that nobody holds, where only one can be meant; else nobody.

    Whoever holds it at another address, a container that publishes it, or the service of its .socket unit;
    without those, the only unit of the protocol's known names that is in use, or that is installed. A unit
    of those names that is in use and down is a second one that could be meant.
    """
    near = {keeper.name: keeper for one in elsewhere for keeper in (keeper_of(one, report),)}
    if not all(may_speak(keeper, address.scheme) for keeper in near.values()):
        return NOBODY
    for container in report.containers:
        if any(mapping.port == port for mapping in container.ports):
            near[container.id] = Keeper(container=container, process=report.process(container.pid))
    for unit in activated(port, report):
        near.setdefault(unit.name, Keeper(unit=unit, process=report.process(unit.main_pid)))
    if not near:
        only = only_unit(address, port, report)
        return Keeper(unit=only, process=report.process(only.main_pid)) if only is not None else NOBODY
    down = (unit.name for unit in _units_of(address.scheme, report) if _is_in_use(unit, report))
    rivals = {name for name in down if name not in near} - _serving(report)
    (first, *more) = near.values()
    return first if not more and not rivals else NOBODY


def only_unit(address: Address, port: int | None, report: HostReport) -> Unit | None:
    """The only unit of the protocol's known names: in use before installed.

    Anything may speak HTTP: on a port of its own, a web server is meant only if it runs, and then rules
    ask for more.
    """
    found = _units_of(address.scheme, report)
    used = [unit for unit in found if _is_in_use(unit, report)]
    unseen = any(word in gap.what for gap in report.unreadable for word in ("docker", "podman"))
    if len(used or found) != 1 or (unseen and not used):
        return None
    (unit,) = used or found
    return unit if not is_odd_web(address.scheme, port) or unit.active_state == "active" else None


def is_odd_web(scheme: str, port: int | None) -> bool:
    """HTTP at a port that isn't the Web's: no known web server is more likely there than any program."""
    return speaks_generally(scheme) and port not in _WEB_PORTS


def speaks_generally(scheme: str) -> bool:
    """Whether any program may speak it, not only software that is known by name."""
    return software_of(scheme) in (None, _WEB)


def may_speak(keeper: Keeper, scheme: str) -> bool:
    """Whether it's software of the protocol, or may be as far as names tell."""
    known = speaks(keeper, scheme)
    return known is True or (known is None and (keeper.container is not None or speaks_generally(scheme)))


def speaks(keeper: Keeper, scheme: str) -> bool | None:
    """Whether its name is that of software of the protocol: False for another's, None for nobody's."""
    unit, process = keeper.unit, keeper.process
    own = [one for one in SOFTWARE.values() if _is_of(one, unit, process)]
    wanted = software_of(scheme)
    return wanted in own if own else None


def _is_of(software: Software, unit: Unit | None, process: Process | None) -> bool:
    if unit is not None and any(fnmatchcase(unit.name, pattern) for pattern in software.units):
        return True
    return process is not None and process.name in software.processes


def _units_of(scheme: str, report: HostReport) -> list[Unit]:
    """The installed services of the protocol's known names, without those that stand for others."""
    software = software_of(scheme)
    return [
        unit
        for unit in report.units
        if software is not None
        and unit.name.endswith(".service")
        and unit.load_state in ("loaded", "masked")
        and not stands_for_others(unit)
        and _is_of(software, unit, None)
    ]


def _is_in_use(unit: Unit, report: HostReport) -> bool:
    """It runs, has run or failed since the boot, or starts at boot."""
    known = (unit.active_since, unit.inactive_since, unit.started_at, unit.exited_at)
    if unit.active_state != "inactive" or any(moment is not None for moment in known):
        return True
    return starts_at_boot(unit, {one.name: one for one in report.units}).starts is True


def _serving(report: HostReport) -> set[str]:
    """Units that are up: what they serve, they hold."""
    return {unit.name for unit in report.units if unit.active_state == "active"}
