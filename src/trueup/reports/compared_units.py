"""Units before and after: which no longer run, and why; which won't start at the next boot. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from trueup.reports.differences import Difference, Differences
from trueup.reports.snapshot import Document, by_name

_RUNNING: Final = frozenset({"active", "reloading", "refreshing"})
_STARTING: Final = frozenset({"activating"})
_LASTING: Final = frozenset({"enabled", "enabled-runtime", "linked", "disabled", "masked", "generated"})
"""States of a unit file that somebody chose. A static unit comes and goes with those that want it."""


def compare_units(
    before: Iterable[Document], after: Iterable[Document], differences: Differences, *, booted: bool
) -> None:
    """``booted``: the machine was started in between."""
    then, now = by_name(before), by_name(after)
    for name, unit in then.items():
        _compare(unit, now.get(name, _absent(name)), differences, booted=booted)
    for name in now.keys() - then.keys():
        unit = now[name]
        if _is_chosen(unit) and unit["state"] in _RUNNING | _STARTING:
            words = f"{name} is new: {unit['state']}, {unit['enabled']}"
            differences.new.append(Difference("unit", name, None, _told(unit), words))
        elif unit["state"] == "failed":
            differences.worse.append(_failed(_absent(name), unit))


def _compare(before: Document, after: Document, differences: Differences, *, booted: bool) -> None:
    name = str(before["name"])
    ran = before["state"] in _RUNNING | _STARTING
    runs = after["state"] in _RUNNING
    if after["state"] == "failed":
        if before["state"] != "failed":
            (differences.lost if ran else differences.worse).append(_failed(before, after))
        return
    if ran and not runs and _is_missed(before, after):
        differences.lost.append(_lost(before, after, booted=booted))
        return
    if before.get("starts_at_boot") is True and after.get("starts_at_boot") is False:
        words = f"{name} is no longer enabled at boot: it {after.get('why')}"
        hint = f"systemctl enable {name}"
        differences.changed.append(Difference("unit", name, _told(before), _told(after), words, (hint,)))
    elif before["enabled"] != after["enabled"]:
        words = (
            f"{name} was {before['enabled'] or 'without a file'}, and is {after['enabled'] or 'without one'}"
        )
        differences.changed.append(Difference("unit", name, _told(before), _told(after), words))


def _is_missed(before: Document, after: Document) -> bool:
    """Whether it should run: not what ran once, waits to be called, or found that it has nothing to do."""
    if after["state"] in _STARTING:
        return before["state"] in _RUNNING  # it isn't there yet
    if before["state"] in _STARTING or after.get("condition_met") is False:
        return False
    called = bool(after.get("triggered_by") or before.get("triggered_by")) or before.get("type") == "dbus"
    return not (called and after.get("result") in ("success", "")) and _is_chosen(before)


def _is_chosen(unit: Document) -> bool:
    return unit["enabled"] in _LASTING


def _lost(before: Document, after: Document, *, booted: bool) -> Difference:
    name = str(before["name"])
    words, hints = _why(name, after, booted=booted)
    return Difference("unit", name, _told(before), _told(after), words, hints)


def _why(name: str, after: Document, *, booted: bool) -> tuple[str, tuple[str, ...]]:
    if after["state"] == "not-found":
        return f"{name} is not installed any more", (f"systemctl cat {name}",)
    if after["state"] in _STARTING:
        if after.get("sub_state") == "auto-restart":
            return f"{name} keeps ending and being started again", (f"journalctl -u {name} -b",)
        return f"{name} is still starting", (f"systemctl status {name}",)
    if after["enabled"].startswith("masked"):
        return f"{name} is not running: it is masked", (f"systemctl unmask {name}",)
    if booted and after.get("starts_at_boot") is False:
        return f"{name} is not running: {_at_boot(after)}", (f"systemctl enable --now {name}",)
    return f"{name} is not running: stopped", (f"systemctl start {name}", f"journalctl -u {name} -b")


def _at_boot(unit: Document) -> str:
    return "not enabled at boot" if unit["enabled"] == "disabled" else f"it {unit.get('why')}"


def _failed(before: Document, after: Document) -> Difference:
    name = str(after["name"])
    how = [
        f"exit status {after['exit_status']}" if after.get("exit_status") else "",
        f"signal {after['exit_signal']}" if after.get("exit_signal") else "",
        f"result {after['result']}"
        if after.get("result") not in ("exit-code", "signal", "success", "", None)
        else "",
    ]
    words = ", ".join(filter(None, how))
    says = f"{name} failed: {words}" if words else f"{name} failed"
    hints = (f"journalctl -u {name} -b",)
    return Difference("unit", name, _told(before), _told(after), says, hints)


def _told(unit: Document) -> dict[str, Any]:
    return {"state": unit["state"], "enabled": unit["enabled"], "starts_at_boot": unit.get("starts_at_boot")}


def _absent(name: str) -> Document:
    return {"name": name, "state": "not-found", "enabled": "", "starts_at_boot": None}
