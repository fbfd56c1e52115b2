"""Words that must never be printed."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, final

HIDDEN: Final = "***"
CUT: Final = "…"
"""Stands where a text was cut (``printable``)."""
WORD_CHARS_MIN: Final = 4
"""A shorter secret is part of too many other words to be found in what a peer says."""

_CODED: Final = re.compile(rf"[A-Za-z0-9+/]{{8,}}={{0,2}}{CUT}?")
"""What may be base64, as logins travel in HTTP and SMTP."""


@final
class Secret:
    """A password or token. Printing, formatting or serialising it gives ``***``."""

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        self._word = word

    def reveal(self) -> str:
        """The word itself, for the one place that sends it."""
        return self._word

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._word == self._word

    def __hash__(self) -> int:
        return hash(("secret", self._word))

    def __bool__(self) -> bool:
        return bool(self._word)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")


def hide(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` with each of the secrets as ``***``: a peer may send back what it was sent."""
    words = [word for secret in secrets if len(word := secret.reveal()) >= WORD_CHARS_MIN]
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, HIDDEN)
    if words:
        text = _CODED.sub(lambda found: _without_coded(found[0], words), text)
    return _hide_cut(text, words) if CUT in text else text


def _without_coded(found: str, words: Iterable[str]) -> str:
    """``***`` for the base64 of something with one of the words in it, or, where it's cut, its beginning."""
    coded = found.rstrip(CUT).rstrip("=")
    whole = coded[: len(coded) - 1] if len(coded) % 4 == 1 else coded
    said = base64.b64decode(whole + "=" * (-len(whole) % 4))
    cut = CUT if found.endswith(CUT) else ""
    known = (word.encode()[:WORD_CHARS_MIN] if cut else word.encode() for word in words)
    return HIDDEN + cut if any(word in said for word in known) else found


def _hide_cut(text: str, words: Iterable[str]) -> str:
    """The beginning of a secret before a cut, and the end of one after it, hidden too."""
    pieces = text.split(CUT)
    for word in words:
        for place in range(1, len(pieces)):
            pieces[place - 1] = _without_beginning(pieces[place - 1], word)
            pieces[place] = _without_end(pieces[place], word)
    return CUT.join(pieces)


def _without_beginning(text: str, word: str) -> str:
    """``text`` where it ends with the beginning of ``word``."""
    if text[-WORD_CHARS_MIN:] not in word:
        return text
    size = next((size for size in _sizes(text, word) if text.endswith(word[:size])), 0)
    return text[:-size] + HIDDEN if size else text


def _without_end(text: str, word: str) -> str:
    """``text`` where it begins with the end of ``word``."""
    if text[:WORD_CHARS_MIN] not in word:
        return text
    size = next((size for size in _sizes(text, word) if text.startswith(word[-size:])), 0)
    return HIDDEN + text[size:] if size else text


def _sizes(text: str, word: str) -> range:
    return range(min(len(word) - 1, len(text)), WORD_CHARS_MIN - 1, -1)


def secrets_in(value: Any) -> Iterator[Secret]:
    """Every secret in a value, as written: dataclasses, mappings and sequences are looked through.

    What else a dataclass keeps to itself it names by a property ``secrets``.
    """
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, Secret):
            yield one
            continue
        inside = _inside(type(one))
        if inside is not None:
            ahead.extend(reversed([*inside(one)]))


_KINDS: Final[dict[type[Any], Callable[[Any], Iterable[Any]] | None]] = {}
"""What ``_ways_into`` found out, by type."""


def _inside(kind: type[Any]) -> Callable[[Any], Iterable[Any]] | None:
    if kind not in _KINDS:
        _KINDS[kind] = _ways_into(kind)
    return _KINDS[kind]


def _ways_into(kind: type[Any]) -> Callable[[Any], Iterable[Any]] | None:
    """How to look into values of a type; None where there's nothing in them."""
    if is_dataclass(kind):
        names = [one.name for one in fields(kind)]
        names += ["secrets"] if isinstance(getattr(kind, "secrets", None), property) else []
        return lambda value: [getattr(value, name) for name in names]
    if issubclass(kind, Mapping):
        return lambda value: value.values()
    return iter if issubclass(kind, (list, tuple, set, frozenset)) else None


def hide_in(value: Any, secrets: Iterable[Secret]) -> Any:
    """A JSON value with the secrets hidden in all its strings."""
    known = tuple(secrets)
    if not known:
        return value
    if isinstance(value, str):
        return hide(value, known)
    if isinstance(value, dict):
        return {name: hide_in(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [hide_in(inner, known) for inner in value]
    return value
