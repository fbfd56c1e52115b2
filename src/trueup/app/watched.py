"""What a monitor watches: a configuration that holds, or what was found on this machine."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from trueup.app.journey_looks import journey_looks
from trueup.checks.check import Check
from trueup.config.configuration import Configuration
from trueup.domain.business_hours import BusinessHours
from trueup.domain.channel import Channel
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.location import Location
from trueup.domain.observation import Observation
from trueup.domain.target import Kind, Target
from trueup.domain.tier import Tier
from trueup.engine.engine import Engine
from trueup.monitor.schedule import Planned

OtherLook = Callable[[Engine, str], Awaitable[tuple[Observation, ...]]]
"""Looks at one target from a vantage."""

_USUAL: Final = Tier()
_USUAL_HOURS: Final = BusinessHours()


@dataclass(frozen=True, slots=True)
class Watched:
    """All targets in their order, and by name their checks and policies.

    ``looks`` are by name the targets that are looked at otherwise than by checks: journeys. A target
    without either, or that isn't enabled, is shown and stays unknown. ``configuration`` is None where
    nothing was written. ``screenshots``: by journey, what a browser showed where it failed.
    """

    targets: tuple[Target, ...]
    checks: Mapping[str, Sequence[Check]]
    policies: Mapping[str, Tier]
    location: Location = field(default_factory=Location)
    looks: Mapping[str, OtherLook] = field(default_factory=dict)
    configuration: Configuration | None = None
    screenshots: MutableMapping[str, bytes] = field(default_factory=dict)

    def planned(self) -> Iterator[Planned]:
        """The place of each target in the schedule."""
        for target in self.targets:
            if self.is_looked_at(target):
                yield Planned(target.name, self.policy(target).every_s, target.tier)

    def is_looked_at(self, target: Target) -> bool:
        asked = self.checks.get(target.name) or target.name in self.looks or target.name in self.heartbeats
        return target.enabled and bool(asked)

    def policy(self, target: Target) -> Tier:
        """Its tier, with what it overrides. What a job says itself needs no second look, unless it's told."""
        policy = self.policies.get(target.name, _USUAL)
        if target.kind is Kind.HEARTBEAT and policy.confirm == self._tier(target).confirm:
            return replace(policy, confirm=replace(policy.confirm, failures=1), recover=1)
        return policy

    def _tier(self, target: Target) -> Tier:
        return self.configuration.tiers[target.tier] if self.configuration is not None else _USUAL

    @property
    def heartbeats(self) -> Mapping[str, Heartbeat]:
        """What is waited for: jobs, and what services and journeys report by themselves."""
        return self.configuration.heartbeats if self.configuration is not None else {}

    def asked_of(self, name: str) -> tuple[object, ...]:
        """Everything that a look at this target may send: where its secrets are."""
        known = self.configuration
        if known is None:
            return (self.checks.get(name),)
        return (self.checks.get(name), known.journeys.get(name), known.http.get(name))

    @property
    def channels(self) -> Mapping[str, Channel]:
        return self.configuration.channels if self.configuration is not None else {}

    @property
    def business_hours(self) -> BusinessHours:
        return self.configuration.business_hours if self.configuration is not None else _USUAL_HOURS


def watched_of(configuration: Configuration) -> Watched:
    """Everything that a configuration has targets for."""
    screenshots: dict[str, bytes] = {}
    return Watched(
        configuration.targets,
        configuration.checks,
        configuration.policies,
        configuration.location,
        journey_looks(configuration, screenshots),
        configuration,
        screenshots,
    )
