"""What people read of alerts, whatever carries it: for somebody who has just been woken."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from trueup.alerts.sender import Parcel
from trueup.domain.alert import Alert, EventKind
from trueup.domain.printable import printable

SENTENCE_CHARS_MAX: Final = 1000
NAMES_CHARS_MAX: Final = 2000
_AGAIN: Final = "(possible repeat: nobody saw whether an earlier attempt arrived)"


def title(parcel: Parcel) -> str:
    """One line without a line's end, whatever a target said."""
    alerts = parcel.alerts
    return _title_of_one(alerts[0], parcel) if len(alerts) == 1 else _title_of_many(alerts)


def lines(parcel: Parcel) -> list[str]:
    """The text, line by line; each is printable and needs only the medium's own escaping."""
    alerts = parcel.alerts
    told = list(_of_one(alerts[0]) if len(alerts) == 1 else _of_many(alerts))
    return [*told, *([_AGAIN] if parcel.is_repeat else [])]


def text(parcel: Parcel, chars_max: int) -> str:
    """Title and text as one, no longer than ``chars_max`` as JavaScript and Telegram count."""
    first = title(parcel)
    return _fitting([first, "", *lines(parcel)], chars_max, "utf-16-le", 2)


def body(parcel: Parcel, size_max: int, *, in_bytes: bool = False) -> str:
    """The text without its title, no longer than ``size_max`` characters, or bytes of UTF-8."""
    return _fitting(lines(parcel), size_max, *(("utf-8", 1) if in_bytes else ("utf-16-le", 2)))


def _fitting(wanted: list[str], size_max: int, encoding: str, unit_bytes: int) -> str:
    """Whole lines, and a word on how many there's no room for; a first line that's too long is cut."""

    def size(words: str) -> int:
        return len(words.encode(encoding)) // unit_bytes

    kept = wanted
    while size("\n".join(kept)) > size_max and len(kept) > 2:
        kept = kept[: -1 if kept is wanted else -2]
        kept = [*kept, f"… and {len(wanted) - len(kept)} more lines"]
    words = "\n".join(kept)
    while size(words) > size_max:
        words = words[: len(words) * size_max // (size(words) + 1)]
    return words


def _title_of_one(alert: Alert, parcel: Parcel) -> str:
    target = printable(alert.target)
    cause = f": {alert.cause}" if alert.cause else ""
    match alert.event:
        case EventKind.TEST:
            return "trueup: a test, nothing is broken"
        case EventKind.UNDELIVERED:
            return printable(f"trueup: undelivered alert about {target}")
        case EventKind.CLOSED:
            lasted = _lasted(alert)
            if parcel.begins(alert):
                return f"UP: {target} was not{f' for {lasted}' if lasted else ''}, and is again"
            return f"UP: {target} is again{f', after {lasted}' if lasted else ''}"
        case EventKind.REMINDER | EventKind.ESCALATED if not parcel.begins(alert):
            lasted = _lasted(alert)
            how = "ESCALATED, still" if alert.event is EventKind.ESCALATED else "still"
            return f"{how} {alert.state.upper()}: {target}{cause}{f', for {lasted}' if lasted else ''}"
        case _:
            return f"{alert.state.upper()}: {target}{cause}"


def _title_of_many(alerts: Sequence[Alert]) -> str:
    counted: dict[str, int] = {}
    for alert in alerts:
        counted[alert.state.value] = counted.get(alert.state.value, 0) + 1
    hosts = {alert.host for alert in alerts}
    host = hosts.pop() if len(hosts) == 1 else None
    where = f" at {printable(host)}" if host else ""
    return "trueup: " + ", ".join(f"{count} {state}" for state, count in counted.items()) + where


def _of_one(alert: Alert) -> Iterator[str]:
    yield printable(alert.summary, SENTENCE_CHARS_MAX)
    if alert.blame and alert.blame != alert.target:
        yield f"Because of: {printable(alert.blame)}"
    yield from (f"Next: {printable(step, SENTENCE_CHARS_MAX)}" for step in alert.next)
    if alert.impact:
        yield f"{'Impact was' if alert.event is EventKind.CLOSED else 'Impact'}: {_names(alert.impact)}"
    if alert.event not in (EventKind.TEST, EventKind.UNDELIVERED):
        yield _facts(alert)
    if alert.url:
        yield printable(alert.url, SENTENCE_CHARS_MAX)


def _facts(alert: Alert) -> str:
    facts = [f"incident {alert.incident}", f"tier {alert.tier}"]
    facts += [f"{alert.layer} layer"] if alert.layer else []
    facts += [f"since {_moment(alert.since)}"] if alert.since else []
    facts += [f"closed {_moment(alert.at)}"] if alert.event is EventKind.CLOSED else []
    return ", ".join(facts)


def _of_many(alerts: Sequence[Alert]) -> Iterator[str]:
    """By their root: what is broken for one reason is one line; of one machine, where several are."""
    for (state, cause, root, host), members in _by_root(alerts).items():
        reasons = [cause, f"because of {printable(root)}" if root else ""] if state != "UP" else []
        reasons += [f"at {printable(host)}"] if host else []
        why = f" ({', '.join(filter(None, reasons))})" if any(reasons) else ""
        if len(members) == 1:
            yield f"{state}{why}: {printable(members[0].target)}: {printable(members[0].summary)}"
        else:
            yield f"{state}{why}, {len(members)}: {_names([alert.target for alert in members])}"
    still = [alert for alert in alerts if alert.event is not EventKind.CLOSED]
    impact = list(dict.fromkeys(name for alert in still for name in alert.impact))
    if impact:
        yield f"Impact: {_names(impact)}"
    if url := next((alert.url for alert in alerts if alert.url), None):
        yield printable(url, SENTENCE_CHARS_MAX)


def _by_root(alerts: Sequence[Alert]) -> dict[tuple[str, str, str, str], list[Alert]]:
    """By state, cause, root, and the machine of those that aren't the only one of it."""

    def reason_of(alert: Alert) -> tuple[str, str, str]:
        root = alert.blame if alert.blame and alert.blame != alert.target else ""
        return alert.state.upper(), alert.cause or "", root

    counted = Counter((*reason_of(alert), alert.host) for alert in alerts)
    groups: dict[tuple[str, str, str, str], list[Alert]] = {}
    for alert in alerts:
        reason = reason_of(alert)
        host = alert.host if alert.host and counted[*reason, alert.host] > 1 else ""
        groups.setdefault((*reason, host), []).append(alert)
    return groups


def _names(names: Sequence[str]) -> str:
    shown = printable(", ".join(names[:100]), NAMES_CHARS_MAX)
    return f"{shown} and {len(names) - 100} more" if len(names) > 100 else shown


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _lasted(alert: Alert) -> str:
    if alert.since is None:
        return ""
    minutes = int((alert.at - alert.since).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    days, hours = divmod(minutes // 60, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes % 60} min"]
    return " ".join(part for part in parts[: 2 if days else 3] if part and part != "0 min") or "0 min"
