"""A configuration while it is read: its tree, and the problems so far."""

from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, ScalarNode

from trueup.config.complaints import (
    MISSING,
    TEXT,
    UNKNOWN_KEY,
    complaint,
    complaint_of_union,
    found,
    is_substituted,
)
from trueup.config.composing import NULL
from trueup.config.nodes import Entry, Tree, is_null
from trueup.config.problems import Path, Place, Problems
from trueup.config.shapes import adapter, known_at
from trueup.config.substitution import NOTHING_SAVED, Saved
from trueup.domain.nearest import nearest
from trueup.domain.understood import quoted

T = TypeVar("T")
_COMPARISONS_MAX: Final = 100_000
"""Of names of targets; some milliseconds for each thousand."""


class Draft:
    """What the readers of the sections share."""

    def __init__(self, root: MappingNode, env: Mapping[str, str], problems: Problems) -> None:
        self.problems = problems
        self.tree = Tree(root, problems, env)
        self._comparisons = 0

    def say(self, path: Path, problem: str, hint: str) -> None:
        """Note a problem at the place of ``path``, or of what comes nearest to it."""
        place, _, _ = self.tree.find(path)
        self.problems.add(place, path, problem, hint)

    def place(self, path: Path) -> Place:
        """Where a path is written."""
        return self.tree.find(path)[0]

    def written(self, path: Path, value: str) -> str:
        """A word in quotes, or what is written where it comes from elsewhere."""
        node = self.tree.find(path)[2]
        return found(node) if is_substituted(node) else quoted(value)

    def nearest(self, word: str, known: Collection[str]) -> str | None:
        """The known word that was likely meant; None also where looking for it would take too long by now."""
        if self._comparisons > _COMPARISONS_MAX:
            return None
        self._comparisons += len(known)
        return nearest(word, known)

    def entries(self, path: Path) -> dict[str, Entry]:
        """The keys at a path that must have keys; none where it isn't there or has none."""
        _, at, node = self.tree.find(path)
        if at != path or is_null(node):
            return {}
        if isinstance(node, MappingNode):
            return self.tree.entries(node, path)
        self.say(path, f"it needs keys, not {found(node)}", "write NAME: below it")
        return {}

    def value(self, path: Path, saved: Saved = NOTHING_SAVED) -> Any:
        """What is written at a path; None where nothing is."""
        _, at, node = self.tree.find(path)
        return self.tree.value(node, path, saved) if at == path else None

    def read(
        self,
        shape: type[T],
        value: Any,
        path: Path,
        saved: Saved = NOTHING_SAVED,
        *,
        others: Collection[str] = (),
    ) -> T | None:
        """``value``, which is what is written at ``path``, as a dataclass; None where it can't be one.

        ``value`` is a dict that may be changed, or an instance of ``shape`` already. ``others`` are keys
        that may be written at ``path`` and are read elsewhere.
        """
        try:
            return self._validated(shape, value)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if self._write_as_text(value, errors, path, saved):
            try:
                return self._validated(shape, value)
            except ValidationError as error:
                errors = error.errors(include_url=False)
        self._complain(shape, errors, path, others)
        return None

    @staticmethod
    def _validated(shape: type[T], value: Any) -> T:
        reader: Any = shape
        validated: T = adapter(reader).validate_python(value)
        return validated

    def _write_as_text(self, value: Any, errors: list[ErrorDetails], path: Path, saved: Saved) -> bool:
        """A number or truth value where text is needed is the text that's written: ``0123`` is no 123."""
        changed = False
        for error in errors:
            at = (*path, *error["loc"])
            _, where, node = self.tree.find(at)
            if error["type"] == TEXT and isinstance(node, ScalarNode) and node.tag != NULL:
                changed |= _put(value, where[len(path) :], self.tree.text(node, where, saved))
        return changed

    def _complain(
        self, shape: type[Any], errors: list[ErrorDetails], path: Path, others: Collection[str]
    ) -> None:
        by_path: dict[Path, list[ErrorDetails]] = {}
        for error in errors:
            by_path.setdefault(self._path_of(error, path), []).append(error)
        for at, several in by_path.items():
            place, _, node = self.tree.find(at)
            if self.problems.has(at) or any(other != at and other[: len(at)] == at for other in by_path):
                continue  # a word that isn't to be had; a branch of a union, where another got further
            if len(several) > 1:
                self.problems.add(place, at, *complaint_of_union(several, node))
                continue
            error = several[0]
            within = at[len(path) :]
            inside = within[:-1] if error["type"] == UNKNOWN_KEY else within
            known = [key for key in known_at(shape, inside) if key != "address"]
            self.problems.add(place, at, *complaint(error, node, known if inside else [*known, *others]))

    def _path_of(self, error: ErrorDetails, path: Path) -> Path:
        where = self.tree.find((*path, *error["loc"]))[1]
        return (*where, str(error["loc"][-1])) if error["type"] == MISSING else where


def _put(value: Any, path: Path, text: str) -> bool:
    """Put ``text`` at ``path`` in a tree of dicts and lists."""
    for part in path[:-1]:
        value = value[part]
    if not path or value[path[-1]] == text:
        return False
    value[path[-1]] = text
    return True
