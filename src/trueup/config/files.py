"""A configuration's file, or its folder of files merged into one tree."""

import os
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yaml.error import Mark
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from trueup.config.composing import MAP, NULL, compose
from trueup.config.configuration import SECTIONS
from trueup.config.nodes import place_of
from trueup.config.problems import SYNTAX, WHOLE, Place, Problems
from trueup.config.substitution import MAY_READ
from trueup.domain.nearest import nearest
from trueup.domain.understood import quoted
from trueup.host.paths import is_folder

SUFFIXES: Final = (".yaml", ".yml")
_OTHER_ENCODINGS: Final = (BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_BE)
"""That of UTF-32 LE begins as the first."""
_EXTENSION: Final = "x-"
"""A key of the top that begins so is for anchors, and means nothing."""

_NO_BREAK_SPACE: Final = "\u00a0"
"""It comes along with what is copied from pages, and is no space to YAML."""


@dataclass(frozen=True, slots=True)
class Files:
    """All files as one tree; their ``names`` in order; and whether each of them could be read."""

    root: MappingNode
    names: tuple[str, ...] = ()
    whole: bool = True


def read_files(path: Path, problems: Problems) -> Files:
    """All that ``path`` holds."""
    names = tuple(map(str, _files(path, problems)))
    merged = Merged(names[0] if names else str(path), problems)
    roots = [_read(name, problems) for name in names]
    whole = not problems
    for root in roots:
        if root is not None:
            merged.add(root)
    return Files(merged.root, names, whole)


def files_of(path: Path) -> list[Path]:
    """The files that make a configuration: ``path`` itself, or those of the folder, in their order."""
    return sorted(_within(path)) if is_folder(path) else [path]


def _files(path: Path, problems: Problems) -> list[Path]:
    found = files_of(path)
    if not found:
        problems.add(
            Place(str(path), 1),
            WHOLE,
            "the folder has no configuration in it",
            "its files end in .yaml or .yml",
        )
    return found


def _within(folder: Path) -> Iterator[Path]:
    """Files of a folder and of those in it; what begins with a dot is left out, as editors leave it."""
    seen: set[str] = set()
    for inside, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(inside)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real not in seen:
            yield from (
                Path(inside, name) for name in files if name.endswith(SUFFIXES) and not name.startswith(".")
            )
        seen.add(real)


def files_of_text(text: str, name: str, problems: Problems) -> Files:
    """A configuration that is in no file; its places have ``name`` for one."""
    merged = Merged(name, problems)
    root = _parsed(text.encode(), name, problems)
    if root is not None:
        merged.add(root)
    return Files(merged.root, (name,))


def _read(name: str, problems: Problems) -> MappingNode | None:
    top = Place(name, 1)
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        hint = MAY_READ if isinstance(error, PermissionError) else "name a file or folder with -c"
        problems.add(top, WHOLE, f"can't read it: {error.strerror}", hint)
        return None
    return _parsed(text, name, problems)


def _parsed(text: bytes, name: str, problems: Problems) -> MappingNode | None:
    top = Place(name, 1)
    if text.startswith(_OTHER_ENCODINGS) or b"\0" in text[:2]:
        problems.add(top, SYNTAX, "it is in UTF-16 or UTF-32", "save it as UTF-8")
        return None
    if not text.removeprefix(BOM_UTF8).strip():
        # An editor empties a file before it writes it; a reload in between mustn't forget all targets.
        problems.add(top, WHOLE, "the file is empty", "write services:, or remove the file")
        return None
    root = compose(text, name, problems)
    if root is None or root.tag == NULL:
        return None
    if not isinstance(root, MappingNode) or root.tag != MAP:
        problems.add(top, SYNTAX, "the file has no keys", "begin with services:")
        return None
    return root


def empty(name: str) -> MappingNode:
    """The tree of a file of that name that says nothing."""
    start = Mark(name, 0, 0, 0, None, 0)
    return MappingNode(MAP, [], start, start)


class Merged:
    """Files merged, section by section. What two of them say is found where keys are read."""

    def __init__(self, name: str, problems: Problems) -> None:
        self.root = empty(name)
        self._sections: dict[str, CollectionNode] = {}
        self._problems = problems

    def add(self, root: MappingNode) -> None:
        """Merge one more file."""
        written: set[str] = set()
        for key, value in root.value:
            name = key.value if isinstance(key, ScalarNode) else ""
            if name not in SECTIONS:
                self._unknown(name, place_of(key))
            elif value.tag != NULL:
                known = self._sections.get(name)
                if name not in written and known is not None and type(known) is type(value):
                    known.value.extend(value.value)
                else:
                    self._put(key, value)
                written.add(name)

    def _put(self, key: ScalarNode, value: Node) -> None:
        if isinstance(value, CollectionNode):
            # A copy, for a section of the next file is added to it, and this node may have an alias.
            value = type(value)(value.tag, list(value.value), value.start_mark, value.end_mark)
            self._sections[key.value] = value
        self.root.value.append((key, value))

    def _unknown(self, name: str, place: Place) -> None:
        if not name.startswith(_EXTENSION):
            close = nearest(name, SECTIONS)
            hint = f"did you mean {close}?" if close else "known: " + " ".join(SECTIONS)
            if name.startswith(_NO_BREAK_SPACE):
                hint = "indent with plain spaces, not with no-break ones"
            self._problems.add(place, (name,) if name else WHOLE, f"unknown key {quoted(name)}", hint)
