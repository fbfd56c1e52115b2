"""What is carried over from another monitor, while it's read: checks as they were there, not yet merged."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from trueup.domain.duration import DURATION_MAX_S, show_duration
from trueup.domain.printable import printable

_NOT_IN_NAMES: Final = re.compile(r"[^\w.-]+")
_NAME_CHARS_MAX: Final = 100
_DOLLARS: Final = re.compile(r"\$[${]")


class Reference(str):
    """Text whose ``${NAME}`` are meant; in any other text a dollar is a dollar."""

    __slots__ = ()


@dataclass(slots=True)
class Found:
    """One check as it was there. ``key`` is what others know it by, ``needs`` are keys.

    ``name`` is what people called it. ``at`` are addresses, without credentials. ``keys`` are those of a
    service of the configuration, durations as text.
    """

    key: str
    name: str
    at: list[str]
    keys: dict[str, Any] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)
    alert: list[str] | None = None
    """Names of channels; None: all."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Of the environment. ``value`` is None where the file that was read didn't have it either."""

    name: str
    meaning: str
    value: str | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What isn't carried over, and why."""

    what: str
    why: str


@dataclass(slots=True)
class Carried:
    """Everything that was found, and what can't be had.

    ``heartbeats`` and ``journeys`` are by name, ``maintenance`` as it's written, its targets as keys of
    checks or patterns; ``groups`` of the status page are by title, with keys.
    """

    prefix: str
    checks: list[Found] = field(default_factory=list)
    heartbeats: dict[str, dict[str, Any]] = field(default_factory=dict)
    journeys: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, Any] = field(default_factory=dict)
    maintenance: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    title: str | None = None
    uplink: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """By key, of what has its name already: heartbeats and journeys."""
    variables: dict[str, Variable] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave(self, what: str, why: str) -> None:
        """Note what isn't carried over."""
        one = LeftOut(printable(what), printable(why, 400))
        if one not in self.left_out:
            self.left_out.append(one)

    def attempt(self, what: str, carry: Callable[[], None]) -> None:
        """Carry one thing over; where its values are of no kind that they can have, leave it out alone."""
        try:
            carry()
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError):
            # What Python says of it may quote a password.
            self.leave(what, "a value in it is none that can stand there")

    def note(self, text: str) -> None:
        """Note, once, what whoever reads the result should know."""
        shown = printable(text, 500)
        if shown not in self.notes:
            self.notes.append(shown)

    def secret(self, words: str, meaning: str, found: Any) -> Reference:
        """A reference to a variable that holds what was ``found``; the same is in one variable."""
        value = None if found is None else str(found)
        for known in self.variables.values():
            if value and known.value == value:
                return Reference("${" + known.name + "}")
        stem = re.sub(r"[^A-Z0-9]+", "_", f"{self.prefix}_{words}".upper()).strip("_")[:80]
        name, count = stem, 1
        while name in self.variables and self.variables[name].value != value:
            count += 1
            name = f"{stem}_{count}"
        self.variables[name] = Variable(name, printable(meaning), value)
        return Reference("${" + name + "}")

    def refer(self, name: str, meaning: str) -> None:
        """Note a variable that the file itself refers to."""
        self.variables.setdefault(name, Variable(name, printable(meaning), None))

    def name_for(self, words: str) -> str:
        """A name for a heartbeat, a journey or a channel that none of them has yet."""
        return unused(words, {*self.heartbeats, *self.journeys, *self.channels})


def unused(words: str, taken: set[str] | dict[str, Any]) -> str:
    """``words`` as a name, with a number where it is taken."""
    stem = named(words)
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem}-{count}"
    return name


def named(words: str) -> str:
    """``words`` as a name that stands well in pages, paths and patterns."""
    return _NOT_IN_NAMES.sub("-", words.lower()).strip("-._")[:_NAME_CHARS_MAX].strip("-._") or "unnamed"


def joined(*parts: str) -> Reference:
    """Parts of a text, of which references stay references and other dollars are escaped."""
    return Reference("".join(part if isinstance(part, Reference) else escaped(part) for part in parts))


def escaped(text: str) -> str:
    """Literal text as a configuration has to write it."""
    return text.replace("$", "$$") if _DOLLARS.search(text) else text


def in_escapes(text: str) -> str:
    r"""Text for ``send`` and ``expect`` of ``tcp`` and ``udp``, where a backslash begins an escape."""
    shown = text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    return Reference(shown) if isinstance(text, Reference) else shown


def lasting(seconds: float) -> str:
    """A duration as it's written; what's longer than any may be is the longest."""
    return show_duration(min(max(seconds, 0.001), DURATION_MAX_S))
