"""Which targets are meant: names, patterns such as ``shop-*``, and ``tag:data``."""

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

TAG: Final = "tag:"
_WILD: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Selector:
    """Meant is what any of the words fits. No words mean no target."""

    words: tuple[str, ...]

    def fits(self, name: str, tags: Collection[str]) -> bool:
        """Whether a target of that name with those tags is meant."""
        return any(_fits(word, name, tags) for word in self.words)


def _fits(word: str, name: str, tags: Collection[str]) -> bool:
    if word.startswith(TAG):
        return any(fnmatchcase(tag, word.removeprefix(TAG)) for tag in tags)
    return word == name or fnmatchcase(name, word)


def is_pattern(word: str) -> bool:
    """Whether a word may mean several names."""
    return not _WILD.isdisjoint(word)
