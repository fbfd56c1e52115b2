"""The tree of a configuration: its keys in order, the place of each, and the values that it holds."""

from collections.abc import Mapping
from typing import Any, Final

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from trueup.config.composing import BOOL, FLOAT, INT, MAP, MERGE, NULL, SEQ, STR
from trueup.config.problems import Path, Place, Problems
from trueup.config.substitution import NOTHING_SAVED, Saved, Substitution
from trueup.domain.secret import Secret
from trueup.domain.understood import NotUnderstood, quoted

Entry = tuple[ScalarNode, Node]
"""A key and its value."""

_DEPTH_MAX: Final = 60
_NODES_MAX: Final = 5_000_000
_TAGS: Final = frozenset({STR, INT, FLOAT, BOOL, NULL, SEQ, MAP, MERGE})
_TRUE: Final = frozenset({"true", "True", "TRUE"})


def place_of(node: Node) -> Place:
    """Where a node begins."""
    return Place(node.start_mark.name, node.start_mark.line + 1)


def is_null(node: Node) -> bool:
    """Whether nothing is written there."""
    return node.tag == NULL


class Tree:
    """Reads the nodes of a configuration. Problems of the text itself are noted as they are met, once."""

    def __init__(self, root: MappingNode, problems: Problems, env: Mapping[str, str]) -> None:
        self.root = root
        self.problems = problems
        self._substitution = Substitution(env)
        self._entries: dict[int, dict[str, Entry]] = {}
        self._merging: set[int] = set()
        self._read = 0

    def entries(self, node: MappingNode, path: Path) -> dict[str, Entry]:
        """The keys of a mapping, ``<<`` merged into it. A key written twice is a problem."""
        known = self._entries.get(id(node))
        if known is None:
            self._merging.add(id(node))
            known = self._entries[id(node)] = self._own_entries(node, path)
            self._merging.discard(id(node))
        return known

    def _own_entries(self, node: MappingNode, path: Path) -> dict[str, Entry]:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.problems.add(place_of(key), path, "a key is a list or has keys itself", "write a word")
            elif key.tag == MERGE:
                for name, entry in self._merged(value, path).items():
                    merged.setdefault(name, entry)
            elif key.value in own:
                first = place_of(own[key.value][0])
                self.problems.add(
                    place_of(key),
                    (*path, key.value),
                    "it is written twice",
                    f"keep one; the first is at {first}",
                )
            else:
                own[key.value] = (key, value)
        return {**merged, **own} if merged else own

    def _merged(self, value: Node, path: Path) -> dict[str, Entry]:
        sources = value.value if isinstance(value, SequenceNode) else [value]
        merged: dict[str, Entry] = {}
        for source in sources:
            if isinstance(source, MappingNode) and id(source) not in self._merging:
                for name, entry in self.entries(source, path).items():
                    merged.setdefault(name, entry)
            else:
                self.problems.add(
                    place_of(value), path, "<< merges something that has no keys", "write <<: *ANCHOR"
                )
        return merged

    def value(self, node: Node, path: Path, saved: Saved = NOTHING_SAVED) -> Any:
        """What a node holds: dicts, lists, text, numbers, truth values, None; each time a fresh copy.

        ``saved`` are the names that a journey has saved so far, which ``${name}`` may refer to.
        """
        if isinstance(node, ScalarNode):
            return self._scalar(node, path, saved)
        self._read += 1 + len(node.value)
        if len(path) > _DEPTH_MAX or self._read > _NODES_MAX:
            self.problems.add(place_of(node), path, "it is nested too deeply", "use fewer anchors")
            return None
        if node.tag not in _TAGS:
            self._unknown_tag(node, path)
            return None
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, place), saved) for place, item in enumerate(node.value)]
        assert isinstance(node, MappingNode)
        entries = self.entries(node, path)
        return {name: self.value(value, (*path, name), saved) for name, (_, value) in entries.items()}

    def _scalar(self, node: ScalarNode, path: Path, saved: Saved) -> Any:
        tag, text = node.tag, node.value
        if tag is STR or tag == STR:
            return self.text(node, path, saved) if "$" in text else text
        if tag == INT:
            return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        if tag == NULL:
            return None
        if tag == BOOL:
            return text in _TRUE
        if tag == FLOAT:
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if tag == MERGE:
            return text
        self._unknown_tag(node, path)
        return None

    def text(self, node: ScalarNode, path: Path, saved: Saved = NOTHING_SAVED) -> str:
        """A scalar as it's written, whatever it looks like, with its words substituted."""
        before = len(self._substitution.words)
        try:
            return self._substitution.substituted(node.value, saved)
        except NotUnderstood as missing:
            self.problems.add(place_of(node), path, missing.problem, missing.hint)
            return str(node.value)
        finally:
            self.problems.words.update(map(Secret, self._substitution.words[before:]))

    def value_and_words(
        self, node: Node, path: Path, saved: Saved = NOTHING_SAVED
    ) -> tuple[Any, tuple[str, ...]]:
        """What a node holds, and the words from the environment and from files that stand in it."""
        before = len(self._substitution.words)
        value = self.value(node, path, saved)
        return value, tuple(dict.fromkeys(self._substitution.words[before:]))

    def _unknown_tag(self, node: Node, path: Path) -> None:
        self.problems.add(
            place_of(node),
            path,
            f"the type {quoted(node.tag)} isn't known",
            "put a value that begins with ! in quotes",
        )

    def find(self, path: Path) -> tuple[Place, Path, Node]:
        """The place, the path and the node of what comes nearest to ``path``.

        What pydantic adds to a path (the branch of a union, the place in a list that isn't one) is left
        out, and so is a key that isn't there: its place is that of what it's missing from.
        """
        node: Node = self.root
        place = place_of(node)
        found: Path = ()
        for part in path:
            if isinstance(node, MappingNode):
                entry = self.entries(node, found).get(str(part))
                if entry is not None:
                    place, node = place_of(entry[0]), entry[1]
                    found = (*found, str(part))
            elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                place, found = place_of(node), (*found, part)
        return place, found, node
