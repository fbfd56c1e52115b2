"""Looks until all is as it was in a snapshot, or the time is up."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from trueup.app.snapshots import Subject
from trueup.domain.states import State
from trueup.reports.compared_targets import is_slower
from trueup.reports.differences import Differences
from trueup.reports.snapshot import Document
from trueup.reports.verify import compare

AGAIN_AFTER_S: Final = 2.0
ASKED_AGAIN: Final = 2
"""A busy moment is no change."""


async def verify(
    before: Document, subject: Subject, wait_s: float, waiting: Callable[[Differences, float], None]
) -> Differences:
    """What isn't as it was in ``before``, after at most ``wait_s``; one look is made in any case. ``waiting``
    is told what is missing and for how long it will be waited.
    """
    ends_s = monotonic() + wait_s
    units = [str(unit["name"]) for unit in before["units"]]
    while True:
        after = await subject.take(units)
        await _ask_again(before, after, subject)
        differences = compare(before, after)
        left_s = ends_s - monotonic()
        if differences.state is State.UP or left_s <= 0:
            return differences
        waiting(differences, left_s)
        await asyncio.sleep(min(AGAIN_AFTER_S, left_s))


async def _ask_again(before: Document, after: dict[str, Any], subject: Subject) -> None:
    """Whoever seems to be another or slower is asked again: the best of all answers counts."""
    spoke = {_place(one): one.get("speaks") for one in before["listeners"]}
    then = {one["name"]: one for one in before["targets"]}
    for _ in range(ASKED_AGAIN):
        other = [one for one in after["listeners"] if spoke.get(_place(one)) not in (None, one["speaks"])]
        slower = [
            one for one in after["targets"] if one["name"] in then and is_slower(then[one["name"]], one)
        ]
        for one, again in zip(other, await subject.ask_again(other), strict=True):
            one.update(again)
        latencies = await subject.latency_again({one["name"] for one in slower})
        for one in slower:
            one["latency_ms"] = min(one["latency_ms"], latencies.get(one["name"], one["latency_ms"]))


def _place(listener: Document) -> tuple[str, str, int]:
    return listener["protocol"], listener["address"], listener["port"]
