"""What a step keeps for later ones: ``save: {token: json.access.token}``."""

import re
from typing import Any, Final

from trueup.config.draft import Draft
from trueup.config.problems import Path
from trueup.domain.journey import Save, SaveFrom, StepKind
from trueup.domain.nearest import nearest
from trueup.domain.understood import NotUnderstood, quoted

SOURCES: Final = {
    # What the answer of a step can be taken apart by.
    StepKind.HTTP: (SaveFrom.JSON, SaveFrom.HEADER, SaveFrom.COOKIE, SaveFrom.REGEX),
    StepKind.POSTGRES: (SaveFrom.VALUE,),
    StepKind.MYSQL: (SaveFrom.VALUE,),
    StepKind.COMMAND: (SaveFrom.JSON, SaveFrom.REGEX),
}
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
EXAMPLES: Final = {
    SaveFrom.JSON: "json.cart.id",
    SaveFrom.HEADER: "header.Location",
    SaveFrom.COOKIE: "cookie.session",
    SaveFrom.REGEX: "regex.order-([0-9]+)",
    SaveFrom.VALUE: "value",
}


def read_saves(draft: Draft, kind: StepKind, written: Any, path: Path) -> tuple[Save, ...]:
    """The saves of a step; those that don't hold are noted and left out."""
    if not draft.entries(path) or not isinstance(written, dict):
        return ()
    if kind not in SOURCES:
        draft.say(path, f"nothing of {kind} can be saved", "known to " + " ".join(SOURCES))
        return ()
    saves = []
    for name, source in written.items():
        try:
            saves.append(_read_save(name, source, kind))
        except NotUnderstood as mistake:
            draft.say((*path, name), mistake.problem, mistake.hint)
    return tuple(saves)


def _read_save(name: str, source: Any, kind: StepKind) -> Save:
    if not _NAME.fullmatch(name):
        raise NotUnderstood(f"{quoted(name)} is no name of a value", "write letters, digits and _")
    known = SOURCES[kind]
    examples = " or ".join(EXAMPLES[one] for one in known)
    if not isinstance(source, str):
        raise NotUnderstood("it says not where the value comes from", f"as in {examples}")
    word, dot, what = source.partition(".")
    if word not in known:
        close = nearest(word, known)
        hint = f"did you mean {close}?" if close else f"as in {examples}"
        raise NotUnderstood(f"nothing of {kind} is saved from {quoted(word)}", hint)
    place = SaveFrom(word)
    if (place is SaveFrom.VALUE) == bool(dot and what):
        raise NotUnderstood(f"{quoted(source)} says not what to save", f"as in {EXAMPLES[place]}")
    if place is SaveFrom.REGEX:
        try:
            re.compile(what)
        except re.error as error:
            raise NotUnderstood(f"{quoted(what)} is no regular expression", str(error.msg)) from None
    return Save(name, place, what)
