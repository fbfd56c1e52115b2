"""Incidents: what went wrong, when, who was told; acknowledging them and adding notes."""

from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.web.access import Need
from trueup.web.asked import Asked, queried, told
from trueup.web.cursor import cursor_of, place_of
from trueup.web.gates import Gate, answered, asker_of
from trueup.web.refusal import Refusal
from trueup.web.shown import Document, Shown

PAGE: Final = 50
PAGE_MAX: Final = 500
PUBLIC: Final = "(public)"
"""Stands between the name and the colon of a note for everybody. What trueup itself writes has a colon before
any word of a target, so no target can say it.
"""
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def incident_gates(shown: Shown) -> list[Gate]:
    """What may be asked and said of incidents."""

    async def incidents(request: Request) -> Response:
        asked = queried(request)
        found, cursor = await incidents_asked(shown, asked)
        return JSONResponse({"incidents": found, "cursor": cursor})

    async def incident(request: Request) -> Response:
        return JSONResponse(_found(await shown.incident(incident_id(request))))

    async def acknowledge(request: Request) -> Response:
        asked = await told(request)
        asked.only("by", "note")
        by, note = who_says(request, asked), asked.text("note")
        asked.finish()
        return answered(request, _found(await shown.acknowledge(incident_id(request), by, note)))

    async def note(request: Request) -> Response:
        asked = await told(request)
        asked.only("by", "text", "public")
        by, text = who_says(request, asked), asked.text("text")
        if asked.one_of("public", "yes", "no") == "yes":
            by = f"{by.replace(':', ' ')} {PUBLIC}"
        if not text and not asked.problems:
            asked.wrong("text", "nothing is written", 'write it as in {"text": "the disk is replaced"}')
        asked.finish()
        return answered(request, _found(await shown.add_note(incident_id(request), by, text)))

    one = "/api/v1/incidents/{id}"
    by = "whose word it is, where a token says it"
    return [
        Gate(
            "GET",
            "/api/v1/incidents",
            Need.READ,
            incidents,
            "Incidents, the newest first",
            {
                "limit": f"at most so many, up to {PAGE_MAX}",
                "cursor": "that of the page before",
                "target": "those of one target",
                "state": "open or closed",
                "since": "open then or opened later: a time, or how long ago",
            },
        ),
        Gate(
            "POST",
            f"{one}/ack",
            Need.WRITE,
            acknowledge,
            "Say that somebody has seen to it",
            body={"note": "what is known so far", "by": by},
        ),
        Gate(
            "POST",
            f"{one}/notes",
            Need.WRITE,
            note,
            "Add a line to the timeline",
            body={"text": "the line", "public": "yes: the status page shows it too", "by": by},
        ),
        Gate("GET", one, Need.READ, incident, "One incident with its timeline, and who was told"),
    ]


async def incidents_asked(shown: Shown, asked: Asked, page: int = PAGE) -> tuple[list[Document], str | None]:
    """The page that is asked for, and the cursor of the next.

    Raises:
        Refusal: what is asked is wrong.
    """
    limit = asked.whole("limit", page, 1, PAGE_MAX)
    before = place_of(asked)
    state = asked.one_of("state", "open", "closed")
    since = asked.moment("since", _BEGINNING)
    target = asked.text("target")
    asked.finish()
    found = await shown.incidents(
        limit=limit + 1,
        before_id=before,
        target=target or None,
        is_open=None if state is None else state == "open",
        since=None if since is _BEGINNING else since,
    )
    more = len(found) > limit
    return found[:limit], cursor_of(found[limit - 1]["id"]) if more else None


def incident_id(request: Request) -> int:
    """Raises:
    Refusal: 404, no number.
    """
    said = request.path_params["id"]
    if not (said.isascii() and said.isdecimal() and len(said) < 16):
        raise _unknown()
    return int(said)


def who_says(request: Request, asked: Asked) -> str:
    """A person by their own name; behind a token is whoever it says."""
    asker = asker_of(request)
    said = asked.text("by")
    return said[:100] if said and asker.person is None else asker.name


def _found(incident: Document | None) -> Document:
    if incident is None:
        raise _unknown()
    return incident


def _unknown() -> Refusal:
    return Refusal(404, "no such incident", "see /api/v1/incidents")
