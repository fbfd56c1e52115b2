"""Jobs that report by themselves: whose token it was, what the last report said, and when the next is missed.

Moments are kept by the wall clock, for they outlive the process. While it lives, the time that has passed is
taken from the monotonic clock: setting the wall clock makes no report late.
"""

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from trueup.domain.clock import Clock
from trueup.domain.heartbeat import Heartbeat
from trueup.domain.observation import Observation
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.monitor.heartbeats import AWAITED, START, Reported, judged
from trueup.store.state import Beat

SAID_CHARS: Final = 200
_TOKEN_BYTES: Final = 18
_LOG: Final = logging.getLogger("trueup")


def token_of(name: str, heartbeat: Heartbeat, key: bytes) -> str:
    """The last part of the address that a job reports to: the configured one, else one made of ``key``."""
    if heartbeat.token is not None:
        return heartbeat.token.reveal()
    made = hmac.digest(key, f"heartbeat {name}".encode(), "sha256")[:_TOKEN_BYTES]
    return base64.urlsafe_b64encode(made).decode()


def address_of(name: str, heartbeat: Heartbeat, key: bytes) -> str:
    """The path that a job reports to. It's the job's right to report: not for everybody's eyes."""
    return f"/api/v1/heartbeats/{quote(token_of(name, heartbeat, key), safe='')}"


@dataclass(frozen=True, slots=True)
class _Heard:
    """A report, and what both clocks showed when it came, or was read from the store."""

    beat: Beat
    wall: datetime
    monotonic_s: float


class Beats:
    """Of all jobs that are watched. Everything is called on the loop, and nothing waits."""

    def __init__(self, clock: Clock, keep: Callable[[Beat], None]) -> None:
        """``keep`` is given each report, to be stored."""
        self._clock = clock
        self._keep = keep
        self._key = b""
        self._heartbeats: Mapping[str, Heartbeat] = {}
        self._heard: dict[str, _Heard] = {}
        self._excused_s: dict[str, float] = {}
        self._by_token: dict[bytes, list[str]] = {}
        self._changes_s: dict[str, float] = {}

    # ---- whose ------------------------------------------------------------------------------------------

    def recall(self, key: bytes, beats: Iterable[Beat]) -> None:
        """Go on with what the last run knew. ``key`` is what tokens are made of."""
        self._key = key
        for beat in beats:
            self._heard[beat.target] = self._now(beat)
        self.plan(self._heartbeats)

    def plan(self, heartbeats: Mapping[str, Heartbeat]) -> None:
        """Wait for these from now on. One that's new, or was away, is excused for one grace."""
        before, self._heartbeats = self._heartbeats, heartbeats
        if not self._key:
            return  # nothing is known yet of what was before
        self._by_token, self._changes_s = {}, {}
        for name, heartbeat in heartbeats.items():
            hashed = _hash_of(token_of(name, heartbeat, self._key))
            self._by_token.setdefault(hashed, []).append(name)
            if name not in before or name not in self._excused_s:
                self._excuse(name)
            if name not in self._heard:
                self._hear(Beat(name, self._clock.now(), AWAITED))
            self._look_when_it_changes(name)

    def excuse_all(self) -> None:
        """Time has passed without us: reports may have been lost."""
        for name in self._heartbeats:
            self._excuse(name)
            self._look_when_it_changes(name)

    def _excuse(self, name: str) -> None:
        self._excused_s[name] = self._clock.monotonic_s() + self._heartbeats[name].lateness_s

    def address(self, name: str) -> str | None:
        """The path that this job reports to; None where it's not waited for."""
        heartbeat = self._heartbeats.get(name)
        return address_of(name, heartbeat, self._key) if heartbeat is not None and self._key else None

    def known(self) -> list[Beat]:
        """The last report of each."""
        return [heard.beat for heard in self._heard.values()]

    # ---- a report -----------------------------------------------------------------------------------------

    def beat(self, token: str, kind: str, body: str) -> list[str]:
        """A job reports ``start``, ``success``, ``fail`` or an exit status. Its targets; none if no job's."""
        names = self._by_token.get(_hash_of(token), [])
        for name in names:
            self._hear(self._after(name, kind, body))
            _LOG.debug("%s reported %s", name, kind)
        return list(names)

    def _after(self, name: str, kind: str, body: str) -> Beat:
        now, known = self._clock.now(), self._heard[name]
        if kind == START:
            return replace(known.beat, started_at=now)
        took_s = None
        if known.beat.started_at is not None:
            passed_s = (now - known.beat.started_at).total_seconds() - self._stepped_s(known)
            took_s = round(max(0.0, passed_s), 3)
        said = next((line for line in body.splitlines() if line.strip()), "")
        return Beat(name, now, kind, printable(said.strip(), SAID_CHARS), None, took_s)

    def _hear(self, beat: Beat) -> None:
        self._heard[beat.target] = self._now(beat)
        self._keep(beat)

    def _now(self, beat: Beat) -> _Heard:
        return _Heard(beat, self._clock.now(), self._clock.monotonic_s())

    # ---- what is seen -------------------------------------------------------------------------------------

    def observation(self, name: str, vantage: str) -> Observation | None:
        """The job as it's now; None where nothing is waited for."""
        heartbeat, heard = self._heartbeats.get(name), self._heard.get(name)
        if heartbeat is None or heard is None:
            return None
        now = self._clock.now()
        excused_until = now + timedelta(seconds=self._excused_s[name] - self._clock.monotonic_s())
        found = judged(heartbeat, self._reported(heartbeat, heard, now), now, excused_until)
        self._changes_s.pop(name, None)
        if found.changes_at is not None:
            wait_s = (found.changes_at - now).total_seconds()
            self._changes_s[name] = self._clock.monotonic_s() + wait_s
        return Observation(
            Layer.FUNCTION, found.outcome, now, found.cause, found.detail, facts=found.facts, vantage=vantage
        )

    def come_due(self) -> list[str]:
        """Targets that may have changed by themselves, each once."""
        now_s = self._clock.monotonic_s()
        found = [name for name, when_s in self._changes_s.items() if when_s <= now_s]
        for name in found:
            del self._changes_s[name]
        return found

    def _look_when_it_changes(self, name: str) -> None:
        self.observation(name, "")

    def _reported(self, heartbeat: Heartbeat, heard: _Heard, now: datetime) -> Reported:
        """By today's wall clock."""
        beat = heard.beat
        stepped = timedelta(seconds=self._stepped_s(heard) if heartbeat.cron is None else 0.0)
        started_at = min(beat.started_at + stepped, now) if beat.started_at is not None else None
        at = min(beat.reported_at + stepped, now)
        return Reported(at, beat.kind, started_at, beat.took_s, beat.detail)

    def _stepped_s(self, heard: _Heard) -> float:
        """By how much the wall clock was set since, or how long the machine slept."""
        passed_s = self._clock.monotonic_s() - heard.monotonic_s
        return (self._clock.now() - heard.wall).total_seconds() - passed_s


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
