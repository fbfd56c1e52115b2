"""How trueup itself is: whether it can look, keep and tell."""

import re
from datetime import datetime
from typing import Any

from trueup.alerts.outbox import Outbox
from trueup.app.keeper import Keeper
from trueup.app.lookout import Lookout, shed_words
from trueup.app.uplink import Uplink
from trueup.domain.clock import timestamp
from trueup.domain.states import State


class OwnHealth:
    """Asks each part what keeps it from its work. ``configuration`` is why a reload changed nothing."""

    def __init__(self, keeper: Keeper, outbox: Outbox, lookout: Lookout, uplink: Uplink) -> None:
        self._keeper, self._outbox, self._lookout, self._uplink = keeper, outbox, lookout, uplink
        self.configuration = ""
        self._told: list[str] = []

    def problems(self) -> list[str]:
        """Each as a sentence; none when all is well."""
        found = []
        if self._keeper.state_fails:
            why = self._keeper.state_fails
            found.append(f"The state can't be stored: {why}; watching and alerting go on from memory")
        if self._keeper.history_fails:
            found.append(f"The history can't be stored: {self._keeper.history_fails}")
        for name, door in self._outbox.health().items():
            if door.failing_since is not None:
                found.append(f"Channel {name} takes no alerts {_since(door.failing_since)}: {door.said}")
            if door.dead:
                found.append(f"Channel {name}: {door.dead} alerts were given up")
        if self.configuration:
            found.append(self.configuration)
        if self._lookout.shedding.shed:
            found.append(shed_words(self._lookout.shedding.shed).capitalize())
        elif self._lookout.shedding.is_late:
            late_s = self._lookout.shedding.late_p99_s()
            found.append(f"Looks begin late: one in a hundred by {late_s:.1f} s or more")
        if self._uplink.gone:
            found.append(f"The monitor's own uplink is gone: {self._uplink.gone}")
        return found

    def document(self) -> dict[str, Any]:
        """Its state, and the problems."""
        problems = self.problems()
        state = State.DEGRADED if problems else State.UP
        return {"state": state.value, "problems": problems}

    def news(self) -> dict[str, Any] | None:
        """The document where something began or ended since the last time; a number alone is no news."""
        told = [re.sub(r"\d", "", problem) for problem in self.problems()]
        if told == self._told:
            return None
        self._told = told
        return self.document()

    def numbers(self) -> dict[str, tuple[str, float]]:
        """For the metrics: what each says, and its value."""
        return {
            "trueup_schedule_lag_seconds": (
                "How late looks begin: 99 of 100 within the last minute by no more than this",
                self._lookout.shedding.late_p99_s(),
            ),
            "trueup_notifications_waiting": (
                "Notifications that are neither sent nor given up",
                float(self._outbox.waiting()),
            ),
            "trueup_store_works": ("1 while the state can be stored", float(not self._keeper.state_fails)),
        }


def _since(moment: datetime) -> str:
    return f"since {timestamp(moment)}"
