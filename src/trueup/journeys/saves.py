"""What a step keeps for later ones, taken from the answer that it got."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from trueup.domain.journey import Save, SaveFrom
from trueup.domain.printable import printable
from trueup.probes.http_expect import MISSING, value_at

VALUE_CHARS_MAX: Final = 16_384
SEARCHED_CHARS_MAX: Final = 1_048_576


class NothingToSaveError(Exception):
    """The answer has no such value. The message says what it has, as half a sentence."""


def values_of(saves: Sequence[Save], take: Callable[[Save], str]) -> dict[str, str]:
    """The values by name.

    Raises:
        NothingToSaveError: one isn't there, or is too long to be carried around.
    """
    values = {}
    for save in saves:
        value = take(save)
        if len(value) > VALUE_CHARS_MAX:
            words = f"{_where(save)} has {len(value)} characters, more than {VALUE_CHARS_MAX}"
            raise NothingToSaveError(f"{words}: ${{{save.name}}} isn't saved")
        values[save.name] = value
    return values


def missing(save: Save, seen: str) -> NothingToSaveError:
    """The complaint about a value that isn't there."""
    return NothingToSaveError(f"there is no {_where(save)} to save as ${{{save.name}}}: {seen}")


def from_text(save: Save, text: str) -> str:
    """By ``json`` or ``regex`` from a body or an output.

    Raises:
        NothingToSaveError: nothing is there.
    """
    if save.source is SaveFrom.JSON:
        return _from_json(save, text)
    match = re.search(save.what, text[:SEARCHED_CHARS_MAX])
    found = None if match is None else match[1] if match.re.groups else match[0]
    if found is None:
        raise missing(save, f"it begins {printable(text, 120)!r}" if text else "it's empty")
    return found


def _from_json(save: Save, text: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise missing(save, f"it's no JSON, it begins {printable(text, 120)!r}") from None
    found = value_at(document, save.what)
    if found is MISSING or found is None:
        raise missing(save, f"it begins {printable(text, 120)!r}")
    return _text(found)


def _text(value: Any) -> str:
    """As it stands in a URL or a header: texts as they are, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _where(save: Save) -> str:
    return f"{save.source} {printable(save.what, 100)}".rstrip()
