"""A configuration for a command: loaded, or its problems said and the command ended."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from trueup.checks.check import Check
from trueup.config import Configuration, ConfigurationError, load, load_place
from trueup.diagnosis.judge import needed
from trueup.domain.journey import Journey
from trueup.domain.location import Location
from trueup.domain.monitor_settings import MonitorSettings
from trueup.domain.nearest import nearest
from trueup.domain.printable import printable
from trueup.domain.target import Kind, Target

DEFAULT: Path = Path("trueup.yaml")


class InvalidConfigurationError(click.ClickException):
    """Every problem on a line of its own, as ``FILE:LINE: PATH: problem; hint``."""

    def __init__(self, error: ConfigurationError) -> None:
        super().__init__(str(error))

    def show(self, file: object = None) -> None:
        click.echo(self.format_message(), err=True)


def load_or_say(path: Path) -> Configuration:
    """The configuration.

    Raises:
        InvalidConfigurationError: it doesn't hold, or can't be read.
    """
    with _said():
        return load(path, os.environ)


def load_place_or_say(path: Path) -> MonitorSettings:
    """Where the configuration says that the data is.

    Raises:
        InvalidConfigurationError: that doesn't hold, or can't be read.
    """
    with _said():
        return load_place(path, os.environ)


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """Raises:
    InvalidConfigurationError: instead of ``ConfigurationError``.
    """
    try:
        yield
    except ConfigurationError as error:
        raise InvalidConfigurationError(error) from error


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look at, and which of it to show.

    ``targets`` are all, in the order in which they're blamed. ``checks`` are those of what's shown and of
    what that needs, however far: without these nobody could say whose fault it is. So are ``journeys``.
    """

    targets: tuple[Target, ...]
    checks: list[Check]
    journeys: dict[str, Journey]
    shown: frozenset[str]
    location: Location


def plan_of(path: Path, names: Sequence[str], timeout_s: float | None = None) -> Plan:
    """The plan for the targets named; of none, for all that are enabled and can be looked at.

    ``timeout_s`` overrides every target's own.

    Raises:
        InvalidConfigurationError: it doesn't hold.
        click.UsageError: a name is no target's.
    """
    configuration = load_or_say(path)
    targets = configuration.targets
    known = {target.name for target in targets}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError("\n       ".join(_no_such(name, known) for name in unknown))
    shown = frozenset(names) or frozenset(target.name for target in targets if _is_looked_at(target))
    needs = {target.name: target.needs for target in targets}
    wanted = shown.union(*(needed(name, needs) for name in shown))
    checks = [
        check if timeout_s is None else replace(check, timeout_s=timeout_s)
        for target in targets
        if target.name in wanted and target.enabled
        for check in configuration.checks.get(target.name, ())
    ]
    performed = {target.name for target in targets if target.name in wanted and target.enabled}
    journeys = {name: one for name, one in configuration.journeys.items() if name in performed}
    if timeout_s is not None:
        targets = tuple(
            replace(target, timeout_s=timeout_s) if target.name in journeys else target for target in targets
        )
    return Plan(targets, checks, journeys, shown, configuration.location)


def _is_looked_at(target: Target) -> bool:
    """Heartbeats aren't: they report by themselves, to a running monitor."""
    return target.enabled and target.kind is not Kind.HEARTBEAT


def _no_such(name: str, known: set[str]) -> str:
    close = nearest(name, known)
    return f"no target {printable(name)!r}" + (f"; did you mean {close!r}?" if close else "")
