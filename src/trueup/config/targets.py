"""What services, journeys and heartbeats have in common, and where all of them are kept while read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yaml.nodes import Node

from trueup.checks.check import Check
from trueup.config.draft import Draft
from trueup.config.names import mistake_in_name
from trueup.config.nodes import place_of
from trueup.config.problems import Path, Place
from trueup.config.tiers import POLICY_KEYS, Tiers
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.http_settings import HttpSettings
from trueup.domain.journey import Journey
from trueup.domain.target import Target
from trueup.domain.tier import TIER_DEFAULT, Tier


@dataclass(frozen=True, slots=True)
class CommonKeys:
    """What can be said of any target.

    ``tier``: how much it matters. ``needs``: targets without which it can't work, the likeliest first.
    ``tags``: words for patterns such as ``tag:data``. ``description``, ``runbook``: for people; the latter
    a URL. ``enabled``: false to keep it without looking at it.
    """

    tier: int = TIER_DEFAULT
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    description: str = ""
    runbook: str | None = None
    enabled: bool = True


@dataclass(slots=True)
class Targets:
    """The targets read so far, in order; by name what belongs to each."""

    draft: Draft
    tiers: Tiers
    read: list[Target] = field(default_factory=list)
    checks: dict[str, tuple[Check, ...]] = field(default_factory=dict)
    journeys: dict[str, Journey] = field(default_factory=dict)
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)
    http: dict[str, HttpSettings] = field(default_factory=dict)
    policies: dict[str, Tier] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    """Of all that have a name, also of those that don't hold: others may need them."""
    places: dict[str, Place] = field(default_factory=dict)
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    alerts: list[Path] = field(default_factory=list)
    """Of those that say themselves whom to alert."""

    def names_in(self, section: str) -> list[tuple[str, Node]]:
        """The names in a section, each found good and new, and what is written for them."""
        good = []
        for name, (key, value) in self.draft.entries((section,)).items():
            path: Path = (section, name)
            mistake = mistake_in_name(name)
            if mistake is not None:
                self.draft.say(path, *mistake)
            elif name in self.paths:
                taken = f"it is one of the {self.paths[name][0]} at {self.places[name]}; take another"
                self.draft.say(path, "the name is taken", taken)
            else:
                self.paths[name] = path
                self.places[name] = place_of(key)
                good.append((name, value))
        return good

    def note(self, name: str, keys: CommonKeys | None, written: Mapping[str, Any]) -> None:
        """Settle the needs and the policy of a target, also of one whose ``keys`` don't hold."""
        path = self.paths[name]
        needs = keys.needs if keys is not None else written.get("needs")
        self.needs[name] = tuple(need for need in _many(needs) if isinstance(need, str))
        level = keys.tier if keys is not None else written.get("tier", TIER_DEFAULT)
        overrides: dict[str, Any] = {key: written[key] for key in POLICY_KEYS if key in written}
        if "alert" in overrides:
            self.alerts.append(path)
        if isinstance(level, int):
            self.policies[name] = self.tiers.policy(level, overrides, path)

    def add(self, target: Target, heartbeat: Heartbeat | None) -> None:
        """Keep a target that holds, and what it promises."""
        path = self.paths[target.name]
        self.read.append(target)
        if heartbeat is not None:
            self.heartbeats[target.name] = heartbeat
            self._refuse_heartbeat(heartbeat, path if path[0] == "heartbeats" else (*path, "heartbeat"))

    def _refuse_heartbeat(self, heartbeat: Heartbeat, path: Path) -> None:
        if (heartbeat.every_s is None) == (heartbeat.cron is None):
            both = heartbeat.cron is not None
            problem = "it has every: and cron:" if both else "it has neither every: nor cron:"
            self.draft.say(path, problem, "write one of them")


def _many(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)
