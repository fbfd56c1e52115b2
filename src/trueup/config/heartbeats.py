"""Heartbeats: jobs that report by themselves."""

from dataclasses import dataclass, fields
from datetime import UTC, tzinfo
from typing import Annotated, Final

from trueup.config.problems import Path
from trueup.config.shapes import keys_of
from trueup.config.targets import CommonKeys, Targets
from trueup.config.tiers import POLICY_KEYS
from trueup.domain.cron import Cron
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.limits import AtLeast
from trueup.domain.secret import Secret
from trueup.domain.target import Kind, Target

SECTION: Final = "heartbeats"


@dataclass(frozen=True, slots=True)
class HeartbeatKeys(CommonKeys):
    """A job.

    ``every`` so often, or at the times of ``cron`` in ``timezone``, it reports; one of the two.
    ``grace``: how late it may be; left out it's an hour, or ``every`` where that's less.
    ``token``: the last part of the URL that it reports to; left out trueup makes one.
    """

    every_s: Annotated[float, AtLeast(1)] | None = None
    cron: Cron | None = None
    grace_s: Annotated[float, AtLeast(0)] | None = None
    timezone: tzinfo = UTC
    token: Secret | None = None


_OVERRIDES: Final = frozenset(POLICY_KEYS) - set(keys_of(HeartbeatKeys))
"""``every`` is the job's period here, not that of looks."""


def read_heartbeats(targets: Targets) -> None:
    """Read the section ``heartbeats``."""
    for name, node in targets.names_in(SECTION):
        path: Path = (SECTION, name)
        written = targets.draft.tree.value(node, path)
        overrides = {}
        if isinstance(written, dict):
            overrides = {key: written.pop(key) for key in _OVERRIDES if key in written}
        keys = targets.draft.read(HeartbeatKeys, written, path, others=_OVERRIDES)
        targets.note(name, keys, overrides)
        if keys is None:
            continue
        heartbeat = Heartbeat(**{one.name: getattr(keys, one.name) for one in fields(Heartbeat)})
        targets.add(heartbeat_target(name, keys), heartbeat)


def heartbeat_target(name: str, keys: HeartbeatKeys) -> Target:
    """The target that a job is."""
    common = {one.name: getattr(keys, one.name) for one in fields(CommonKeys)}
    return Target(name, Kind.HEARTBEAT, **common)
