"""What disturbed people, or nearly did, for little: blips, flapping, what nobody took up, alarms at night."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from trueup.reports.material import Document, Material, moment, span

_ILL: Final = ("down", "degraded")
_FLAPPING: Final = "it comes and goes: flapping"
_OFTEN: Final = 3
"""Incidents of one target with one cause that make it a flapping one, if each was short."""
_SHORT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Blips:
    """Failures of a target that were never confirmed, of so many looks; the ``pending`` ones may yet be."""

    target: str
    failures: int
    looks: int
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Flapping:
    """A target that came and went: so many incidents, so long in all."""

    target: str
    incidents: int
    lasted: timedelta


@dataclass(frozen=True, slots=True)
class Noise:
    """``unacknowledged`` are numbers of incidents that were told and that nobody took up; ``out_of_hours``
    are alerts by target.
    """

    blips: list[Blips] = field(default_factory=list)
    flapping: list[Flapping] = field(default_factory=list)
    unacknowledged: list[int] = field(default_factory=list)
    out_of_hours: dict[str, int] = field(default_factory=dict)
    alerts: int = 0


def noise_of(material: Material) -> Noise:
    """All of it, the noisiest first."""
    told = [(one, alert) for one in material.incidents for alert in _sent(one, material)]
    out_of_hours: dict[str, int] = {}
    for one, alert in told:
        sent_at = moment(alert["sent_at"])
        if alert["event"] != "closed" and sent_at is not None and not material.hours.covers(sent_at):
            out_of_hours[one["target"]] = out_of_hours.get(one["target"], 0) + 1
    opened = {one["id"]: one for one, alert in told if alert["event"] == "opened"}
    return Noise(
        blips=sorted(_blips(material), key=lambda one: (-one.failures, one.target)),
        flapping=sorted(_flapping(material), key=lambda one: (-one.incidents, one.target)),
        unacknowledged=sorted(number for number, one in opened.items() if not one["acknowledged_by"]),
        out_of_hours=dict(sorted(out_of_hours.items(), key=lambda item: (-item[1], item[0]))),
        alerts=len(told),
    )


def _sent(incident: Document, material: Material) -> Iterator[Document]:
    for alert in incident["notifications"]:
        sent_at = moment(alert["sent_at"])
        if sent_at is not None and material.since_at <= sent_at <= material.until_at:
            yield alert


def _blips(material: Material) -> Iterator[Blips]:
    newest = {one["name"]: one for one in material.targets}
    for name, history in material.histories.items():
        doubtful_at = _doubtful_at(newest.get(name, {}))
        busy = [span(one, material) for one in material.incidents if one["target"] == name]
        step = timedelta(seconds=history["step_s"])
        failures = looks = pending = 0
        for point in history["points"]:
            counts: dict[str, Any] = point.get("counts") or {}
            looks += sum(counts.values())
            at = moment(point["at"])
            if at is None or any(start < at + step and end > at - step for start, end in busy):
                continue
            failed = sum(counts.get(state, 0) for state in _ILL)
            if doubtful_at is not None and at + step > doubtful_at:
                pending += failed
            else:
                failures += failed
        if failures or pending:
            yield Blips(name, failures, looks, pending)


def _doubtful_at(target: Document) -> datetime | None:
    """Since when a target is ill, where that is still being confirmed."""
    is_ill = target.get("state") in _ILL and not target.get("hard", True)
    return moment(target.get("since")) if is_ill else None


def _flapping(material: Material) -> Iterator[Flapping]:
    by_target: dict[str, list[Document]] = {}
    for one in material.incidents:
        by_target.setdefault(one["target"], []).append(one)
    for target, incidents in by_target.items():
        short = [one for one in incidents if _lasted(one, material) < _SHORT]
        said = any(line["what"] == _FLAPPING for one in incidents for line in one["timeline"])
        if said or len(short) >= _OFTEN:
            lasted = sum((_lasted(one, material) for one in incidents), timedelta())
            yield Flapping(target, len(incidents), lasted)


def _lasted(incident: Document, material: Material) -> timedelta:
    start, end = span(incident, material)
    return end - start
