"""Who hears of an event, and when. Pure: the policy asks it for each event of an incident."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from trueup.domain.alert import Alert, EventKind, Notification
from trueup.domain.business_hours import BusinessHours
from trueup.domain.channel import Channel
from trueup.domain.clock import timestamp
from trueup.domain.tier import Tier

_SILENCED: Final = frozenset({EventKind.OPENED, EventKind.CHANGED, EventKind.REMINDER, EventKind.ESCALATED})
_ACKNOWLEDGED: Final = frozenset({EventKind.REMINDER, EventKind.ESCALATED})


@dataclass(frozen=True, slots=True)
class Routed:
    """``channels`` hear of it, in the order of the configuration, and not before ``due_at``.

    ``first_opened``: those of them that haven't heard that it opened: they're told that first.
    ``held`` says why nobody, or nobody yet, hears of it; it's worth a line in the incident's timeline.
    """

    channels: tuple[str, ...]
    due_at: datetime
    first_opened: tuple[str, ...] = ()
    held: str = ""


def route(
    policy: Tier,
    channels: Mapping[str, Channel],
    event: EventKind,
    told: Collection[str],
    *,
    now: datetime,
    hours: BusinessHours,
    quiet: str = "",
    acknowledged_by: str | None = None,
    is_escalated: bool = False,
) -> Routed:
    """The channels for an event of an incident.

    ``told`` are the channels that a notification of this incident was made for, sent or not. ``quiet``
    says which silence or maintenance covers the target now, as in ``silenced by anna until …``. The end of
    an incident isn't silenced for those who heard of it, and reaches nobody else. An incident that opened
    while silenced is routed as ``opened`` again when the silence is over. ``is_escalated``: it was said at
    any hour already, and so is what follows.
    """
    names = tuple(name for name in channels if _hears(name, policy, event, told))
    if not names:
        return Routed((), now)
    if quiet and event in _SILENCED:
        return Routed((), now, held=f"not told {', '.join(names)}: {quiet}")
    if acknowledged_by is not None and event in _ACKNOWLEDGED:
        return Routed((), now, held=f"not told {', '.join(names)}: acknowledged by {acknowledged_by}")
    new = tuple(name for name in names if name not in told) if event is EventKind.ESCALATED else ()
    if policy.when == "business" and event is not EventKind.ESCALATED and not is_escalated:
        due_at = hours.opens_at(now)
        if due_at > now:
            held = f"{', '.join(names)} will be told at {timestamp(due_at)}, in business hours"
            return Routed(names, due_at, held=held)
    return Routed(names, now, new)


def _hears(name: str, policy: Tier, event: EventKind, told: Collection[str]) -> bool:
    match event:
        case EventKind.OPENED:
            return (policy.alert is None or name in policy.alert) and name not in told
        case EventKind.ESCALATED:
            wanted = policy.escalate.alert if policy.escalate is not None else ()
            return wanted is None or name in wanted
        case EventKind.TEST | EventKind.UNDELIVERED:
            return False
        case _:
            return name in told


def notifications(alert: Alert, routed: Routed, seq: int) -> tuple[Notification, ...]:
    """The outbox's rows for an event. ``seq`` is the incident's next free number; it takes two.

    Who hears of an incident first by its escalation is told that it opened, and that it's escalated: a
    program counts on hearing of each incident's beginning.
    """
    rows = []
    for name in routed.channels:
        if name in routed.first_opened:
            opened = replace(alert, id=f"{alert.id}-opened", event=EventKind.OPENED)
            rows.append(Notification(opened, name, seq, routed.due_at))
        rows.append(Notification(alert, name, seq + 1, routed.due_at))
    return tuple(rows)
