"""The newest word of each machine that has an agent, and what it adds to evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trueup.app.agents_desk import Told
from trueup.diagnosis.evidence import Evidence
from trueup.diagnosis.holder import holder_of
from trueup.diagnosis.words import port_of
from trueup.domain.causes import Cause
from trueup.domain.clock import Clock
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.host.agent_report import LocalLook
from trueup.host.report import HostReport

STALE_INTERVALS: Final = 3
_AGE_MAX: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Known:
    """``taken_at`` is by our clock, as near as the agent's tells; ``until_s`` of the monotonic one."""

    report: HostReport
    looks: tuple[LocalLook, ...]
    taken_at: datetime
    until_s: float
    before: HostReport | None = None


class Reports:
    """By host; those older than a report already known are passed over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Known] = {}

    def take(self, told: Told) -> bool:
        """Keep it; whether it's the newest of its host."""
        report, last = told.told.report, self._known.get(told.host)
        age = min(max(timedelta(), told.sent_at - report.taken_at), _AGE_MAX)
        if last is not None and last.report.taken_at >= report.taken_at:
            return False
        self._known[told.host] = Known(
            report,
            told.told.looks,
            told.received_at - age,
            self._clock.monotonic_s() - age.total_seconds() + STALE_INTERVALS * told.told.every_s,
            last.report if last is not None else None,
        )
        return True

    def has_news_of(self, target: Target) -> bool:
        """Whether the last two reports of its machine differ in what keeps this target."""
        known = self._known.get(target.host or "")
        if known is None or known.before is None:
            return False
        return _keepers(target, known.report) != _keepers(target, known.before)

    def newest(self, host: str) -> Known | None:
        """The newest report of a host, if it's fresh."""
        known = self._known.get(host)
        return known if known is not None and self._clock.monotonic_s() < known.until_s else None

    def all(self) -> dict[str, Known]:
        """The last report of each host, fresh or not."""
        return dict(self._known)

    def evidence(self, target: Target, seen: Sequence[Observation]) -> Evidence:
        """What was seen from outside, with the word of the target's machine where it was taken after it.

        A machine as it was before the failure explains nothing; a silent agent makes its layer unknown.
        """
        assert target.host is not None
        known = self.newest(target.host)
        if known is None:
            return Evidence(target, (*seen, self._silent(target.host)))
        plain = Evidence(target, tuple(seen))
        failed = plain.first_broken(Outcome.FAIL)
        if failed is None:
            return plain if target.container is None else Evidence(target, tuple(seen), known.report)
        if known.taken_at < failed.observed_at:
            return plain
        return Evidence(target, (*seen, *_from_inside(target, failed, known)), known.report)

    def _silent(self, host: str) -> Observation:
        now = self._clock.now()
        last = self._known.get(host)
        since = f"since {last.taken_at:%H:%M:%S} UTC" if last is not None else "ever"
        detail = f"no report from the agent of {host} {since}"
        return Observation(
            Layer.HOST, Outcome.UNKNOWN, now, Cause.AGENT_SILENT, detail, vantage=f"agent:{host}"
        )


def _from_inside(target: Target, failed: Observation, known: Known) -> list[Observation]:
    """How the agent found the very listeners that a client of this target meets."""
    holder = holder_of(target, failed, known.report)
    places = {(one.socket.address, one.socket.port) for one in holder.met} if holder is not None else set()
    return [
        Observation(
            look.layer,
            look.outcome,
            look.observed_at,
            look.cause,
            f"on {known.report.host} itself: {look.detail}",
            look.latency_ms,
            {"peer": look.address} | ({"speaks": look.speaks} if look.speaks else {}),
            vantage=f"agent:{known.report.host}",
        )
        for look in known.looks
        if (look.address, look.port) in places
    ]


def _keepers(target: Target, report: HostReport) -> tuple[object, ...]:
    ports = {port for address in target.at if (port := port_of(address)) is not None}
    listeners = {
        (one.socket.address, one.socket.port, one.owner.pid, one.since)
        for one in report.listeners
        if one.socket.port in ports
    }
    unit = (
        report.unit(target.unit if "." in target.unit else f"{target.unit}.service") if target.unit else None
    )
    container = report.container(target.container) if target.container else None
    return (
        listeners,
        (unit.active_state, unit.sub_state, unit.main_pid) if unit is not None else None,
        (container.state, container.health, container.pid) if container is not None else None,
    )
