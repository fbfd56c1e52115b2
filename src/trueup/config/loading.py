"""The whole configuration, or all that is wrong with it."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trueup.config.configuration import Configuration
from trueup.config.draft import Draft
from trueup.config.files import Files, empty, files_of_text, read_files
from trueup.config.heartbeats import read_heartbeats
from trueup.config.journeys import read_journeys
from trueup.config.problems import Problems
from trueup.config.references import check_channels, check_maintenance, check_needs, check_status_page
from trueup.config.sections import (
    read_channels,
    read_location,
    read_maintenance,
    read_section,
    read_uplink,
)
from trueup.config.services import read_services
from trueup.config.targets import Targets
from trueup.config.tiers import Tiers
from trueup.domain.business_hours import BusinessHours
from trueup.domain.monitor_settings import MonitorSettings
from trueup.domain.status_page import StatusPage


def load(path: Path | None, env: Mapping[str, str]) -> Configuration:
    """The configuration of a file or a folder of files; of None, the defaults without any target.

    It reads files and nothing else of the world. It takes a moment for thousands of targets: a running
    monitor does it off its loop.

    Raises:
        ConfigurationError: with every problem, where there is any.
    """
    problems = Problems()
    with _without_collection():
        configuration, files = _load(path, env, problems)
    problems.raise_any(files)
    return configuration


def load_text(text: str, name: str) -> Configuration:
    """The configuration of a text that is in no file; ``name`` stands for one in problems.

    Raises:
        ConfigurationError: with every problem, where there is any.
    """
    problems = Problems()
    files = files_of_text(text, name, problems)
    configuration = _read(Draft(files.root, {}, problems), refer=files.whole)
    problems.raise_any(files.names)
    return configuration


def load_place(path: Path, env: Mapping[str, str]) -> MonitorSettings:
    """Where the data is: of the section ``monitor`` only ``data`` and ``store``, and defaults for the rest.

    What else is wrong doesn't matter, nor do secrets that only the monitor itself is given.

    Raises:
        ConfigurationError: these two don't hold, or the file can't be read.
    """
    problems = Problems()
    files = read_files(path, problems)
    draft = Draft(files.root, env, problems)
    found = {key: draft.value(("monitor", key)) for key in ("data", "store")}
    said = {key: one for key, one in found.items() if one is not None}
    read = draft.read(MonitorSettings, said, ("monitor",))
    problems.raise_any(files.names)
    return read or MonitorSettings()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Without garbage collection: it would look at a tree of a million nodes again and again, for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(
    path: Path | None, env: Mapping[str, str], problems: Problems
) -> tuple[Configuration, tuple[str, ...]]:
    """The tree that's made here is gone when it returns, before anything is collected again."""
    files = read_files(path, problems) if path is not None else Files(empty(""))
    return _read(Draft(files.root, env, problems), refer=files.whole), files.names


def _read(draft: Draft, *, refer: bool) -> Configuration:
    """All sections. ``refer``: names must be somebody's, which can't be known where a file wasn't read."""
    monitor = read_section(draft, "monitor", MonitorSettings) or MonitorSettings()
    hours = read_section(draft, "business_hours", BusinessHours) or BusinessHours()
    page = read_section(draft, "status_page", StatusPage)
    channels = read_channels(draft)
    targets = Targets(draft, Tiers(draft))
    read_services(targets)
    read_journeys(targets, allow_commands=monitor.allow_commands)
    read_heartbeats(targets)
    maintenance = read_maintenance(draft, hours.timezone)
    if refer:
        check_needs(targets)
        check_channels(draft, draft.entries(("channels",)), targets.alerts)
        check_maintenance(targets, maintenance)
        if page is not None:
            check_status_page(targets, page)
    return Configuration(
        tiers=targets.tiers.levels,
        targets=tuple(targets.read),
        checks=targets.checks,
        http=targets.http,
        journeys=targets.journeys,
        heartbeats=targets.heartbeats,
        policies=targets.policies,
        places={target.name: targets.places[target.name] for target in targets.read},
        channels=channels,
        business_hours=hours,
        maintenance=tuple(one for _, one in maintenance),
        uplink=read_uplink(draft),
        location=read_location(draft),
        status_page=page,
        monitor=monitor,
    )
