"""Targets, containers and certificates before and after. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from trueup.reports.differences import Difference, Differences
from trueup.reports.snapshot import Document, by_name

SLOWER_TIMES: Final = 3.0
SLOWER_MS: Final = 50.0
"""A latency is another when it's both: everything varies by less."""

_RANK: Final = {"up": 0, "degraded": 1, "down": 2}


def compare_targets(before: Iterable[Document], after: Iterable[Document], differences: Differences) -> None:
    """Verdicts, versions and latencies. What is better than before is no difference."""
    then, now = by_name(before), by_name(after)
    for name, target in then.items():
        if name not in now:
            words = f"{name} is not in the configuration any more"
            differences.changed.append(Difference("target", name, target["state"], None, words))
        else:
            _compare(target, now[name], differences)
    for name in now.keys() - then.keys():
        target = now[name]
        words = f"{name} is new, and {target['state']}: {target.get('summary')}"
        kind = differences.worse if target["state"] == "down" else differences.new
        kind.append(Difference("target", name, None, target["state"], words))


def _compare(before: Document, after: Document, differences: Differences) -> None:
    name = str(before["name"])
    was, is_ = str(before["state"]), str(after["state"])
    if is_ == "unknown":
        if was != "unknown":
            differences.unknown.append(f"{name} could not be looked at: {after.get('summary')}")
        return
    if was == "unknown":
        return
    if _RANK[is_] > _RANK[was]:
        words = f"{name} was {was} and is {is_}: {after.get('summary')}"
        hints = tuple(map(str, after.get("next") or ()))
        differences.worse.append(Difference("target", name, _verdict(before), _verdict(after), words, hints))
    elif is_ != "down" and is_slower(before, after):
        was_ms, is_ms = float(before["latency_ms"]), float(after["latency_ms"])
        words = f"{name} takes {is_ms:.0f} ms, and took {was_ms:.1f} ms"
        differences.slower.append(Difference("target", name, was_ms, is_ms, words))
    if before.get("version") and after.get("version") and before["version"] != after["version"]:
        words = f"{name} answers as version {after['version']}, and was {before['version']}"
        if not any(_is_same_version(one, before, after) for one in differences.changed):
            differences.changed.append(Difference("target", name, before["version"], after["version"], words))


def is_slower(before: Document, after: Document) -> bool:
    """Whether its latency is clearly another."""
    was_ms, is_ms = before.get("latency_ms"), after.get("latency_ms")
    if not isinstance(was_ms, int | float) or not isinstance(is_ms, int | float):
        return False
    return is_ms > SLOWER_TIMES * was_ms and is_ms > was_ms + SLOWER_MS


def _is_same_version(one: Difference, before: Document, after: Document) -> bool:
    """Whether a listener's difference says it already."""
    if one.what != "listener" or not isinstance(one.before, dict) or not isinstance(one.after, dict):
        return False
    return bool(
        one.before.get("version") == before["version"] and one.after.get("version") == after["version"]
    )


def _verdict(target: Document) -> dict[str, Any]:
    return {key: target.get(key) for key in ("state", "layer", "cause", "summary")}


# ---- containers -------------------------------------------------------------------------------------------


def compare_containers(
    before: Iterable[Document], after: Iterable[Document], differences: Differences
) -> None:
    """Those that ran and don't, run anew, have another image, or are unwell by their own check."""
    then, now = by_name(before), by_name(after)
    for name, container in then.items():
        _compare_container(container, now.get(name, {"name": name, "state": "gone"}), differences)
    for name in now.keys() - then.keys():
        if now[name]["state"] == "running":
            words = f"the container {name} is new: {now[name].get('image')}"
            differences.new.append(Difference("container", name, None, now[name]["state"], words))


def _compare_container(before: Document, after: Document, differences: Differences) -> None:
    name = str(before["name"])
    if before["state"] == "running" and after["state"] != "running":
        if after["state"] == "gone":
            words = f"the container {name} is gone"
        else:
            policy = after.get("restart_policy") or "no"
            why = " and its restart policy is no" if policy == "no" else ""
            words = f"the container {name} is {after['state']}{why}"
        hint = f"docker logs {name}" if after["state"] != "gone" else f"docker ps -a --filter name={name}"
        differences.lost.append(
            Difference("container", name, before["state"], after["state"], words, (hint,))
        )
    elif after.get("health") == "unhealthy" and before.get("health") != "unhealthy":
        words = f"the container {name} was {before.get('health') or 'running'} and is unhealthy"
        differences.worse.append(Difference("container", name, before.get("health"), "unhealthy", words))
    elif before.get("image") != after.get("image") and after["state"] != "gone":
        words = f"the container {name} is of {after.get('image')}, and was of {before.get('image')}"
        differences.changed.append(
            Difference("container", name, before.get("image"), after.get("image"), words)
        )


# ---- certificates -----------------------------------------------------------------------------------------


def compare_certificates(
    before: Iterable[Document], after: Iterable[Document], differences: Differences
) -> None:
    """Another certificate at the same address. One that isn't shown any more is the target's matter."""
    then, now = by_name(before, "at"), by_name(after, "at")
    for at in then.keys() & now.keys():
        old, new = then[at], now[at]
        if old["fingerprint"] == new["fingerprint"]:
            continue
        words = f"{at} shows another certificate: it ends {_day(new)}, the one before {_day(old)}"
        if (
            _ends(new) is not None
            and _ends(old) is not None
            and str(new["expires_at"]) < str(old["expires_at"])
        ):
            words += ", which is sooner"
        differences.changed.append(Difference("certificate", at, dict(old), dict(new), words))


def _day(certificate: Document) -> str:
    ends = _ends(certificate)
    return f"{ends:%Y-%m-%d}" if ends is not None else "at no known time"


def _ends(certificate: Document) -> datetime | None:
    try:
        return datetime.fromisoformat(str(certificate.get("expires_at")))
    except ValueError:
        return None
