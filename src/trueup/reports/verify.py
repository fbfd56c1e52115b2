"""Two snapshots held against each other: what is lost, changed, new, slower or worse. Pure."""

from trueup.reports.compared_listeners import compare_listeners
from trueup.reports.compared_targets import compare_certificates, compare_containers, compare_targets
from trueup.reports.compared_units import compare_units
from trueup.reports.differences import Differences
from trueup.reports.snapshot import Document, has_booted_between, was_unreadable


def compare(before: Document, after: Document) -> Differences:
    """What isn't as it was. What could be read before and can't now makes nothing lost: it's unknown."""
    differences = Differences()
    if _can_be_compared("systemd", before, after, differences):
        booted = has_booted_between(before, after)
        compare_units(before["units"], after["units"], differences, booted=booted)
    if _can_be_compared("containers", before, after, differences):
        compare_containers(before["containers"], after["containers"], differences)
    if _can_be_compared("sockets", before, after, differences):
        compare_listeners(before["listeners"], after["listeners"], differences)
    compare_targets(before["targets"], after["targets"], differences)
    compare_certificates(before["certificates"], after["certificates"], differences)
    return differences


def _can_be_compared(what: str, before: Document, after: Document, differences: Differences) -> bool:
    if was_unreadable(before, what) is not None:
        return False
    why = was_unreadable(after, what)
    if why is not None:
        differences.unknown.append(f"{what} could be read before, and can't now: {why}")
    return why is None
