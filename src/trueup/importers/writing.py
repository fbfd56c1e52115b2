"""The configuration as text: YAML with what isn't said in it as comments at its top."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from trueup.domain.printable import printable
from trueup.importers.carried import Carried, Reference, escaped

_WIDTH: Final = 110
_FLOW_CHARS_MAX: Final = 90
_NUMBER: Final = re.compile(
    r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII
)
"""What YAML 1.2 takes for a number; PyYAML knows those of 1.1."""

_DOLLAR: Final = re.compile(r"\$\$|\$\{(\w+)\}")


class _Flow(dict[str, Any]):
    """Keys on one line."""


class _FlowList(list[Any]):
    """A list on one line."""


class _Writer(yaml.SafeDumper):
    """Writes no aliases, and in quotes what would be a number."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "'" if _NUMBER.fullmatch(text) else "|" if "\n" in text else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _text)
_Writer.add_representer(
    _Flow, lambda writer, keys: writer.represent_mapping("tag:yaml.org,2002:map", keys, True)
)
_Writer.add_representer(
    _FlowList, lambda writer, items: writer.represent_sequence("tag:yaml.org,2002:seq", items, True)
)
_BLOCKS: Final = {"services": 2, "journeys": 2, "heartbeats": 1, "channels": 1, "maintenance": 1, "uplink": 0}
"""By section, down to which depth each key has a line of its own."""


def written(tree: Mapping[str, Any], comment: str = "") -> str:
    """The tree as YAML below the comment."""
    sections = [
        yaml.dump(
            {section: _styled(value, _BLOCKS.get(section, 1))},
            Dumper=_Writer,
            sort_keys=False,
            allow_unicode=True,
            width=10_000,
        )
        for section, value in tree.items()
    ]
    return comment + "\n".join(sections)


def referring(value: Any, words: Mapping[str, str]) -> Any:
    """The tree, or a part of it, with ``words`` for some of the variables that it refers to."""
    if isinstance(value, Reference):
        return Reference(
            _DOLLAR.sub(lambda found: "${" + words[found[1]] + "}" if found[1] in words else found[0], value)
        )
    if isinstance(value, Mapping):
        return {key: referring(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [referring(inner, words) for inner in value]
    return value


def _styled(value: Any, depth: int) -> Any:
    """Literal dollars escaped, and flow style below ``depth``."""
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        kind: Any = _Flow if depth <= 0 and _fits_a_line(value) else dict
        return kind({key: _styled(inner, depth - 1) for key, inner in value.items()})
    if isinstance(value, list):
        items = [_styled(inner, depth - 1) for inner in value]
        return _FlowList(items) if depth <= 0 and _fits_a_line(value) else items
    return value


def _fits_a_line(value: Any) -> bool:
    shown = repr(value)
    return len(shown) <= _FLOW_CHARS_MAX and "\\n" not in shown


def comment_of(carried: Carried, title: str, files: str, tree: Mapping[str, Any]) -> str:
    """What stands at the top: its origin, what is to be set, what is to be known, what is missing."""
    return "".join(f"{line}\n".lstrip(" ") for line in _comment(carried, title, files, tree)) + "\n"


def _comment(carried: Carried, title: str, files: str, tree: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Written by trueup import from {title}: {printable(files)}"
    yield f"# {counted(carried, tree)}"
    if carried.variables:
        yield "#"
        yield "# Set these before it's used; secrets aren't written here:"
        for variable in carried.variables.values():
            yield from _wrapped(f"{variable.name}: {variable.meaning}")
    if carried.notes:
        yield "#"
        yield "# To know:"
        for note in carried.notes:
            yield from _wrapped(note)
    if carried.left_out:
        yield "#"
        yield "# Not carried over:"
        for one in carried.left_out:
            yield from _wrapped(f"{one.what}: {one.why}")


def counted(carried: Carried, tree: Mapping[str, Any]) -> str:
    """How many of which were made, in a sentence."""
    sections = ("services", "journeys", "heartbeats", "channels")
    made = [_plural(len(tree[name]), name) for name in sections if tree.get(name)]
    missing = len(carried.left_out)
    rest = f"; {missing} not carried over" if missing else ""
    return (", ".join(made) or "Nothing that can be watched") + rest + "."


def _plural(count: int, section: str) -> str:
    return f"{count} {section.removesuffix('s') if count == 1 else section}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="#   ", subsequent_indent="#     ", break_long_words=False
    )
