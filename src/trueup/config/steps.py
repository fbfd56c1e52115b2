"""The steps of a journey."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from trueup.config.actions import read_browse, read_command, read_http, read_mail, read_probe
from trueup.config.complaints import unknown_key
from trueup.config.draft import Draft
from trueup.config.problems import Path
from trueup.config.saves import read_saves
from trueup.config.secret_words import secret_words
from trueup.config.shapes import keys_of
from trueup.config.substitution import Saved
from trueup.domain.address import Address
from trueup.domain.journey import Step, StepKind, references
from trueup.probes.registry import SCHEMES


@dataclass(frozen=True, slots=True)
class StepKeys:
    """What can be said of any step besides what it does, ``expect`` and ``save``.

    ``always``: it runs whatever failed before it. ``timeout``: its own deadline. ``slow``: the time over
    which it's slow. ``name``: what people call it.
    """

    always: bool = False
    timeout_s: float | None = None
    slow_s: float | None = None
    name: str | None = None


EXPECT: Final = "expect"
SAVE: Final = "save"
_KINDS: Final = tuple(StepKind)
_OWN: Final = tuple(keys_of(StepKeys))
"""What a step may say besides what it does."""


def read_step(draft: Draft, path: Path, saved: Saved, *, allow_commands: bool) -> Step | None:
    """The step at ``path``; None where it doesn't hold."""
    entries = draft.entries(path)
    if draft.problems.has(path):
        return None
    kind = _kind(draft, path, list(entries))
    for key in entries:
        if key not in {*_KINDS, *_OWN, EXPECT, SAVE}:
            problem, hint = unknown_key(key, (*_KINDS, EXPECT, SAVE, *_OWN))
            draft.say((*path, key), problem, f"write probe: {key}://HOST" if key in SCHEMES else hint)
    if kind is None:
        return None
    _, _, node = draft.tree.find(path)
    written, words = draft.tree.value_and_words(node, path, saved)
    keys = draft.read(StepKeys, {key: written[key] for key in _OWN if key in written}, path)
    expect = written.get(EXPECT)
    step = _act(draft, path, kind, (written[kind], expect), saved)
    if kind is StepKind.COMMAND and not allow_commands:
        draft.say((*path, kind), "commands aren't allowed here", "set monitor: {allow_commands: true}")
    saves = read_saves(draft, kind, written.get(SAVE), (*path, SAVE))
    if step is None or keys is None:
        return None
    _refuse_references(draft, step, (*path, kind))
    return replace(
        step,
        save=saves,
        always=keys.always,
        timeout_s=keys.timeout_s,
        slow_s=keys.slow_s,
        name=keys.name,
        secrets=secret_words(words, _addresses(step.action)),
    )


def _kind(draft: Draft, path: Path, keys: list[str]) -> StepKind | None:
    kinds = [kind for kind in _KINDS if kind in keys]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        draft.say(path, f"it does {' and '.join(kinds)}", "make it several steps")
    elif not set(keys) - {*_OWN, EXPECT, SAVE}:
        draft.say(path, "it does nothing", "write one of " + " ".join(_KINDS))
    return None


def _act(draft: Draft, path: Path, kind: StepKind, written: tuple[Any, Any], saved: Saved) -> Step | None:
    action, expect = written
    if kind is StepKind.HTTP:
        return read_http(draft, path, action, expect, saved)
    if kind is StepKind.COMMAND:
        return read_command(draft, path, action, expect, saved)
    if kind in {StepKind.MAIL, StepKind.BROWSER}:
        if expect is not None:
            hint = "write {see: TEXT} among its actions" if kind is StepKind.BROWSER else "remove it"
            draft.say((*path, EXPECT), f"{kind} expects nothing else", hint)
        read = read_mail if kind is StepKind.MAIL else read_browse
        return read(draft, path, action, saved)
    return read_probe(draft, path, kind, written, saved)


def _refuse_references(draft: Draft, step: Step, path: Path) -> None:
    """A saved value comes from a target; it may not say where we connect to, or as whom."""
    for address in _addresses(step.action):
        password = address.password.reveal() if address.password else ""
        parts = (address.host, address.user or "", password, address.socket_path or "")
        if any(list(references(part)) for part in parts):
            draft.say(path, "a saved value stands in an address before its path", "write host and login out")


def _addresses(action: Any) -> list[Address]:
    """The addresses of an action, however deep."""
    if isinstance(action, Address):
        return [action]
    if isinstance(action, (list, tuple)):
        return [address for inner in action for address in _addresses(inner)]
    if isinstance(action, Mapping):
        return [address for inner in action.values() for address in _addresses(inner)]
    names = getattr(action, "__dataclass_fields__", ())
    return [address for name in names for address in _addresses(getattr(action, name))]
