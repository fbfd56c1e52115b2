"""A configuration that holds: everything that the rest of trueup needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trueup.checks.check import Check
from trueup.config.problems import Place
from trueup.domain.address import Address
from trueup.domain.business_hours import BusinessHours
from trueup.domain.channel import Channel
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.http_settings import HttpSettings
from trueup.domain.journey import Journey
from trueup.domain.location import Location
from trueup.domain.maintenance import Maintenance
from trueup.domain.monitor_settings import MonitorSettings
from trueup.domain.status_page import StatusPage
from trueup.domain.target import Target
from trueup.domain.tier import Tier

SECTIONS: Final = (
    "services",
    "journeys",
    "tiers",
    "channels",
    "heartbeats",
    "business_hours",
    "maintenance",
    "uplink",
    "location",
    "status_page",
    "monitor",
)
"""The keys of the top."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """``targets`` are services, journeys and heartbeats, each kind in the order it's written in.

    By a target's name: ``checks`` of a service, how ``http`` is spoken to it, ``journeys``, what it
    promises (``heartbeats``, also of services and journeys that have one), its ``policies`` (its tier with
    what it overrides), and its ``places`` in the files.
    """

    tiers: Mapping[int, Tier]
    targets: tuple[Target, ...] = ()
    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    http: Mapping[str, HttpSettings] = field(default_factory=dict)
    journeys: Mapping[str, Journey] = field(default_factory=dict)
    heartbeats: Mapping[str, Heartbeat] = field(default_factory=dict)
    policies: Mapping[str, Tier] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    business_hours: BusinessHours = field(default_factory=BusinessHours)
    maintenance: tuple[Maintenance, ...] = ()
    uplink: tuple[Address, ...] = ()
    location: Location = field(default_factory=Location)
    status_page: StatusPage | None = None
    monitor: MonitorSettings = field(default_factory=MonitorSettings)
