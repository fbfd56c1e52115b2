"""What Uptime Kuma knows, as its backup names it, whether from there or from its database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Monitor = Mapping[str, Any]
"""By the names of the backup: ``accepted_statuscodes``, ``ignoreTls``, ``basic_auth_pass``."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A way to alert; its ``config`` as the form had it."""

    id: str
    name: str
    active: bool
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A published status page: ids of monitors by the title of their group."""

    title: str
    groups: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Document:
    """All of it. ``maintenance`` has the columns of its table, and ``monitors``, a list of ids."""

    monitors: list[Monitor]
    notifications: list[Notification] = field(default_factory=list)
    maintenance: list[Mapping[str, Any]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    proxies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timezone: str = "UTC"
