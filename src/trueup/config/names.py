"""What may be a name: it is an identity, and stands in pages, paths, messages and patterns."""

from typing import Final

from trueup.domain.printable import printable
from trueup.domain.selector import TAG

_CHARS_MAX: Final = 200


def mistake_in_name(name: str) -> tuple[str, str] | None:
    """The problem with a name and a hint; None where it's good."""
    if not name.strip():
        return "the name is empty", "write a name"
    if printable(name, 4 * _CHARS_MAX) != name:
        return "the name has a character that can't be seen", "write letters, digits, - and _"
    if len(name) > _CHARS_MAX:
        return f"the name is longer than {_CHARS_MAX} characters", "write a shorter one"
    if name != name.strip():
        return "the name begins or ends with a space", "remove it"
    if name in (".", ".."):
        return f"a name can't be {name}", "in an address that's a folder: its page can't be opened"
    if name.startswith(TAG):
        return f"a name can't begin with {TAG}", "it means the targets with that tag"
    return None
