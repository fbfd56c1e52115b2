"""Journeys: each with its steps as they followed each other, and where it broke."""

from starlette.requests import Request
from starlette.responses import Response

from trueup.domain.target import Kind
from trueup.web.access import Need
from trueup.web.found import target_of
from trueup.web.gates import Gate
from trueup.web.refusal import Refusal
from trueup.web.rendering import rendered
from trueup.web.shown import Shown
from trueup.web.target_page import steps_of


def journey_gates(shown: Shown) -> list[Gate]:
    """Two gates: the page, and what a browser showed."""

    async def page(request: Request) -> Response:
        found = [
            (one, steps_of(one["observations"]), shown.screenshot(target.name) is not None)
            for target in shown.targets
            if target.kind is Kind.JOURNEY
            for one in [shown.document(target)]
        ]
        return rendered(request, "journeys.html", found=found)

    async def picture(request: Request) -> Response:
        found = shown.screenshot(target_of(shown, request).name)
        if found is None:
            raise Refusal(404, "there's no picture", "a browser step that fails leaves one")
        return Response(found, media_type="image/png")

    return [
        Gate(
            "GET",
            "/api/v1/targets/{name:path}/screenshot",
            Need.READ,
            picture,
            "What the browser of a journey showed where it fails",
            gives="image/png",
        ),
        Gate("GET", "/journeys", Need.READ, page, "Journeys and their steps", gives="text/html"),
    ]
