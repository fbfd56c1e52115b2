"""Whether a target changes too often to be said to be anything: the share of changes in its last looks."""

from itertools import pairwise
from typing import Final

RESULTS: Final = 21
"""So many of the newest results are remembered: between them are twenty chances to change."""
STARTS_ABOVE: Final = 30.0
STOPS_BELOW: Final = 25.0
_OLDEST_WEIGHS: Final = 0.8
_NEWEST_WEIGHS: Final = 1.2


def with_result(results: str, letter: str) -> str:
    """The newest results with one more. What never changes is one letter, however often it was found."""
    return results if results == letter else (results + letter)[-RESULTS:]


def share(results: str) -> float:
    """How much changes, in percent; the newest changes weigh half as much again as the oldest.

    ``results`` has a letter for each look, the oldest first. The weights are those that Icinga 2 uses.
    """
    results = results[-RESULTS:]
    if len(set(results)) < 2:
        return 0.0
    changes = RESULTS - 1
    step = (_NEWEST_WEIGHS - _OLDEST_WEIGHS) / (changes - 1)
    first = changes - (len(results) - 1)  # what was before them didn't change
    weighed = sum(
        _OLDEST_WEIGHS + step * (first + place)
        for place, (before, after) in enumerate(pairwise(results))
        if before != after
    )
    return 100.0 * weighed / changes


def is_flapping(results: str, *, was: bool) -> bool:
    """Between the two thresholds it stays what it was."""
    found = share(results)
    return found >= STOPS_BELOW if was else found > STARTS_ABOVE
