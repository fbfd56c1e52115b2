"""Regular expressions that are plain text."""

import re
from typing import Final

_SPECIAL: Final = re.compile(r"[\\^$.|?*+()\[\]{}]")
_ESCAPED: Final = re.compile(r"\\([^A-Za-z0-9])|\\[nrt]")
_EDGES: Final = re.compile(r"^\^?(?:\.\*)?|(?:\.\*)?\$?$")


def literal(pattern: str) -> str | None:
    """The text that a pattern means; None where it means several.

    What it allows around the text doesn't matter to a search: ``.*ready.*`` is ``ready``. A dot counts as a
    dot between letters or digits, where who wrote it meant one: ``SSH-2.0-``.
    """
    inner = _EDGES.sub("", pattern.removeprefix("(?i)") if pattern.startswith("(?i)") else pattern)
    if pattern.startswith("(?i)"):
        return None
    bare = _ESCAPED.sub("", inner)
    if _SPECIAL.search(re.sub(r"(?<=\w)\.(?=\w)", "", bare)):
        return None
    named = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}
    return _ESCAPED.sub(lambda match: match[1] or named[match[0]], inner)
