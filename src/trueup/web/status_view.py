"""What the public may know: names, states, days, and words that were written for it. It's a list of what is
allowed, not of what is hidden: whatever else trueup knows has no way in here.
"""

import asyncio
import itertools
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from trueup.domain.selector import Selector
from trueup.domain.states import State, worst
from trueup.domain.status_page import StatusPage
from trueup.web.days import DAYS, Bars, bars, days, percent, uptime
from trueup.web.rendering import parsed
from trueup.web.shown import Shown

KEPT_S: Final = 10.0
INCIDENTS_SHOWN: Final = timedelta(days=14)
_INCIDENTS_MAX: Final = 500
_NOTE: Final = re.compile(r"[^:]{1,120} \(public\): (.+)", re.DOTALL)
_SAYS: Final = {
    State.UP: "Everything works",
    State.DEGRADED: "Some things don’t work as they should",
    State.DOWN: "Something is broken",
    State.UNKNOWN: "We can’t see everything at the moment",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One published target."""

    name: str
    state: State
    bars: Bars
    uptime: str


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    state: State
    items: list[Item]


@dataclass(frozen=True, slots=True)
class Note:
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An incident, as the public sees it."""

    id: int
    target: str
    state: State
    opened_at: datetime
    closed_at: datetime | None
    notes: list[Note]


@dataclass(frozen=True, slots=True)
class Work:
    """Maintenance that goes on or comes."""

    targets: list[str]
    from_at: datetime | None
    until_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class StatusView:
    title: str
    state: State
    says: str
    groups: list[Group]
    troubles: list[Trouble]
    works: list[Work]
    at: datetime


class Statuses:
    """The view, made anew when the last one is older than some seconds: strangers can't keep us busy."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._made: StatusView | None = None
        self._made_s = 0.0
        self._making = asyncio.Lock()

    async def view(self) -> StatusView:
        """As it is now, or was a moment ago."""
        async with self._making:  # who comes meanwhile waits for it, and makes none of their own
            if self._made is None or time.monotonic() - self._made_s > KEPT_S:
                self._made, self._made_s = await _view(self._shown, datetime.now(UTC)), time.monotonic()
        # The states are those of this moment.
        groups = [_now(self._shown, group) for group in self._made.groups]
        state = worst(group.state for group in groups) if groups else State.UNKNOWN
        says = _SAYS[state] if groups else "Nothing is published here yet"
        made = self._made
        return StatusView(made.title, state, says, groups, made.troubles, made.works, datetime.now(UTC))


def _now(shown: Shown, group: Group) -> Group:
    items = [Item(one.name, shown.hard_state(one.name), one.bars, one.uptime) for one in group.items]
    return Group(group.title, worst(one.state for one in items), items)


async def _view(shown: Shown, now: datetime) -> StatusView:
    configuration = shown.configuration
    page = (configuration.status_page if configuration is not None else None) or StatusPage()
    members = {title: _members(shown, page, title) for title in page.groups}
    public = set().union(*members.values()) if members else set()
    since = now - timedelta(days=DAYS)
    found = await _incidents(shown, public, since)
    incidents = [one for one in found if one["target"] in public and one["confirmed_at"] is not None]
    items = {name: await _item(shown, name, incidents, now) for name in sorted(public)}
    groups = [
        Group(title, State.UNKNOWN, [items[name] for name in names])
        for title, names in members.items()
        if names
    ]
    works = list(_works(shown, public))
    return StatusView(page.title, State.UNKNOWN, "", groups, list(_troubles(incidents, now)), works, now)


async def _incidents(shown: Shown, public: set[str], since: datetime) -> list[dict[str, Any]]:
    """The newest first. Of many, those of each target by itself: what others went through takes no room."""
    found = await shown.incidents(limit=_INCIDENTS_MAX, since=since) if public else []
    if len(found) == _INCIDENTS_MAX:
        each = [await shown.incidents(limit=_INCIDENTS_MAX, since=since, target=name) for name in public]
        found = sorted(itertools.chain(*each), key=lambda one: -int(one["id"]))
    return found


def _members(shown: Shown, page: StatusPage, title: str) -> list[str]:
    return [target.name for target in shown.targets if page.groups[title].fits(target.name, target.tags)]


async def _item(shown: Shown, name: str, incidents: Sequence[dict[str, Any]], now: datetime) -> Item:
    history = await shown.history(name, now - timedelta(days=DAYS), now, 86400)
    own = [one for one in incidents if one["target"] == name]
    found = days(history["points"], own, now)
    return Item(name, State.UNKNOWN, bars(found), percent(uptime(found)))


def _troubles(incidents: Sequence[dict[str, Any]], now: datetime) -> Iterator[Trouble]:
    for one in incidents:
        opened_at, closed_at = parsed(one["opened_at"]), parsed(one["closed_at"] or "")
        if opened_at is None or (closed_at is not None and closed_at < now - INCIDENTS_SHOWN):
            continue
        notes = list(public_notes(one["timeline"]))
        yield Trouble(one["id"], one["target"], State(one["state"]), opened_at, closed_at, notes)


def public_notes(timeline: Sequence[dict[str, Any]]) -> Iterator[Note]:
    """The lines that somebody wrote for everybody. No name goes with them."""
    for line in timeline:
        match = _NOTE.fullmatch(line["what"])
        if match is not None:
            yield Note(parsed(line["at"]), match[1])


def _works(shown: Shown, public: set[str]) -> Iterator[Work]:
    for one in shown.maintenance():
        meant = Selector(tuple(one["targets"]))
        names = [
            target.name
            for target in shown.targets
            if target.name in public and meant.fits(target.name, target.tags)
        ]
        if names and one["until"] is not None:
            yield Work(names, parsed(one["from"] or ""), parsed(one["until"]), one["note"])
