"""Journeys: functional checks of several steps."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from yaml.nodes import MappingNode, SequenceNode

from trueup.config.draft import Draft
from trueup.config.problems import Path
from trueup.config.shapes import keys_of
from trueup.config.steps import read_step
from trueup.config.substitution import Saved
from trueup.config.targets import CommonKeys, Targets
from trueup.config.tiers import POLICY_KEYS
from trueup.domain.address import Address
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.http_settings import HttpSettings
from trueup.domain.journey import JOURNEY_TIMEOUT_S, Journey, Step
from trueup.domain.target import Kind, Target, TlsSettings
from trueup.probes.registry import probe_for

SECTION: Final = "journeys"


@dataclass(frozen=True, slots=True)
class JourneyKeys(CommonKeys):
    """What can be said of a journey besides its ``steps``.

    ``slow``: the time over which it's degraded. ``timeout``: the deadline of all steps together; no step
    starts after it. ``http``, ``tls``: for each of its requests. ``heartbeat``: what it reports by itself.
    """

    slow_s: float | None = None
    timeout_s: float = JOURNEY_TIMEOUT_S
    http: HttpSettings | None = None
    tls: TlsSettings | None = None
    heartbeat: Heartbeat | None = None


_OWN: Final = frozenset(keys_of(JourneyKeys))


def read_journeys(targets: Targets, *, allow_commands: bool) -> None:
    """Read the section ``journeys``."""
    for name, _ in targets.names_in(SECTION):
        path: Path = (SECTION, name)
        entries = targets.draft.entries(path)
        written = {
            key: targets.draft.tree.value(value, (*path, key))
            for key, (_, value) in entries.items()
            if key != "steps"
        }
        own = {key: value for key, value in written.items() if key not in POLICY_KEYS}
        keys = targets.draft.read(JourneyKeys, own, path, others=("steps", *POLICY_KEYS))
        targets.note(name, keys, written)
        steps = _read_steps(targets.draft, path, entries, allow_commands=allow_commands)
        if keys is not None and keys.http is not None:
            _refuse_unusable(targets.draft, path, keys.http)
        if keys is not None:
            target = _target(name, keys)
            targets.add(target, keys.heartbeat)
            targets.journeys[name] = Journey(steps, keys.http, keys.tls)


def _refuse_unusable(draft: Draft, path: Path, settings: HttpSettings) -> None:
    """Note settings by which HTTP can't be spoken, as its probe finds them."""
    try:
        probe_for("http").options(Address("http", "localhost", "http://localhost"), http=settings)
    except ValueError as mistake:
        problem, _, hint = str(mistake).partition("; ")
        draft.say((*path, "http"), problem, hint)


def _read_steps(
    draft: Draft, path: Path, entries: Mapping[str, Any], *, allow_commands: bool
) -> tuple[Step, ...]:
    at = (*path, "steps")
    node = entries["steps"][1] if "steps" in entries else None
    if not isinstance(node, SequenceNode) or not node.value:
        has_keys = isinstance(node, MappingNode) and bool(node.value)
        problem = "the steps are no list" if has_keys else "it has no steps"
        draft.say(at, problem, "begin each with -" if has_keys else "write steps: and a list below it")
        return ()
    steps: list[Step] = []
    saves = [_names_saved(draft, (*at, place)) for place in range(len(node.value))]
    for place in range(len(node.value)):
        earlier = frozenset(name for names in saves[:place] for name in names)
        later = {name: step for step in range(len(saves) - 1, place - 1, -1) for name in saves[step]}
        step = read_step(draft, (*at, place), Saved(earlier, later), allow_commands=allow_commands)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _names_saved(draft: Draft, path: Path) -> tuple[str, ...]:
    """The names that a step saves, whether or not it holds."""
    node = draft.tree.find((*path, "save"))
    return tuple(draft.entries((*path, "save"))) if node[1] == (*path, "save") else ()


def _target(name: str, keys: JourneyKeys) -> Target:
    common = {one.name: getattr(keys, one.name) for one in fields(CommonKeys)}
    return Target(name, Kind.JOURNEY, slow_s=keys.slow_s, timeout_s=keys.timeout_s, **common)
