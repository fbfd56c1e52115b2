"""A target that is well is asked the same again, without a task: most looks of a year end so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from trueup.checks.check import Check
from trueup.checks.patience import Patience
from trueup.engine.engine import Engine
from trueup.engine.transcript import Transcript
from trueup.probes.probe import Farewell


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation that told all there is to see of a target, which was well."""

    check: Check
    transcript: Transcript


class Asked(Patience):
    """The same conversation under way once more.

    ``on_end`` gets this when it's over, with ``transcript``, unless it was given up; whoever gets it ends it.
    It has no timer of its own.
    """

    transcript: Transcript
    """Set at the end."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        known: Known,
        *,
        began_at: datetime,
        epoch: int,
        on_end: "Callable[[Asked], None]",
    ) -> None:
        check = known.check
        super().__init__(engine, check)
        self.name, self.known, self.began_at, self.epoch = name, known, began_at, epoch
        self._on_end = on_end
        probe = check.probe
        assert probe is not None
        self._talk = engine.begin(
            known.transcript.dial,
            probe.conversation(check.options),
            check.timeout_s,
            self._over,
            polite=probe.farewell is Farewell.POLITE,
        )

    def _over(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self._on_end(self)

    def give_up(self) -> None:
        """Nobody wants to know any more."""
        self.end()
        self._engine.abandon(self._talk)
