"""A monitor that is told what it shows: everything in memory, every change by a word of the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trueup.config.configuration import Configuration
from trueup.domain.clock import timestamp
from trueup.domain.metric import Family, Reading
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.domain.states import State
from trueup.domain.target import Kind, Target
from trueup.web.shown import Document

BEGUN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def seen(
    layer: str, outcome: str = "pass", cause: str | None = None, detail: str = "", **more: Any
) -> Document:
    shown: Document = {
        "layer": layer,
        "vantage": "local",
        "outcome": outcome,
        "cause": cause,
        "detail": detail,
        "latency_ms": 1.5,
        "observed_at": timestamp(BEGUN),
        "facts": {},
    }
    return shown | more


class ScriptedMonitor:
    """Targets are up with a port and a service until ``tell`` says otherwise."""

    def __init__(self, *targets: Target, configuration: Configuration | None = None) -> None:
        self.targets: tuple[Target, ...] = targets
        self.configuration = configuration
        self._shown = {target.name: self._up(target) for target in targets}
        self._kept: list[Silence] = []
        self.incident_documents: list[Document] = []
        self.planned: list[Document] = []
        self.beats: list[tuple[str, str, str]] = []
        self.beat_tokens = {"hb-1"}
        self.points: list[Document] = []
        self.asked_history: list[tuple[str, datetime, datetime, int]] = []
        self.looked_at: list[str] = []
        self.pictures: dict[str, bytes] = {}
        self.health: Document = {"state": "up", "problems": []}
        self.why: dict[str, Document] = {}
        self._listening: list[tuple[asyncio.Queue[Document], asyncio.AbstractEventLoop]] = []

    def _up(self, target: Target) -> Document:
        addresses = ", ".join(address.text for address in target.at)
        return {
            "name": target.name,
            "kind": target.kind.value,
            "at": addresses or None if target.kind is Kind.SERVICE else None,
            "state": "up",
            "layer": None,
            "cause": None,
            "blame": None,
            "summary": "answers as it should",
            "next": [],
            "observations": [seen("port", detail="connected"), seen("service", detail="answers")],
            "since": timestamp(BEGUN),
            "hard": True,
            "tier": target.tier,
            "incident": None,
        }

    def tell(self, name: str, state: str, **words: Any) -> None:
        """From now on ``name`` is that; who listens hears it. Of any thread."""
        self._shown[name] = self._shown[name] | {"state": state} | words
        self.say({"type": "target", **self._shown[name]})

    def say(self, event: Document) -> None:
        for queue, loop in list(self._listening):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, event)

    # ---- Shown -------------------------------------------------------------------------------------------

    def documents(self) -> list[Document]:
        return [self._shown[target.name] for target in self.targets]

    def document(self, target: Target) -> Document:
        return self._shown[target.name]

    def explained(self, target: Target) -> Document:
        nothing: Document = {"timeline": [], "rules": [], "log": None, "missing": []}
        return self.document(target) | nothing | self.why.get(target.name, {})

    def screenshot(self, name: str) -> bytes | None:
        return self.pictures.get(name)

    def hard_state(self, name: str) -> State:
        shown = self._shown.get(name)
        return State(shown["state"]) if shown is not None and shown["hard"] else State.UNKNOWN

    async def look_at(self, name: str) -> Document:
        self.looked_at.append(name)
        return self._shown[name]

    async def history(self, name: str, since: datetime, until: datetime, step_s: int) -> Document:
        self.asked_history.append((name, since, until, step_s))
        return {"target": name, "step_s": step_s, "points": self.points}

    async def incidents(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        target: str | None = None,
        is_open: bool | None = None,
        since: datetime | None = None,
    ) -> list[Document]:
        found = [
            one
            for one in sorted(self.incident_documents, key=lambda one: -one["id"])
            if (before_id is None or one["id"] < before_id)
            and target in (None, one["target"])
            and is_open in (None, one["closed_at"] is None)
            and (since is None or one["closed_at"] is None or one["closed_at"] >= timestamp(since))
        ]
        return found[:limit]

    async def incident(self, incident_id: int) -> Document | None:
        return next((one for one in self.incident_documents if one["id"] == incident_id), None)

    async def acknowledge(self, incident_id: int, by: str, note: str) -> Document | None:
        found = await self.incident(incident_id)
        if found is not None:
            found["acknowledged_by"] = by
            words = f"{by} acknowledges it" + (f": {note}" if note else "")
            found["timeline"].append({"at": timestamp(datetime.now(UTC)), "what": words})
        return found

    async def add_note(self, incident_id: int, by: str, text: str) -> Document | None:
        found = await self.incident(incident_id)
        if found is not None:
            found["timeline"].append({"at": timestamp(datetime.now(UTC)), "what": f"{by}: {text}"})
        return found

    def silences(self) -> list[Silence]:
        return list(self._kept)

    async def add_silence(
        self,
        targets: tuple[str, ...],
        *,
        from_at: datetime,
        until_at: datetime,
        author: str,
        why: str,
        planned: bool,
    ) -> Silence:
        number = len(self._kept) + 1
        made = Silence(number, Selector(targets), from_at, until_at, author, why, planned)
        self._kept.append(made)
        return made

    async def end_silence(self, silence_id: int, by: str) -> bool:
        before = len(self._kept)
        self._kept = [one for one in self._kept if one.id != silence_id]
        return len(self._kept) < before

    def maintenance(self) -> list[Document]:
        said = [
            {
                "id": one.id,
                "targets": list(one.targets.words),
                "from": timestamp(one.from_at),
                "until": timestamp(one.until_at),
                "author": one.author,
                "note": one.why,
            }
            for one in self._kept
            if one.planned
        ]
        return [*self.planned, *said]

    async def beat(self, token: str, kind: str, body: str) -> bool:
        if token not in self.beat_tokens:
            return False
        self.beats.append((token, kind, body))
        return True

    def heartbeat_path(self, name: str) -> str | None:
        awaited = any(target.name == name and target.kind is Kind.HEARTBEAT for target in self.targets)
        return f"/api/v1/heartbeats/{min(self.beat_tokens)}" if awaited else None

    async def subscribe(self) -> AsyncIterator[Document]:
        place = (asyncio.Queue[Document](), asyncio.get_running_loop())
        self._listening.append(place)
        try:
            while True:
                yield await place[0].get()
        finally:
            self._listening.remove(place)

    @property
    def listeners(self) -> int:
        return len(self._listening)

    def own_health(self) -> Document:
        return self.health

    def metrics(self) -> Iterable[Family]:
        readings = tuple(
            Reading(1.0 if one["state"] in ("up", "degraded") else 0.0, {"target": one["name"]})
            for one in self.documents()
            if one["state"] != "unknown"
        )
        return [Family("trueup_up", "gauge", "Whether a target is up", readings)]


def incident(number: int, target: str, **words: Any) -> Document:
    """One that is open and confirmed."""
    opened_at = BEGUN + timedelta(minutes=number)
    return {
        "id": number,
        "target": target,
        "tier": 1,
        "state": "down",
        "layer": "port",
        "cause": "refused",
        "blame": target,
        "summary": "nothing listens there",
        "next": [],
        "opened_at": timestamp(opened_at),
        "confirmed_at": timestamp(opened_at + timedelta(seconds=30)),
        "closed_at": None,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "held_by": None,
        "timeline": [{"at": timestamp(opened_at), "what": "local: port fail (refused)"}],
        "notifications": [],
    } | words


def plain(*states: str) -> ScriptedMonitor:
    """Targets t0, t1, … in these states."""
    made = ScriptedMonitor(*(Target(f"t{number}") for number in range(len(states))))
    for number, state in enumerate(states):
        if state != "up":
            made.tell(f"t{number}", state, blame=f"t{number}")
    return made


def named(names: Sequence[str], **words: Any) -> tuple[Target, ...]:
    return tuple(replace(Target(name), **words) for name in names)
