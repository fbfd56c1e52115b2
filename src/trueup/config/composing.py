"""YAML text as a tree of nodes, each of which knows its file and line.

The scalars of YAML 1.2's core schema are told apart, not those of 1.1: ``no`` and ``on`` are words, ``1:30``
isn't 90, and a date is text.
"""

import re
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from trueup.config.problems import SYNTAX, Place, Problems

STR: Final = "tag:yaml.org,2002:str"
INT: Final = "tag:yaml.org,2002:int"
FLOAT: Final = "tag:yaml.org,2002:float"
BOOL: Final = "tag:yaml.org,2002:bool"
NULL: Final = "tag:yaml.org,2002:null"
SEQ: Final = "tag:yaml.org,2002:seq"
MAP: Final = "tag:yaml.org,2002:map"
MERGE: Final = "tag:yaml.org,2002:merge"

_WORDS: Final = {
    # YAML 1.2.2, 10.3.2.
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), BOOL),
    **dict.fromkeys(("~", "null", "Null", "NULL", ""), NULL),
    "<<": MERGE,
}
_NUMBERS: Final = (
    # The same. A number of more digits than make sense is text.
    (INT, re.compile(r"[-+]?[0-9]{1,40}|0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}", re.ASCII)),
    (FLOAT, re.compile(r"[-+]?(?:\.[0-9]+|[0-9]{1,40}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?", re.ASCII)),
    (FLOAT, re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)),
)
_NUMBER_STARTS: Final = frozenset("-+.0123456789")
_DEPTH_MAX: Final = 1000
_COMPACT: Final = re.compile(rb"^[ \t]*(?:[-?:][ \t]+){200}", re.MULTILINE)
_BRACKET: Final = re.compile(rb"[\[\]{}]")


def _tag(kind: type[Node], value: str | None, implicit: Any) -> str:
    """The tag of a node that carries none."""
    if kind is not ScalarNode:
        return MAP if kind is MappingNode else SEQ
    if value is None or not implicit[0]:
        return STR
    if value[:1] not in _NUMBER_STARTS:
        return _WORDS.get(value, STR)
    return next((tag for tag, pattern in _NUMBERS if pattern.fullmatch(value)), STR)


class _Composer(yaml.CBaseLoader):
    """libyaml's parser, with the core schema."""

    def __init__(self, stream: BytesIO) -> None:
        super().__init__(stream)
        # Asked for each node, and most words come again and again.
        setattr(self, "resolve", lru_cache(maxsize=1 << 14)(_tag))  # noqa: B010 - a method, replaced by a faster one

    def descend_resolver(self, _parent: Any, _index: Any) -> None:
        """Nothing here depends on a node's ancestors."""

    def ascend_resolver(self) -> None:
        """The other half of ``descend_resolver``."""


class _Named(BytesIO):
    """Bytes whose marks carry the name of their file."""

    def __init__(self, text: bytes, name: str) -> None:
        super().__init__(text)
        self.name = name


def compose(text: bytes, file: str, problems: Problems) -> Node | None:
    """The tree of a file's only document; None where it has none or isn't YAML, which is then a problem."""
    if _too_deep(text):
        # libyaml's tree is built by recursion in C, which would end the process.
        problems.add(Place(file, 1), SYNTAX, "it is nested too deeply", f"at most {_DEPTH_MAX} levels")
        return None
    try:
        node: Node | None = _Composer(_Named(text, file)).get_single_node()
    except yaml.MarkedYAMLError as error:
        begins = any(words in str(error.problem) for words in _BEGINS)
        mark = error.context_mark if begins else error.problem_mark
        line = mark.line + 1 if mark else 1
        problems.add(Place(file, line), SYNTAX, *_said(error, b"".join(text.splitlines()[line - 1 : line])))
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count(b"\n") + 1
        problems.add(Place(file, line), SYNTAX, *_unreadable(error))
    else:
        return node
    return None


def _too_deep(text: bytes) -> bool:
    if _COMPACT.search(text):
        return True
    if text.count(b"[") + text.count(b"{") <= _DEPTH_MAX:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > _DEPTH_MAX:
            return True
    return False


_BEGINS: Final = ("end of stream", "could not find expected ':'")
"""What libyaml finds long after it began."""
_SAID: Final = (
    # libyaml's words, what they mean to people, and what to do.
    ("found a tab character", "a tab indents it", "indent with spaces"),
    ("character that cannot start", "a value begins with a character that YAML reserves", "put it in quotes"),
    ("mapping values are not allowed", "a key stands where none can", "check its indentation and quotes"),
    ("could not find expected ':'", "a key has no colon", "write KEY: VALUE, a space after the colon"),
    ("expected key", "a key is expected here", "check its indentation, its brackets, and the line above"),
    ("expected '-' indicator", "a list goes on without -", "check its indentation, and the line above"),
    ("expected ',' or", "a bracket isn't closed", "close it, or add a comma"),
    ("expected node content", "a value is missing", "write it, or close the bracket"),
    ("end of stream", "a quote isn't closed", "close it"),
    ("document indicator", "a quote or bracket isn't closed", "close it"),
    ("another document", "a second document begins", "write one document a file, without ---"),
    ("<document start>", "this line is indented less than the first", "indent all keys of the top alike"),
    ("unknown escape", "an unknown escape", "write the backslash twice, or use single quotes"),
    ("undefined alias", "a value begins with *, which names an anchor", "put it in quotes"),
    ("alphabetic", "a value begins with * or &, which name an anchor", "put it in quotes"),
    ("tag handle", "a value begins with !, which names a type", "put it in quotes"),
    ("second occurrence", "an anchor is defined twice", "give it another name"),
)


def _said(error: yaml.MarkedYAMLError, line: bytes) -> tuple[str, str]:
    """The problem and its hint. libyaml's own words may quote a part of a password; ours don't."""
    said = str(error.problem)
    if b"\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab indents it", "indent with spaces"
    if error.problem_mark is not None and _is_second_colon(line.decode(errors="replace"), error.problem_mark):
        return "a value has a colon and a space in it", "put the value in quotes"
    known = ((problem, hint) for words, problem, hint in _SAID if words in said)
    return next(known, ("it isn't YAML", "check this line and the one above"))


def _is_second_colon(line: str, mark: yaml.Mark) -> bool:
    """Whether the line goes wrong at a colon that comes after another: ``title: shop: the big one``."""
    return line[mark.column : mark.column + 1] == ":" and ": " in line[: mark.column]


def _unreadable(error: yaml.reader.ReaderError) -> tuple[str, str]:
    if "control" in error.reason:
        return f"it holds the control character {error.character:#04x}", "remove it"
    return "it isn't text in UTF-8", "save it as UTF-8"
