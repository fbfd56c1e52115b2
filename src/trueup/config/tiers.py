"""Tiers: the defaults with what is written merged into them, key by key, and what a target overrides."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from trueup.config.draft import Draft
from trueup.config.problems import Path
from trueup.domain.tier import TIER_DEFAULT, Tier

SECTION: Final = "tiers"
POLICY_KEYS: Final = ("every", "confirm", "recover", "alert", "when")
"""The keys of a tier that a target may override."""

DEFAULTS: Final[Mapping[int, Mapping[str, Any]]] = {
    1: {
        "every": "60s",
        "confirm": {"failures": 2, "apart": "30s"},
        "recover": 2,
        "when": "always",
        "remind": "1h",
    },
    2: {
        "every": "5m",
        "confirm": {"failures": 2, "apart": "30s"},
        "recover": 2,
        "when": "always",
        "remind": "4h",
    },
    3: {
        "every": "15m",
        "confirm": {"failures": 2, "apart": "60s"},
        "recover": 2,
        "when": "business",
        "escalate": {"after": "24h"},
    },
}
"""As in the contract."""


class Tiers:
    """The tiers of a configuration, and the policy of each of its targets."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._written: dict[int, dict[str, Any]] = {level: dict(keys) for level, keys in DEFAULTS.items()}
        for name in draft.entries((SECTION,)):
            path: Path = (SECTION, name)
            if not (name.isascii() and name.isdecimal() and 1 <= int(name[:4]) <= 99):
                draft.say(path, "a tier is a number", "write 1, 2 or 3, or more tiers up to 99")
                continue
            written = draft.value(path)
            # A tier without defaults of its own begins with those of the last.
            base = DEFAULTS.get(int(name), DEFAULTS[max(DEFAULTS)])
            if written is None or isinstance(written, dict):
                self._written[int(name)] = merged(base, written or {})
            else:
                draft.say(path, "it needs keys", "write {every: 60s}")
        self.levels: dict[int, Tier] = {}
        for level, keys in sorted(self._written.items()):
            read = draft.read(Tier, copy.deepcopy(keys), (SECTION, str(level)))
            self.levels[level] = read or Tier()
            if read is None:  # which is said of the tier, and not of each of its targets again
                self._written[level] = dict(DEFAULTS.get(level, DEFAULTS[max(DEFAULTS)]))

    def policy(self, level: int, overrides: Mapping[str, Any], path: Path) -> Tier:
        """A target's tier, with what the target overrides."""
        if level not in self.levels:
            known = f"known: {' '.join(map(str, self.levels))}; or add it to tiers:"
            self._draft.say((*path, "tier"), f"there is no tier {level}", known)
            level = TIER_DEFAULT
        if not overrides:
            return self.levels[level]
        return self._draft.read(Tier, merged(self._written[level], overrides), path) or Tier()


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` merged into a copy of ``base`` key by key; what is no mapping replaces what's there."""
    result = {key: copy.deepcopy(value) for key, value in base.items()}
    for key, value in over.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result
