"""Monit's control file as checks and settings, each a list of statements."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trueup.importers.importer import Malformed
from trueup.importers.monit_words import Word

KINDS: Final = frozenset(
    {"process", "file", "directory", "filesystem", "host", "system", "program", "network", "fifo", "device"}
)
_TOP: Final = frozenset({"check", "set"})
_BEGINS: Final = frozenset(
    {
        "if",
        "start",
        "stop",
        "restart",
        "every",
        "depends",
        "depend",
        "group",
        "alert",
        "noalert",
        "mode",
        "onreboot",
    }
)
_GOES_ON: Final = frozenset({"then", "else", "repeat", "or", "with"})
"""After these a word that begins a statement is a part of the one before."""

Statement = list[Word]


@dataclass(slots=True)
class MonitCheck:
    """``check KIND NAME ...``. ``head`` is what follows the name, before the first statement."""

    kind: str
    name: str
    file: Path
    line: int
    head: Statement = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)


@dataclass(slots=True)
class ControlFile:
    """All checks, and the settings of ``set``, without that word."""

    checks: list[MonitCheck] = field(default_factory=list)
    settings: list[Statement] = field(default_factory=list)


def control_file(words: list[Word], path: Path) -> ControlFile:
    """The statements of a control file.

    Raises:
        Malformed: it begins with something else, or a check has no name.
    """
    control = ControlFile()
    for begin, end in _tops(words, path):
        part = words[begin:end]
        if part[0].lower == "set":
            control.settings.append(part[1:])
        else:
            control.checks.append(_check(part))
    return control


def _tops(words: list[Word], path: Path) -> Iterator[tuple[int, int]]:
    if words and words[0].lower not in _TOP:
        first = words[0]
        raise Malformed(
            first.file, first.line, "it begins with neither set nor check", "is it Monit's? see monit -t"
        )
    if not words:
        raise Malformed(path, 1, "it says nothing", "is it the right file?")
    depth, starts = 0, []
    for place, word in enumerate(words):
        depth += (word.text == "{" and not word.quoted) - (word.text == "}" and not word.quoted)
        kind = words[place + 1].lower if place + 1 < len(words) else ""
        if depth <= 0 and (word.lower == "set" or (word.lower == "check" and kind in KINDS)):
            starts.append(place)
    if depth > 0:
        raise Malformed(words[-1].file, words[-1].line, "a { isn't closed", "see monit -t")
    yield from zip(starts, [*starts[1:], len(words)], strict=True)


def _check(part: list[Word]) -> MonitCheck:
    if len(part) < 3:
        raise Malformed(
            part[0].file, part[0].line, "a check has no name", "check process NAME ...; see monit -t"
        )
    check = MonitCheck(part[1].lower, part[2].text, part[0].file, part[0].line)
    current, depth, before = check.head, 0, ""
    for place, word in enumerate(part[3:], start=3):
        depth += (word.text == "{" and not word.quoted) - (word.text == "}" and not word.quoted)
        following = part[place + 1].lower if place + 1 < len(part) else ""
        begins = word.lower in _BEGINS or (word.lower == "not" and following == "every")
        goes_on = before in _GOES_ON or (before == "not" and word.lower == "every")
        if depth <= 0 and begins and not goes_on:
            current = []
            check.statements.append(current)
        current.append(word)
        before = word.lower
    return check
