"""Every target on one page: which, in which groups, in which order."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from trueup.domain.states import WORST_FIRST
from trueup.domain.target import Target
from trueup.web.asked import Asked
from trueup.web.lamps import Lamp, lamps
from trueup.web.quiet import Quiet
from trueup.web.sentence import sentence
from trueup.web.shown import Document

PAGE: Final = 100
PAGE_MAX: Final = 500
GROUPS: Final = {"cause": "root cause", "host": "host", "tier": "tier", "tag": "tag", "none": "nothing"}
_SEVERITY: Final = {state.value: place for place, state in enumerate(WORST_FIRST)}
WELL: Final = "Up"
ALONE: Final = "By themselves"


@dataclass(frozen=True, slots=True)
class Row:
    """A target in the list; ``group`` is set on the first of its group, ``quiet`` says why nobody is told."""

    document: Document
    lamps: list[Lamp]
    group: str | None
    group_size: int
    quiet: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader chose."""

    words: str = ""
    state: str | None = None
    tier: int | None = None
    group: str = "cause"
    start: int = 0
    limit: int = PAGE

    def url(self, path: str, **changed: Any) -> str:
        """The address of the same choice, with something changed."""
        chosen = {"q": self.words, "state": self.state, "tier": self.tier, "group": self.group} | changed
        said = {name: word for name, word in chosen.items() if word not in (None, "")}
        if said.get("group") == "cause":
            del said["group"]
        return f"{path}?{urlencode(said)}" if said else path


@dataclass(frozen=True, slots=True)
class Overview:
    """``counts`` are of all targets by state, ``found`` how many fit; ``worst`` is the state of all."""

    sentence: list[str]
    worst: str
    counts: dict[str, int]
    rows: list[Row]
    found: int
    more_at: int | None


def wanted(asked: Asked) -> Wanted:
    """Raises:
    Refusal: something is chosen that can't be.
    """
    state = asked.one_of("state", "up", "degraded", "down", "unknown")
    tier = asked.one_of("tier", "1", "2", "3")
    group = asked.one_of("group", *GROUPS) or "cause"
    start = asked.whole("start", 0, 0, 10_000_000)
    limit = asked.whole("limit", PAGE, 1, PAGE_MAX)
    words = asked.text("q")[:200]
    asked.finish()
    return Wanted(words, state, int(tier) if tier else None, group, start, limit)


def overview(
    targets: Sequence[Target],
    documents: Sequence[Document],
    chosen: Wanted,
    whole: Callable[[Target], Document],
    on: Sequence[Quiet] = (),
) -> Overview:
    """The page of that choice; both are in the order of the configuration. The documents may lack what they
    stand on: of the rows that are shown, ``whole`` gives all of it. ``on`` is who is quiet now.
    """
    counts = Counter(one["state"] for one in documents)
    worst = next((state.value for state in WORST_FIRST if counts[state.value]), "unknown")
    of_target = {target.name: target for target in targets}
    fits = _filter(chosen, of_target)
    found = [one for one in documents if fits(one)]
    groups = {one["name"]: _group(one, of_target.get(one["name"]), chosen.group) for one in found}
    sizes = Counter(groups.values())
    if chosen.group == "cause":
        groups = {
            name: group if sizes[group] > 1 or group == WELL else ALONE for name, group in groups.items()
        }
        sizes = Counter(groups.values())
    ranks = _ranks(found, groups, sizes)
    found.sort(key=lambda one: (ranks[groups[one["name"]]], _severity(one)))
    end = chosen.start + chosen.limit
    rows, last = [], groups[found[chosen.start - 1]["name"]] if 0 < chosen.start <= len(found) else None
    for one in found[chosen.start : end]:
        group = groups[one["name"]]
        is_first = group != last and chosen.group != "none"
        target = of_target[one["name"]]
        full, quiet = whole(target), next((quiet.says for quiet in on if quiet.is_of(target)), "")
        shown = group if is_first else None
        rows.append(Row(full, lamps(full["observations"]), shown, sizes[group], quiet))
        last = group
    hosts = {target.name: target.host for target in targets}
    more_at = end if end < len(found) else None
    return Overview(sentence(documents, hosts), worst, dict(counts), rows, len(found), more_at)


def _severity(one: Document) -> tuple[int, int]:
    return _SEVERITY[one["state"]], one["tier"]


def _filter(chosen: Wanted, of_target: dict[str, Target]) -> Callable[[Document], bool]:
    words = chosen.words.casefold().split()

    def fits(one: Document) -> bool:
        if chosen.state is not None and one["state"] != chosen.state:
            return False
        if chosen.tier is not None and one["tier"] != chosen.tier:
            return False
        if not words:
            return True
        target = of_target.get(one["name"])
        about = [one["name"], one["at"] or "", one["summary"], one["cause"] or "", one["kind"]]
        if target is not None:
            about += [target.host or "", target.unit or "", target.container or "", *target.tags]
        text = " ".join(about).casefold()
        return all(word in text for word in words)

    return fits


def _group(one: Document, target: Target | None, by: str) -> str:
    if by == "cause":
        return WELL if one["state"] == "up" else one["blame"] or one["name"]
    if by == "tier":
        return f"Tier {one['tier']}"
    if by == "tag":
        return target.tags[0] if target is not None and target.tags else "No tag"
    if by == "host":
        return (host_of(target) if target is not None else None) or "No host"
    return ""


def host_of(target: Target) -> str | None:
    """The machine of a target: as configured, else the one in its address."""
    if target.host:
        return target.host
    return target.at[0].host if target.at else None


def _ranks(found: Sequence[Document], groups: dict[str, str], sizes: Counter[str]) -> dict[str, Any]:
    """Groups with the worst in them come first, then the larger ones; tiers stay in their order."""
    worst: dict[str, int] = {}
    for one in found:
        group = groups[one["name"]]
        worst[group] = min(worst.get(group, 9), _SEVERITY[one["state"]])
    return {
        group: (0, group) if group.startswith("Tier ") else (worst[group], -sizes[group], group)
        for group in worst
    }
