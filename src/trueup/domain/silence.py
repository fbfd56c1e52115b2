"""What an operator says while the monitor runs: be quiet about these, until then."""

from dataclasses import dataclass
from datetime import datetime

from trueup.domain.selector import Selector


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is alerted about ``targets`` from ``from_at`` until ``until_at``.

    ``planned`` makes it a maintenance, which people may read about on the status page.
    """

    id: int
    targets: Selector
    from_at: datetime
    until_at: datetime
    author: str
    why: str = ""
    planned: bool = False

    def covers(self, moment: datetime) -> bool:
        """Whether it holds at ``moment`` (aware)."""
        return self.from_at <= moment < self.until_at
