"""Services as a configuration that a person would have written. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from trueup.discovery.found import Service
from trueup.domain.printable import printable

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./@:%+=?&-]*[A-Za-z0-9_/=-]|[A-Za-z]", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
_COMMENT_CHARS_MAX: Final = 160


def configuration_text(
    services: Sequence[Service], *, host: str, now: datetime, notes: Iterable[str] = ()
) -> str:
    """The whole file. ``notes`` are about all of it."""
    lines = [
        f"# What trueup discover found on {printable(host)}, {now:%Y-%m-%d %H:%M} UTC: yours to change.",
        "# A comment says what was guessed, or seen beside. A service without a tier is of tier 2.",
        *(f"# {_comment(note)}" for note in notes),
    ]
    if services:
        lines += ["services:", *service_lines(services)]
    else:
        lines += ["# Nothing was found.", "services: {}"]
    return "\n".join(lines) + "\n"


def service_lines(services: Iterable[Service]) -> Iterator[str]:
    """The lines below ``services:``."""
    for service in services:
        for note in service.notes:
            yield f"  # {_comment(note)}"
        if not service.keys:
            yield f"  {scalar(service.name)}: {scalar(service.at)}"
            continue
        yield f"  {scalar(service.name)}:"
        yield f"    at: {scalar(service.at)}"
        for key, value in service.keys.items():
            guess = service.guesses.get(key)
            yield f"    {key}: {flow(value)}" + (f"  # {_comment(guess)}" if guess else "")


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return scalar(str(value))


def scalar(text: str) -> str:
    """A word, in quotes where YAML would take it for something else. A dollar is written twice."""
    text = text.replace("$", "$$")
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and ": " not in text:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    """As YAML writes it within quotes (YAML 1.2.2, 5.7); what can't be seen, by its number."""
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _comment(text: str) -> str:
    return printable(text, _COMMENT_CHARS_MAX)


def service_document(service: Service) -> dict[str, Any]:
    """A service as JSON: its keys as the configuration has them, and what was noted."""
    notes = [*service.notes, *(f"{key}: {guess}" for key, guess in service.guesses.items())]
    return {"name": service.name, "at": service.at, **service.keys, "notes": notes}
