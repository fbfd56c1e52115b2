"""The list of incidents, and the page of one: what happened, who was told, and why somebody wasn't."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from trueup.web.access import Need
from trueup.web.asked import queried
from trueup.web.gates import Gate
from trueup.web.incidents import incident_id, incidents_asked
from trueup.web.refusal import Refusal
from trueup.web.rendering import rendered
from trueup.web.shown import Shown

COUNTED_MAX: Final = 500
"""Each is read whole: of more, it's said that there are more."""


def incident_page_gates(shown: Shown) -> list[Gate]:
    """Two gates: the list and one of it."""

    async def page_of_all(request: Request) -> Response:
        asked = queried(request)
        found, cursor = await incidents_asked(shown, asked)
        chosen = {name: str(asked.words.get(name, "")) for name in ("state", "target", "since")}
        open_now = await shown.incidents(limit=COUNTED_MAX + 1, is_open=True)
        counts = {
            "open": min(len(open_now), COUNTED_MAX),
            "more": len(open_now) > COUNTED_MAX,
            "seen_to": sum(bool(one["acknowledged_by"]) for one in open_now[:COUNTED_MAX]),
        }
        return rendered(
            request, "incidents.html", incidents=found, cursor=cursor, chosen=chosen, counts=counts
        )

    async def page_of_one(request: Request) -> Response:
        found = await shown.incident(incident_id(request))
        if found is None:
            raise Refusal(404, "no such incident", "see /incidents")
        needed_by = [one.name for one in shown.targets if found["target"] in one.needs]
        return rendered(request, "incident.html", one=found, needed_by=needed_by)

    return [
        Gate("GET", "/incidents", Need.READ, page_of_all, "Incidents", gives="text/html"),
        Gate("GET", "/incidents/{id}", Need.READ, page_of_one, "One incident", gives="text/html"),
    ]
