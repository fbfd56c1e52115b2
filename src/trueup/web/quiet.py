"""Who is silenced or in maintenance, now or later: beside a state it says why nobody is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from trueup.domain.selector import Selector
from trueup.domain.target import Target
from trueup.web.rendering import parsed
from trueup.web.shown import Shown


@dataclass(frozen=True, slots=True)
class Quiet:
    """``says``: in maintenance, or silenced."""

    says: str
    targets: Selector
    by: str
    from_at: datetime
    until_at: datetime
    why: str

    def is_of(self, target: Target) -> bool:
        return self.targets.fits(target.name, target.tags)

    def is_on(self, now: datetime) -> bool:
        return self.from_at <= now < self.until_at


def quiets(shown: Shown) -> Iterator[Quiet]:
    """Maintenance of the configuration and of operators, then silences."""
    for one in shown.maintenance():
        from_at, until_at = parsed(one["from"] or ""), parsed(one["until"] or "")
        if from_at is not None and until_at is not None:
            targets = Selector(tuple(one["targets"]))
            yield Quiet("in maintenance", targets, one["author"], from_at, until_at, one["note"])
    for silence in shown.silences():
        if not silence.planned:
            yield Quiet(
                "silenced", silence.targets, silence.author, silence.from_at, silence.until_at, silence.why
            )
