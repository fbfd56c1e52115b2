"""Pages for people: what the API knows, rendered here, so that it reads without a script too."""

from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.web.access import Need
from trueup.web.asked import queried
from trueup.web.board import Board
from trueup.web.gates import Gate
from trueup.web.overview import GROUPS, overview, wanted
from trueup.web.quiet import quiets
from trueup.web.rendering import rendered
from trueup.web.shown import Shown

PAGE: Final = "text/html"


def overview_gates(shown: Shown, board: Board) -> list[Gate]:
    """The front page, and the part of it that changes."""

    async def answer(request: Request, template: str) -> Response:
        chosen = wanted(queried(request))
        on = [one for one in quiets(shown) if one.is_on(datetime.now(UTC))]
        page = overview(shown.targets, await board.glances(), chosen, shown.document, on)
        problems = shown.own_health()["problems"]
        return rendered(request, template, page=page, chosen=chosen, groups=GROUPS, problems=problems)

    async def front(request: Request) -> Response:
        return await answer(request, "overview.html")

    async def rows(request: Request) -> Response:
        return await answer(request, "live.html")

    return [
        Gate("GET", "/", Need.READ, front, "Every target", gives=PAGE),
        Gate("GET", "/rows", Need.READ, rows, "Every target, without the page around", gives=PAGE),
    ]
