"""Targets: how they are, why, how they were; and looking at one now."""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.diagnosis.document import document
from trueup.domain.states import State
from trueup.domain.target import Target
from trueup.web.access import Need
from trueup.web.asked import queried
from trueup.web.board import Board
from trueup.web.cursor import cursor_of, place_of
from trueup.web.found import target_of
from trueup.web.gates import Gate, answered
from trueup.web.refusal import Refusal
from trueup.web.shown import Document, Shown

PAGE_MAX: Final = 1000
POINTS_MAX: Final = 5000
_POINTS: Final = 300
"""A history is cut into about so many points where no step is asked for."""
_STEPS_S: Final = (60, 300, 900, 3600, 4 * 3600, 86400)


def target_gates(shown: Shown, board: Board) -> list[Gate]:
    """What may be asked of targets."""

    async def targets(request: Request) -> Response:
        asked = queried(request)
        limit = asked.whole("limit", PAGE_MAX, 1, PAGE_MAX)
        start = place_of(asked) or 0
        state, tag = asked.one_of("state", *State), asked.text("tag")
        asked.finish()
        # Nobody looks at what isn't enabled: that it's unknown is no word on how things are.
        looked_at = [target for target in shown.targets if target.enabled]
        names, glances = {target.name for target in looked_at}, await board.glances()
        of_state = {one["name"] for one in glances if state in (None, one["state"])}
        found = [one for one in looked_at if one.name in of_state and (not tag or tag in one.tags)]
        end = start + limit
        page = [shown.document(target) for target in found[start:end]]
        states = [State(one["state"]) for one in (*glances, *page) if one["name"] in names]
        cursor = None if end >= len(found) else cursor_of(end)
        return JSONResponse({**document(page, states), "cursor": cursor})

    async def target(request: Request) -> Response:
        return JSONResponse(shown.document(target_of(shown, request)))

    async def explain(request: Request) -> Response:
        if (whole := _ends_so(shown, request, "explain")) is not None:
            return JSONResponse(shown.document(whole))
        return JSONResponse(shown.explained(target_of(shown, request)))

    async def check(request: Request) -> Response:
        found = target_of(shown, request)
        return answered(request, await shown.look_at(found.name))

    async def history(request: Request) -> Response:
        if (whole := _ends_so(shown, request, "history")) is not None:
            return JSONResponse(shown.document(whole))
        return JSONResponse(await history_of(shown, request))

    one = "/api/v1/targets/{name:path}"
    return [
        Gate(
            "GET",
            "/api/v1/targets",
            Need.READ,
            targets,
            "How every target is that is looked at; its state is that of all, whichever are listed",
            {
                "limit": f"at most so many, up to {PAGE_MAX}",
                "cursor": "that of the page before",
                "state": f"those that are {', '.join(State)} now",
                "tag": "those with this tag",
            },
        ),
        Gate("GET", f"{one}/explain", Need.READ, explain, "Why a target is what it is"),
        Gate(
            "GET",
            f"{one}/history",
            Need.READ,
            history,
            "How a target was: states, and latencies of each layer",
            {
                "since": "a time, or how long ago: 24h where left out",
                "until": "a time, or how long ago: now where left out",
                "step": "how much one point sums up, as in 5m; fitting where left out",
            },
        ),
        Gate("POST", f"{one}/check", Need.WRITE, check, "Look at a target now, and answer how it is"),
        Gate("GET", one, Need.READ, target, "How one target is"),
    ]


def _ends_so(shown: Shown, request: Request, word: str) -> Target | None:
    """The target that is meant where it's the name itself that ends so, and no other target's part."""
    name = request.path_params["name"]
    if any(target.name == name for target in shown.targets):
        return None
    return next((target for target in shown.targets if target.name == f"{name}/{word}"), None)


async def history_of(shown: Shown, request: Request) -> Document:
    """The history that a request asks for.

    Raises:
        Refusal: there's no such target, or a time or step is wrong.
    """
    found = target_of(shown, request)
    asked = queried(request)
    until = asked.moment("until", asked.now)
    since = asked.moment("since", until - timedelta(hours=24))
    span_s = (until - since).total_seconds()
    if not asked.problems and span_s <= 0:
        asked.wrong("since", "not before until", "write since earlier than until")
    fitting = next((step for step in _STEPS_S if span_s / step <= _POINTS), _STEPS_S[-1])
    bare = str(asked.words.get("step", ""))
    if bare.isascii() and bare.isdecimal() and len(bare) < 9:
        step_s = float(bare)
    else:
        step_s = asked.seconds("step", fitting)
    if not asked.problems and (step_s < 1 or span_s / step_s > POINTS_MAX):
        asked.wrong("step", f"under a second, or more than {POINTS_MAX} points", f"write one from {fitting}s")
    asked.finish()
    try:
        return await shown.history(found.name, since, until, max(1, round(step_s)))
    except KeyError:
        raise Refusal(404, "no such target", "see /api/v1/targets") from None
