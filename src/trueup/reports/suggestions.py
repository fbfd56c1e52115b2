"""Lines for the configuration that would have made the time quieter, or shown more."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trueup.domain.duration import show_duration
from trueup.reports.coverage import Coverage, Unwatched
from trueup.reports.drift import Drift
from trueup.reports.material import Document, Material, moment
from trueup.reports.noise import Noise

_TOGETHER: Final = timedelta(minutes=2)
_TIMES_MIN: Final = 2
_SHARE_MIN: Final = 0.8
_BLIPS_MIN: Final = 5
_ALERTS_MIN: Final = 3
_EACH_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``line`` is YAML that stands below ``services:``; ``why`` is a sentence."""

    line: str
    why: str


def suggestions_of(
    material: Material, noise: Noise, drifts: list[Drift], coverage: Coverage
) -> list[Suggestion]:
    """What could be written, what shows more first."""
    taken = {target["name"] for target in material.targets}
    found = [
        *_deeper(coverage),
        *_watched(coverage, taken),
        *_needs(material),
        *_confirmed(noise),
        *_slow(drifts),
    ]
    tiers = {target["name"]: target.get("tier") for target in material.targets}
    for name, count in noise.out_of_hours.items():
        if count >= _ALERTS_MIN and tiers.get(name) != 1:
            line = f"{_key(name)}: {{when: business}}"
            found.append(Suggestion(line, f"{count} alerts out of hours: can it wait until the morning?"))
    return found


def _deeper(coverage: Coverage) -> Iterator[Suggestion]:
    for one in [one for one in coverage.port_alone if one.likely][:_EACH_MAX]:
        place = one.at.partition("://")[2] or one.at
        line = f"{_key(one.target)}: {{at: '{one.likely}://{place}'}}"
        yield Suggestion(line, f"it asks a port alone; {one.likely} would be asked whether it works")


def _watched(coverage: Coverage, taken: set[str]) -> Iterator[Suggestion]:
    """``taken`` are names that are given already; those that are given here come to it."""
    for one in [one for one in coverage.unwatched if one.speaks][:_EACH_MAX]:
        name = one.owner.removesuffix(".service") or one.speaks
        place = _place(one)
        if place is None:
            continue
        name = name if name not in taken else f"{name}-{one.port}"
        taken.add(name)
        host = "" if one.is_here else f", host: {_key(one.host)}"
        line = f"{_key(name)}: {{at: '{one.speaks}://{place}'{host}}}"
        yield Suggestion(line, f"it listens on {one.host}, and nobody watches it")


def _place(one: Unwatched) -> str | None:
    """Where it can be looked at from here; None for what only another machine reaches."""
    host = one.address
    if host in {"0.0.0.0", "::"}:
        host = "127.0.0.1" if one.is_here else one.host
    elif not one.is_here and (host.startswith("127.") or host == "::1"):
        return None
    return f"[{host}]:{one.port}" if ":" in host else f"{host}:{one.port}"


def _needs(material: Material) -> Iterator[Suggestion]:
    """Targets that fell with another again and again, and blame nobody."""
    by_target: dict[str, list[Document]] = {}
    for one in material.incidents:
        by_target.setdefault(one["target"], []).append(one)
    for name, incidents in by_target.items():
        own = [one for one in incidents if one["blame"] in (None, name)]
        for other, theirs in by_target.items():
            if other == name or any(one["blame"] == name for one in theirs):
                continue
            times = len({fall for one in own if (fall := _fall_before(one, theirs))})
            if times >= _TIMES_MIN and times >= _SHARE_MIN * len(own):
                why = f"it fell with or right after {other} {times} times of {len(own)}"
                yield Suggestion(f"{_key(name)}: {{needs: [{_key(other)}]}}", why)


def _fall_before(incident: Document, others: list[Document]) -> datetime | None:
    """When the last of the others fell, shortly before this: what flaps may follow one fall many times."""
    at = moment(incident["opened_at"])
    starts = [start for one in others if (start := moment(one["opened_at"])) is not None]
    return max((s for s in starts if at is not None and timedelta() < at - s <= _TOGETHER), default=None)


def _confirmed(noise: Noise) -> Iterator[Suggestion]:
    flapping = {one.target for one in noise.flapping}
    for one in noise.flapping[:_EACH_MAX]:
        why = f"it came and went {one.incidents} times"
        yield Suggestion(f"{_key(one.target)}: {{confirm: {{failures: 3}}, recover: 3}}", why)
    for blips in [one for one in noise.blips if one.target not in flapping][:_EACH_MAX]:
        if blips.failures >= _BLIPS_MIN:
            why = f"{blips.failures} of {blips.looks} looks failed unconfirmed: look closer"
            yield Suggestion(f"{_key(blips.target)}: {{every: 30s}}", why)


def _slow(drifts: list[Drift]) -> Iterator[Suggestion]:
    seen: set[str] = set()
    for drift in drifts:
        if drift.target not in seen and len(seen) < _EACH_MAX:
            seen.add(drift.target)
            limit = show_duration(max(1, round(drift.worst_ms * 2)) / 1000)
            why = f"its {drift.layer} layer went from {drift.before_ms:.1f} to {drift.after_ms:.1f} ms"
            yield Suggestion(f"{_key(drift.target)}: {{slow: {limit}}}", why)


def _key(name: str) -> str:
    """A name as a key of YAML."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    return name if plain.isalnum() and not plain[0].isdigit() else "'" + name.replace("'", "''") + "'"
