"""Silences and maintenance: who shall not be woken about what, until when, and why."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.domain.clock import timestamp
from trueup.domain.nearest import nearest
from trueup.domain.printable import printable
from trueup.domain.selector import Selector
from trueup.domain.silence import Silence
from trueup.web.access import Need
from trueup.web.asked import Asked, told
from trueup.web.gates import Gate, answered, asker_of
from trueup.web.refusal import Refusal
from trueup.web.shown import Document, Shown

LONGEST: Final = timedelta(days=366)
_BODY: Final = {
    "targets": "names, patterns as in shop-*, or tag:NAME",
    "for": "how long, as in 2h",
    "until": "or until when",
    "from": "from when; now where left out",
    "author": "whose word it is, where a token says it",
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """Silences and maintenance are said alike."""

    path: str
    plural: str
    reason: str
    planned: bool


_SILENCE: Final = _Kind("/api/v1/silences", "silences", "why", planned=False)
_MAINTENANCE: Final = _Kind("/api/v1/maintenance", "maintenance", "note", planned=True)


def silence_gates(shown: Shown) -> list[Gate]:
    """What may be asked and said of silences."""

    async def silences(_: Request) -> Response:
        found = [silence_document(one, "why") for one in shown.silences() if not one.planned]
        return JSONResponse({"silences": found, "cursor": None})

    return _gates(shown, _SILENCE, silences, "Silences that haven't ended")


def maintenance_gates(shown: Shown) -> list[Gate]:
    """What may be asked and said of maintenance. What the configuration has can't be ended here."""

    async def maintenance(_: Request) -> Response:
        return JSONResponse({"maintenance": shown.maintenance(), "cursor": None})

    return _gates(shown, _MAINTENANCE, maintenance, "Maintenance that is going on or planned")


def _gates(shown: Shown, kind: _Kind, all_of: Any, says: str) -> list[Gate]:
    async def add(request: Request) -> Response:
        asked = await told(request)
        asked.only("targets", "target", "for", "until", "from", "author", "by", "why", "note")
        wanted = _wanted(shown, request, asked)
        asked.finish()
        made = await shown.add_silence(**wanted, planned=kind.planned)
        return answered(request, silence_document(made, kind.reason), 201)

    async def end(request: Request) -> Response:
        said = request.path_params["id"]
        known = [one.id for one in shown.silences() if one.planned == kind.planned]
        is_one = said.isascii() and said.isdecimal() and len(said) < 16 and int(said) in known
        if not is_one or not await shown.end_silence(int(said), asker_of(request).name):
            raise Refusal(404, f"no such {kind.plural.removesuffix('s')}", f"see {kind.path}")
        return answered(request, {"id": int(said), "ended": True})

    body = {**_BODY, kind.reason: "the reason"}
    name = kind.plural.removesuffix("s")
    return [
        Gate("GET", kind.path, Need.READ, all_of, says),
        Gate("POST", kind.path, Need.WRITE, add, f"Begin or plan a {name}", body=body, statuses=(201,)),
        Gate("DELETE", f"{kind.path}/{{id}}", Need.WRITE, end, f"End a {name}"),
        Gate("POST", f"{kind.path}/{{id}}/end", Need.WRITE, end, f"End a {name}, by a form"),
    ]


def _wanted(shown: Shown, request: Request, asked: Asked) -> dict[str, Any]:
    targets = asked.texts("targets") + asked.texts("target")
    if not targets and not asked.problems:
        asked.wrong("targets", "nothing is named", 'write it as in ["shop-*"]')
    for word in targets:
        if not any(Selector((word,)).fits(one.name, one.tags) for one in shown.targets):
            close = nearest(word, [one.name for one in shown.targets]) if len(word) < 300 else None
            hint = f"did you mean {close}?" if close else "write a name, a pattern or tag:NAME"
            asked.wrong("targets", f"no target fits {printable(word, 60)}", hint)
    from_at = asked.moment("from", asked.now)
    length_s = asked.seconds("for", 0.0)
    until_at = asked.moment("until", from_at + timedelta(seconds=length_s))
    if not asked.problems and until_at <= max(from_at, asked.now):
        asked.wrong("for", "it would be over at once", 'write how long, as in {"for": "2h"}, or until when')
    if not asked.problems and until_at - from_at > LONGEST:
        asked.wrong("for", "longer than a year", "write less, or watch it no more")
    asker = asker_of(request)
    author = asked.text("author") or asked.text("by")
    return {
        "targets": targets,
        "from_at": from_at,
        "until_at": until_at,
        "author": author[:100] if author and asker.person is None else asker.name,
        "why": asked.text("why") or asked.text("note"),
    }


def silence_document(one: Silence, reason: str) -> Document:
    """A silence as the API shows it; ``reason`` is the name of its why."""
    return {
        "id": one.id,
        "targets": list(one.targets.words),
        "from": timestamp(one.from_at),
        "until": timestamp(one.until_at),
        "author": one.author,
        reason: one.why,
    }
