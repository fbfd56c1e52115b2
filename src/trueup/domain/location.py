"""Where a prober looks from."""

from dataclasses import dataclass

from trueup.domain.observation import LOCAL


@dataclass(frozen=True, slots=True)
class Location:
    """``name``: this prober's vantage. ``outside``: it looks for what must not be reachable from there."""

    name: str = LOCAL
    outside: bool = False
