"""Names that must be somebody's: in needs, alerts, maintenance and on the status page."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from trueup.config.draft import Draft
from trueup.config.problems import Path
from trueup.config.targets import Targets
from trueup.config.tiers import SECTION as TIERS
from trueup.domain.maintenance import Maintenance
from trueup.domain.selector import TAG, Selector, is_pattern
from trueup.domain.status_page import StatusPage

_NEEDS: Final = "needs"
_UNVISITED, _OPEN, _DONE = 0, 1, 2


def check_needs(targets: Targets) -> None:
    """Each need is a target, and none needs itself, however far."""
    draft = targets.draft
    for name, needs in targets.needs.items():
        for place, need in enumerate(needs):
            if need in targets.paths and need != name:
                continue
            path = _item(draft, (*targets.paths[name], _NEEDS), place)
            if need == name:
                draft.say(path, f"{draft.written(path, need)} needs itself", "remove it")
            else:
                draft.say(path, *_unknown_target(draft, path, need, targets.paths))
    others = {name: [need for need in needs if need != name] for name, needs in targets.needs.items()}
    for cycle in _cycles(others):
        path = (*targets.paths[cycle[0]], _NEEDS)
        draft.say(path, "needs run in a circle: " + " -> ".join((*cycle, cycle[0])), "remove one of them")


def _cycles(needs: Mapping[str, list[str]]) -> list[list[str]]:
    """Circles, each once, each from its first target in the order of ``needs``. At least one of each knot."""
    states = dict.fromkeys(needs, _UNVISITED)
    found: dict[frozenset[str], list[str]] = {}
    for start in needs:
        trail: list[str] = []
        ahead = [(start, iter(needs[start]))] if states[start] == _UNVISITED else []
        while ahead:
            name, rest = ahead[-1]
            if states[name] == _UNVISITED:
                states[name] = _OPEN
                trail.append(name)
            need = next(rest, None)
            if need is None:
                states[name] = _DONE
                trail.pop()
                ahead.pop()
            elif states.get(need) == _UNVISITED:
                ahead.append((need, iter(needs[need])))
            elif states.get(need) == _OPEN:
                circle = trail[trail.index(need) :]
                found.setdefault(frozenset(circle), circle)
    order = {name: place for place, name in enumerate(needs)}
    return [_from_first(circle, order) for circle in found.values()]


def _from_first(circle: list[str], order: Mapping[str, int]) -> list[str]:
    first = circle.index(min(circle, key=order.__getitem__))
    return circle[first:] + circle[:first]


def check_channels(draft: Draft, channels: Iterable[str], paths: Iterable[Path]) -> None:
    """Each name under the ``alert`` of a target or tier is a channel."""
    known = list(channels)
    levels = [(TIERS, level) for level in draft.entries((TIERS,))]
    for path in (*paths, *levels):
        for alert in ((*path, "alert"), (*path, "escalate", "alert")):
            written = draft.value(alert)
            for place, name in enumerate(written if isinstance(written, list) else [written]):
                at = _item(draft, alert, place)
                if isinstance(name, str) and name not in known:
                    close = draft.nearest(name, known)
                    hint = f"did you mean {close}?" if close else "add it to channels:"
                    draft.say(at, f"there is no channel {draft.written(at, name)}", hint)


def check_maintenance(targets: Targets, maintenance: Iterable[tuple[int, Maintenance]]) -> None:
    """Each word of a maintenance means a target."""
    for place, one in maintenance:
        _check_selector(targets, one.targets, ("maintenance", place, "targets"))


def check_status_page(targets: Targets, page: StatusPage) -> None:
    """Each word of a group means a target."""
    for title, selector in page.groups.items():
        _check_selector(targets, selector, ("status_page", "groups", title))


def _check_selector(targets: Targets, selector: Selector, path: Path) -> None:
    draft = targets.draft
    for place, word in enumerate(selector.words):
        at = _item(draft, path, place)
        if word.startswith(TAG):
            _check_tag(targets, word.removeprefix(TAG), at)
        elif word not in targets.paths and not is_pattern(word):
            draft.say(at, *_unknown_target(draft, at, word, targets.paths))


def _check_tag(targets: Targets, tag: str, path: Path) -> None:
    """Nobody may have a tag yet, or any more; one that is nearly another is a slip."""
    tags = sorted({tag for target in targets.read for tag in target.tags})
    close = targets.draft.nearest(tag, tags)
    if tag not in tags and not is_pattern(tag) and close:
        written = targets.draft.written(path, tag)
        targets.draft.say(path, f"no target has the tag {written}", f"did you mean {TAG}{close}?")


def _unknown_target(draft: Draft, path: Path, name: str, known: Collection[str]) -> tuple[str, str]:
    close = draft.nearest(name, known)
    hint = f"did you mean {close}?" if close else "it is no service, journey or heartbeat"
    if "," in name:
        hint = "write several names as [ONE, OTHER]"
    return f"there is no target {draft.written(path, name)}", hint


def _item(draft: Draft, path: Path, place: int) -> Path:
    """The path of an item of a list, or of the value that stands for the only one."""
    item: Any = (*path, place)
    return draft.tree.find(item)[1]
