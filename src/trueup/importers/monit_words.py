"""Monit's control file as words, each with its file and line; included files in their places."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trueup.domain.printable import printable
from trueup.importers.importer import Malformed, text_of

_INCLUDES_MAX: Final = 1000
_DEPTH_MAX: Final = 10
_WORD: Final = re.compile(
    r"""(?P<space>\s+)|(?P<comment>\#[^\n]*)|(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<url>[a-z]+://[^\s"']+)|(?P<mark>==|!=|>=|<=|[<>={}\[\](),;])|(?P<word>[^\s"'\#<>={}\[\](),;!]+|!)""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a mark, or a quoted text without its quotes, its other escapes as they are. ``lower`` is
    what keywords are told by.
    """

    text: str
    file: Path
    line: int
    quoted: bool = False

    @property
    def lower(self) -> str:
        """In lower case; nothing for a quoted text, which is no keyword."""
        return "" if self.quoted else self.text.lower()


def words_of(path: Path) -> list[Word]:
    """All words of a control file and of the files that it includes.

    Raises:
        Malformed: a quote isn't closed, a file can't be read, or one includes itself.
    """
    return list(_Reader().read(path, 0))


class _Reader:
    def __init__(self) -> None:
        self._files = 0

    def read(self, path: Path, depth: int) -> Iterator[Word]:
        self._files += 1
        if depth > _DEPTH_MAX or self._files > _INCLUDES_MAX:
            raise Malformed(path, 1, "it includes too many files", "does one include itself?")
        including = False
        for word in _words(path):
            if including:
                including = False
                for file in _included(word):
                    yield from self.read(file, depth + 1)
            elif word.lower == "include":
                including = True
            else:
                yield word


def _words(path: Path) -> Iterator[Word]:
    text = text_of(path)
    place, line = 0, 1
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None:
            problem = (
                "a quote isn't closed" if text[place] in "\"'" else f"it has {printable(text[place])!r} here"
            )
            raise Malformed(path, line, problem, "see monit -t")
        found = match[0]
        if match.lastgroup == "quoted":
            yield Word(re.sub(r"\\([\"'])", r"\1", found[1:-1]), path, line, quoted=True)
        elif match.lastgroup in {"mark", "word", "url"}:
            yield Word(found, path, line)
        line += found.count("\n")
        place = match.end()


def _included(word: Word) -> list[Path]:
    """The files that an ``include`` means; its pattern may have stars in every part."""
    pattern = Path(word.text)
    if not pattern.is_absolute():
        pattern = word.file.parent / pattern
    if not any(char in word.text for char in "*?["):
        return [pattern]
    return sorted(
        file for file in Path(pattern.anchor).glob(str(pattern)[len(pattern.anchor) :]) if file.is_file()
    )
