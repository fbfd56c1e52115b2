"""What an HTTP response is expected to be, and what of it isn't met."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.domain.printable import printable
from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_message import Response

SHOWN_CHARS_MAX: Final = 120
_RANGE: Final = re.compile(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?", re.ASCII)
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.ASCII)
_INDEX: Final = re.compile(r"\[(\d+)\]", re.ASCII)
MISSING: Final = object()

Status = int | str
Texts = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expect:
    """What the answer must be.

    ``status``: a number, a range as ``"200-299"``, or a list of them. ``contains``, ``not_contains``: text
    that the body has, or must not have, or a list. ``json``: values by path, as ``{db.status: up}`` or
    ``{items.0.name: x}``. ``header``: text that these headers' values contain.
    """

    status: Status | tuple[Status, ...] = ()
    contains: Texts = ()
    not_contains: Texts = ()
    json: dict[str, Any] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises: ValueError: a status that is none."""
        for _ in self.statuses():
            pass

    def statuses(self) -> Iterator[tuple[int, int]]:
        """The accepted statuses, as first and last of a range."""
        for status in self.status if isinstance(self.status, tuple) else (self.status,):
            match = _RANGE.fullmatch(str(status).strip())
            if match is None or (match[2] and int(match[2]) < int(match[1])):
                raise ValueError(f"{status!r} is no status; write 200, or a range as '200-299'")
            yield int(match[1]), int(match[2] or match[1])

    def accepts(self, status: int) -> bool:
        """Whether this status is one of those."""
        return any(first <= status <= last for first, last in self.statuses())

    @property
    def names_redirect(self) -> bool:
        """Whether a redirect itself is expected, so that it must not be followed."""
        return any(first >= 300 and last < 400 for first, last in self.statuses())

    @property
    def of_content(self) -> bool:
        """Whether the body or the headers must be something."""
        return bool(self.contains or self.not_contains or self.json or self.header)


def unmet(expect: Expect, response: Response) -> str | None:
    """The first expectation of content that isn't met, as a sentence; None when all are."""
    for name, text in expect.header.items():
        value = response.header(name.lower().encode())
        if text.lower() not in value.lower():
            return f"its header {name} is {value!r}, not {text!r}" if value else f"it has no header {name}"
    if not (expect.contains or expect.not_contains or expect.json):
        return None
    try:
        content, whole = content_of(response)
    except Unreadable as problem:
        return str(problem)
    rest = "" if whole else f" in its first {len(content)} bytes"
    for text in _each(expect.contains):
        if not _has(response, content, text):
            return f"its body doesn't contain {text!r}{rest}: {_shown(content)}"
    for text in _each(expect.not_contains):
        if _has(response, content, text):
            return f"its body contains {text!r}"
    return _unmet_json(expect.json, content, whole=whole) if expect.json else None


def _each(texts: Texts) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def _has(response: Response, content: bytes, text: str) -> bool:
    if text.encode() in content:
        return True
    charset = _CHARSET.search(response.header(b"content-type"))
    if charset is None or text.isascii():
        return False
    try:
        return text in content.decode(charset[1], "replace")
    except (LookupError, ValueError):
        return False


def _shown(content: bytes) -> str:
    return (
        f"it begins '{printable(content[: SHOWN_CHARS_MAX * 4], SHOWN_CHARS_MAX)}'"
        if content
        else "it's empty"
    )


def _unmet_json(expected: dict[str, Any], content: bytes, *, whole: bool) -> str | None:
    if not whole:
        return f"its body is too long to be read as JSON: more than {len(content)} bytes"
    import json

    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return f"its body is no JSON: {_shown(content)}"
    for path, value in expected.items():
        seen = value_at(document, path)
        if seen is MISSING:
            return f"its JSON has no {path}"
        if seen != value or isinstance(seen, bool) != isinstance(value, bool):
            return f"its {path} is {_brief(seen)}, not {_brief(value)}"
    return None


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    import json

    return printable(json.dumps(value, ensure_ascii=False, default=str), SHOWN_CHARS_MAX)


def value_at(document: Any, path: str) -> Any:
    """The value at a dotted path, or ``MISSING``. Numbers index lists; a key may itself have dots in it."""
    return _walk(document, _INDEX.sub(r".\1", path.removeprefix("$")).strip(".").split("."))


def _walk(node: Any, parts: list[str]) -> Any:
    if not parts:
        return node
    if isinstance(node, list):
        number = int(parts[0]) if parts[0].isascii() and parts[0].isdecimal() and len(parts[0]) < 9 else -1
        return _walk(node[number], parts[1:]) if 0 <= number < len(node) else MISSING
    if isinstance(node, dict):
        for count in range(len(parts), 0, -1):
            key = ".".join(parts[:count])
            if key in node and (found := _walk(node[key], parts[count:])) is not MISSING:
                return found
    return MISSING
