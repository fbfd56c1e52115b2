"""pydantic's errors in words for people: what is wrong with a value, and what would do."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from pydantic_core import ErrorDetails
from yaml.nodes import MappingNode, Node, ScalarNode

from trueup.config.composing import NULL
from trueup.config.texts import NOT_UNDERSTOOD, Text
from trueup.domain.address import AddressError
from trueup.domain.nearest import nearest
from trueup.domain.understood import NotUnderstood, quoted

UNKNOWN_KEY: Final = "unexpected_keyword_argument"
MISSING: Final = "missing"
TEXT: Final = "string_type"

_NEEDS: Final = {
    # By pydantic's type of error: what's needed there, and how it's written.
    TEXT: ("text", "put it in quotes"),
    "whole_number": ("a whole number", "as in 3"),
    "number": ("a number", "as in 0.5"),
    "truth": ("true or false", "write true or false"),
    "tuple_type": ("a list", "write [ONE, OTHER]"),
    "list_type": ("a list", "write [ONE, OTHER]"),
    "dict_type": ("keys", "write {NAME: VALUE}"),
    "none_required": ("nothing", "leave the key out"),
}

_OTHER_WORDS: Final = {
    # By our key: what it's called elsewhere.
    "at": {"address", "addresses", "endpoint", "target", "targets", "uri", "url", "urls"},
    "to": {"address", "endpoint", "uri", "url", "webhook"},
    "every": {"frequency", "interval", "period", "schedule"},
    "confirm": {"attempts", "retries", "retry", "failures"},
    "alert": {"alerts", "channel", "channels", "notifications", "notify"},
    "needs": {"depends", "depends_on", "dependencies", "parents", "requires"},
    "expect": {"assert", "assertions", "conditions"},
    "send": {"body", "headers", "method", "request"},
    "login": {"auth", "credentials", "password", "user", "username"},
    "tier": {"criticality", "priority", "severity"},
}


def complaint(error: ErrorDetails, node: Node, known: Sequence[str]) -> tuple[str, str]:
    """The problem with ``node`` and a hint. ``known`` are the keys that it takes, where it takes keys."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == NOT_UNDERSTOOD:
        return _not_understood(context, node)
    if kind == "value_error":  # a dataclass's own check: PROBLEM; HINT
        problem, _, hint = str(context["error"]).partition("; ")
        return problem, hint or "correct it"
    if kind == UNKNOWN_KEY:
        return unknown_key(str(error["loc"][-1]), known)
    if kind == MISSING:
        return "it is missing", f"add {error['loc'][-1]}:"
    if kind == "too_little":
        return f"{found(node)} is too little", f"write {context['least']} or more"
    if kind in {"literal_error", "enum"}:
        return _none_of(error, node)
    if kind in {"dataclass_type", "dataclass_exact_type"}:
        return f"it needs keys, not {found(node)}", "its keys: " + " ".join(known)
    text = context.get("text")
    if kind == TEXT and isinstance(text, Text):
        return f"it needs {text.one}, not {found(node, hidden=text.hidden)}", text.hint
    what, hint = _NEEDS.get(kind, ("another value", error["msg"]))
    if node.tag == NULL:
        hint = "write a value, or leave the key out"
    return f"it needs {what}, not {found(node)}", hint


def complaint_of_union(errors: Sequence[ErrorDetails], node: Node) -> tuple[str, str]:
    """Where a value may be one of several things and is none of them."""
    needs = dict.fromkeys(_needed(error) for error in errors)
    return f"it needs {' or '.join(needs)}, not {found(node)}", "write one of them"


def _needed(error: ErrorDetails) -> str:
    text = error.get("ctx", {}).get("text")
    if isinstance(text, Text):
        return text.one
    return _NEEDS.get(error["type"], ("keys" if "dataclass" in error["type"] else "another value", ""))[0]


def unknown_key(key: str, known: Iterable[str]) -> tuple[str, str]:
    """A key that nobody knows, with the nearest that somebody does."""
    keys = list(known)
    close = other_word(key, keys) or nearest(key, keys)
    hint = f"did you mean {close}?" if close else f"known here: {' '.join(keys)}" if keys else "remove it"
    return f"unknown key {quoted(key)}", hint


def other_word(key: str, known: Collection[str]) -> str | None:
    """The key that says what another program calls ``key``."""
    return next(
        (ours for ours, theirs in _OTHER_WORDS.items() if ours in known and key.lower() in theirs), None
    )


def found(node: Node, *, hidden: bool = False) -> str:
    """What is written there; a substituted word as its ``${NAME}``, and a secret not at all."""
    if not isinstance(node, ScalarNode):
        return "keys" if isinstance(node, MappingNode) else "a list"
    if node.tag == NULL:
        return "nothing"
    return "what is written there" if hidden else quoted(node.value)


def is_substituted(node: Node) -> bool:
    """Whether the value comes from elsewhere, at least in part."""
    return isinstance(node, ScalarNode) and "${" in node.value


def _not_understood(context: dict[str, Any], node: Node) -> tuple[str, str]:
    text = context["text"]
    if not is_substituted(node):
        return context["problem"], context["hint"]
    # The words themselves may not be said. What's wrong with the rest of the text may be.
    try:
        text.read(node.value)
    except (NotUnderstood, AddressError) as mistake:
        return mistake.problem, mistake.hint or text.hint
    return f"{found(node, hidden=text.hidden)} isn't {text.one}", text.hint


def _none_of(error: ErrorDetails, node: Node) -> tuple[str, str]:
    expected = str(error.get("ctx", {}).get("expected", ""))
    words = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    close = nearest(node.value, words) if isinstance(node, ScalarNode) else None
    hint = f"did you mean {close}?" if close else "write " + " or ".join(words)
    return f"{found(node)} is none of {' '.join(words)}", hint
