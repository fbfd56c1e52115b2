"""Listeners before and after: gone, moved, new, or otherwise than they were. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from trueup.reports.differences import Difference, Differences
from trueup.reports.snapshot import Document

EPHEMERAL: Final = range(32768, 61000)
"""Linux's own choice for who doesn't ask for a port (ip(7), ip_local_port_range)."""

_WHO: Final = ("process", "user", "unit", "container")
_Key = tuple[str, str, int]


def compare_listeners(
    before: Iterable[Document], after: Iterable[Document], differences: Differences
) -> None:
    """Those that went with a unit or container that is lost already are named with it."""
    then = {_key(one): one for one in before}
    now = {_key(one): one for one in after}
    gone = [then[key] for key in then if key not in now]
    came = [now[key] for key in now if key not in then]
    for one in list(gone):
        twin = _twin(one, came)
        if twin is not None:
            gone.remove(one)
            came.remove(twin)
            _moved(one, twin, differences)
    for one in gone:
        if not _is_any_port(one) and not _went_with_another(one, differences):
            differences.lost.append(_lost(one))
    for one in came:
        if not _is_any_port(one) and not _came_with_another(one, differences):
            words = f"{place(one)} is new: {_holder(one)}{_speaking(one)}"
            differences.new.append(Difference("listener", place(one), None, _told(one), words))
    for key in then.keys() & now.keys():
        _compare(then[key], now[key], differences)


def place(listener: Document) -> str:
    """``tcp 127.0.0.1:6379``."""
    address = str(listener["address"])
    shown = f"[{address}]" if ":" in address else address
    return f"{listener['protocol']} {shown}:{listener['port']}"


def _key(listener: Document) -> _Key:
    return str(listener["protocol"]), str(listener["address"]), int(listener["port"])


# ---- gone, come, moved ------------------------------------------------------------------------------------


def _twin(gone: Document, came: Iterable[Document]) -> Document | None:
    """The one that is the same but for its address or port: of the same program, speaking the same."""
    alike = [
        one
        for one in came
        if one["protocol"] == gone["protocol"]
        and _owner(one) == _owner(gone)
        and (one.get("speaks") or gone.get("speaks") or "") in (gone.get("speaks") or "", "")
        and (one["address"] == gone["address"] or one["port"] == gone["port"])
    ]
    same_port = [one for one in alike if one["port"] == gone["port"]]
    return next(iter(same_port or alike), None)


def _owner(listener: Document) -> tuple[str, str, str]:
    unit = str(listener.get("unit") or "")
    return (
        str(listener.get("process") or ""),
        unit if unit.endswith(".service") else "",  # scopes have another number each time
        str(listener.get("container") or ""),
    )


def _moved(before: Document, after: Document, differences: Differences) -> None:
    if _is_any_port(before) and _is_any_port(after):
        return  # it takes whatever port there is, each time anew
    words = f"{_holder(after)}{_speaking(after)} moved from {place(before)} to {place(after)}"
    differences.changed.append(Difference("listener", place(before), _told(before), _told(after), words))


def _is_any_port(listener: Document) -> bool:
    return int(listener["port"]) in EPHEMERAL and not listener.get("speaks")


def _went_with_another(listener: Document, differences: Differences) -> bool:
    for number, one in enumerate(differences.lost):
        if one.what in ("unit", "container") and one.name == listener.get(one.what):
            differences.lost[number] = replace(one, listeners=(*one.listeners, place(listener)))
            return True
    return False


def _came_with_another(listener: Document, differences: Differences) -> bool:
    for number, one in enumerate(differences.new):
        if one.what in ("unit", "container") and one.name == listener.get(one.what):
            differences.new[number] = replace(one, listeners=(*one.listeners, place(listener)))
            return True
    return False


def _lost(listener: Document) -> Difference:
    words = f"nothing listens on {place(listener)} any more: it was {_holder(listener)}{_speaking(listener)}"
    hint = f"trueup who {listener['port']}"
    return Difference("listener", place(listener), _told(listener), None, words, (hint,))


# ---- otherwise --------------------------------------------------------------------------------------------


def _compare(before: Document, after: Document, differences: Differences) -> None:
    spoke, speaks = before.get("speaks"), after.get("speaks")
    if spoke and not speaks:
        words = f"{place(after)} answered as {spoke}, and nobody can be told there now"
        hint = f"trueup check {spoke}://{place(after).split()[1]}"
        differences.worse.append(
            Difference("listener", place(after), _told(before), _told(after), words, (hint,))
        )
    elif spoke and spoke != speaks:
        words = f"{place(after)} answered as {spoke}, and answers as {speaks}"
        differences.changed.append(Difference("listener", place(after), _told(before), _told(after), words))
    changes = [
        f"{key} {_shown(before.get(key))} is {_shown(after.get(key))}"
        for key in _WHO
        if _differs(key, before, after)
    ]
    if speaks == spoke and _differs("version", before, after):
        changes.append(f"version {before['version']} is {after['version']}")
    if changes:
        words = f"{place(after)}: {', '.join(changes)} now"
        differences.changed.append(Difference("listener", place(after), _told(before), _told(after), words))


def _differs(key: str, before: Document, after: Document) -> bool:
    """What isn't known at one of the times is no difference; nor is a scope's number."""
    then, now = before.get(key), after.get(key)
    if key == "unit" and not all(str(one).endswith(".service") for one in (then, now) if one):
        return False
    if key in ("unit", "container"):
        return then != now and bool(then or now) and bool(before.get("process") and after.get("process"))
    return bool(then and now) and then != now


def _shown(value: object) -> str:
    return str(value) if value else "none"


def _holder(listener: Document) -> str:
    return str(
        listener.get("container")
        or (listener.get("unit") if str(listener.get("unit")).endswith(".service") else None)
        or listener.get("process")
        or "somebody"
    )


def _speaking(listener: Document) -> str:
    return f" ({listener['speaks']})" if listener.get("speaks") else ""


def _told(listener: Document) -> dict[str, Any]:
    keys = ("address", "port", "protocol", "speaks", "version", "process", "user", "unit", "container")
    return {key: listener.get(key) for key in keys}
