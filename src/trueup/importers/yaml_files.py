"""YAML files of other monitors."""

import re
from pathlib import Path
from typing import Any

import yaml

from trueup.importers.importer import Malformed, text_of

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NESTED = re.compile(r"[\[{]")
_OPEN_MAX = 2000


def read_yaml(path: Path) -> Any:
    """The only document of a file, with YAML 1.1's types, as Go's libraries have them.

    Raises:
        Malformed: it isn't one.
    """
    text = text_of(path)
    if len(_NESTED.findall(text)) > _OPEN_MAX and _depth(text) > _OPEN_MAX:
        raise Malformed(path, 1, "it is nested too deeply", "is it the right file?")
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, faster where libyaml is there
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = str(error.problem or error.context or "").replace("\n", " ")
        raise Malformed(
            path, mark.line + 1 if mark else 1, f"it isn't YAML: {said}", "mend this line"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Malformed(
            path, 1, f"it isn't YAML: {str(error).splitlines()[0]}", "is it the right file?"
        ) from None


def _depth(text: str) -> int:
    depth = most = 0
    for char in text:
        depth += (char in "[{") - (char in "]}")
        most = max(most, depth)
    return most
