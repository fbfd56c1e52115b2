"""Whether a unit starts at the next boot. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trueup.host.facts import Unit

BOOT_TARGETS: Final = frozenset(
    {
        "default.target",
        "graphical.target",
        "multi-user.target",
        "basic.target",
        "sysinit.target",
        "local-fs.target",
        "remote-fs.target",
        "network.target",
        "network-online.target",
        "sockets.target",
        "timers.target",
        "paths.target",
        "getty.target",
    }
)
"""Targets that every boot into the default target reaches: bootup(7)."""

_DEPTH_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class BootStart:
    """``starts`` is None where it can't be told; ``why`` is a phrase that goes on from "the unit"."""

    starts: bool | None
    why: str


def starts_at_boot(unit: Unit, others: Mapping[str, Unit]) -> BootStart:
    """From its own file and from what pulls it in; ``others`` are the units that could be looked at."""
    return _starts(unit, others, _DEPTH_MAX)


def _starts(unit: Unit, others: Mapping[str, Unit], depth: int) -> BootStart:
    match unit.unit_file_state:
        case "masked" | "masked-runtime":
            return BootStart(False, "is masked")
        case "enabled":
            return BootStart(True, "is enabled")
        case "enabled-runtime" if not unit.wants_generated:
            return BootStart(False, "is enabled until the next boot only")
        case "" if unit.load_state != "loaded":
            return BootStart(None, "isn't installed")
        case _:
            return _pulled_in(unit, others, depth)


def _pulled_in(unit: Unit, others: Mapping[str, Unit], depth: int) -> BootStart:
    unsure = None
    for name in (*unit.triggered_by, *unit.wanted_by):
        if name in BOOT_TARGETS:
            return BootStart(True, f"is pulled in by {name}")
        other = others.get(name)
        if other is None or not depth:
            unsure = BootStart(None, f"is pulled in by {name}, which wasn't looked at")
            continue
        found = _starts(other, others, depth - 1)
        if found.starts:
            how = "started on demand by" if name in unit.triggered_by else "pulled in by"
            return BootStart(True, f"is {how} {name}, which {found.why}")
        if found.starts is None:
            unsure = found
    return unsure or BootStart(
        False, _WHY_NOT.get(unit.unit_file_state, "isn't pulled in by anything at boot")
    )


_WHY_NOT: Final = {
    "disabled": "isn't enabled",
    "linked": "isn't enabled (only its file is linked)",
    "linked-runtime": "isn't enabled (only its file is linked, until the next boot)",
    "static": "can't be enabled by itself, and nothing that starts at boot pulls it in",
    "indirect": "isn't enabled itself, and nothing that starts at boot pulls it in",
    "transient": "was made at run time, and is gone after a boot",
}
