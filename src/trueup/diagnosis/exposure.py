"""What must not be reachable: ``internal: true``, looked at from outside, and hints from the inside."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from trueup.domain.causes import Cause
from trueup.domain.location import Location
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target

if TYPE_CHECKING:  # most looks are well, and need no machine's word
    from trueup.host.facts import Firewall
    from trueup.host.report import HostReport, Listener

HINT: Final = "bound-to-all-addresses"
_KEPT_OUT: Final = frozenset(
    {Cause.UNRESOLVED, Cause.REFUSED, Cause.NO_ANSWER, Cause.UNREACHABLE, Cause.SILENT}
)
"""Over UDP, silence is all that a closed door says."""
_ALL: Final = frozenset({"0.0.0.0", "::"})


def as_it_should_be(
    target: Target, location: Location, seen: Sequence[Observation]
) -> tuple[Observation, ...]:
    """What was seen, turned around where an internal target was looked at from outside: not to get there is
    good, and to get there is ``exposed``, whatever it then answers. What could not be asked stays unknown.
    """
    if not (target.internal and location.outside):
        return tuple(seen)
    places = dict.fromkeys(one.at for one in seen)
    return tuple(_turned(location, [one for one in seen if one.at == at]) for at in places)


def _turned(location: Location, seen: Sequence[Observation]) -> Observation:
    first = next((one for one in seen if one.outcome is not Outcome.UNKNOWN), None)
    if first is None:
        return seen[0]
    if first.outcome is Outcome.FAIL and first.cause in _KEPT_OUT:
        detail = f"not reachable from {location.name}, as it should be: {first.detail}"
        return replace(first, layer=Layer.PORT, outcome=Outcome.PASS, cause=None, detail=detail)
    answers = seen[-1].detail
    detail = f"reached from {location.name}: {answers}"
    facts = {**first.facts, "answers": answers}
    return replace(
        first, layer=Layer.PORT, outcome=Outcome.SLOW, cause=Cause.EXPOSED, detail=detail, facts=facts
    )


def hint(target: Target, seen: Sequence[Observation], report: "HostReport") -> Observation | None:
    """Of an internal target that is well: that its listener is bound to all addresses with nothing in front.

    A hint and no more: a firewall elsewhere isn't seen from here, and conditions of rules aren't judged.
    """
    from ipaddress import ip_address

    from trueup.diagnosis.holder import holder_of

    answered = next((one for one in seen if one.outcome in (Outcome.PASS, Outcome.SLOW)), None)
    if not target.internal or answered is None:
        return None
    holder = holder_of(target, answered, report)
    met = [one for one in holder.met if one.socket.address in _ALL] if holder is not None else []
    public = [one.address for one in report.addresses if not ip_address(one.address).is_loopback]
    if not met or not public or _is_filtered(met, report.firewall):
        return None
    unread = " (the firewall could not be read)" if report.firewall is None else ""
    words = f"a hint: it's bound to all addresses, and no firewall is in front of it here{unread}"
    facts = {"hint": HINT, "bound_to": sorted({one.socket.address for one in met}), "addresses": public}
    return Observation(Layer.HOST, Outcome.PASS, report.taken_at, None, words, facts=facts)


def _is_filtered(met: "Iterable[Listener]", firewall: "Firewall | None") -> bool:
    if firewall is None:
        return False
    rules = firewall.rules
    return bool(firewall.closed) or any(
        rule.may_meet(one.socket.port, one.socket.transport) for rule in rules for one in met
    )
