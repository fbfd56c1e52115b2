"""The web side of a running monitor as one ASGI application: API, pages, and what they stand on."""

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup import __version__
from trueup.domain.oidc import Oidc
from trueup.web.access import Doorman, Need
from trueup.web.agents import AgentDesk, agent_gates
from trueup.web.board import Board
from trueup.web.channels import Trial, channel_gates
from trueup.web.compressed import Compressed
from trueup.web.entrance import Entrance
from trueup.web.events import event_gates
from trueup.web.gates import STRICT, Gate, back_of, is_of_page, routes
from trueup.web.health import health_gates
from trueup.web.heartbeats import heartbeat_gates
from trueup.web.incident_pages import incident_page_gates
from trueup.web.incidents import incident_gates
from trueup.web.journey_page import journey_gates
from trueup.web.machines import Machines, machine_gates
from trueup.web.map_page import map_gates
from trueup.web.openapi import openapi
from trueup.web.openid import Provider
from trueup.web.openid_gates import openid_gates
from trueup.web.pages import overview_gates
from trueup.web.refusal import Refusal
from trueup.web.rendering import rendered
from trueup.web.sessions import session_gates
from trueup.web.set_up import set_up_gates
from trueup.web.settings_page import settings_gates
from trueup.web.shown import Shown
from trueup.web.silences import maintenance_gates, silence_gates
from trueup.web.static_files import static_gates
from trueup.web.status_page import status_gates
from trueup.web.target_page import target_page_gates
from trueup.web.targets import target_gates
from trueup.web.tokens import token_gates


def gates_of(
    shown: Shown,
    doorman: Doorman,
    *,
    desk: AgentDesk | None = None,
    machines: Machines | None = None,
    trial: Trial | None = None,
    oidc: Oidc | None = None,
    is_discovered: bool = False,
) -> list[Gate]:
    """Every gate there is. ``desk`` hears agents, ``machines`` knows who listens where, ``trial`` tests a
    channel, ``oidc`` lets people sign in elsewhere: what is left out has no gate.
    ``is_discovered``: what is watched was found here, and stands in no file.
    """
    entrance, board = Entrance(doorman), Board(shown)
    gates = [
        *journey_gates(shown),
        *target_gates(shown, board),
        *incident_gates(shown),
        *silence_gates(shown),
        *maintenance_gates(shown),
        *heartbeat_gates(shown),
        *event_gates(shown, doorman),
        *(agent_gates(desk) if desk is not None else ()),
        *health_gates(shown),
        *session_gates(entrance, oidc.issuer.host if oidc is not None else None),
        *(openid_gates(entrance, Provider(oidc)) if oidc is not None else ()),
        *set_up_gates(entrance),
        *overview_gates(shown, board),
        *target_page_gates(shown),
        *incident_page_gates(shown),
        *status_gates(shown, doorman),
        *map_gates(shown),
        *settings_gates(shown, doorman, is_discovered=is_discovered),
        *token_gates(doorman),
        *(machine_gates(shown, machines) if machines is not None else ()),
        *(channel_gates(shown, trial) if trial is not None else ()),
        *static_gates(),
    ]
    return [*gates, _description(gates)]


def application(
    shown: Shown,
    doorman: Doorman,
    *,
    desk: AgentDesk | None = None,
    machines: Machines | None = None,
    trial: Trial | None = None,
    oidc: Oidc | None = None,
    is_discovered: bool = False,
) -> Starlette:
    """The ASGI application, with these gates."""
    gates = gates_of(
        shown, doorman, desk=desk, machines=machines, trial=trial, oidc=oidc, is_discovered=is_discovered
    )

    async def nowhere(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        refusal = Refusal(error.status_code, "no such page", "see / or /api/openapi.json")
        response = show_refusal(request, refusal) if wants_page(request) else refusal.response()
        response.headers.update(STRICT)
        return response

    return Starlette(
        routes=routes(gates, doorman, show_refusal),
        exception_handlers={HTTPException: nowhere},
        middleware=[Middleware(Compressed)],
    )


def wants_page(request: Request) -> bool:
    """Whether a browser asks, for a person to read."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def show_refusal(request: Request, refusal: Refusal) -> Response:
    """The page of a refusal. Who isn't known yet may sign in first."""
    back = back_of(request) if is_of_page(request) else None
    response = rendered(
        request, "refused.html", refusal.status, refusal=refusal, sign_in=refusal.status == 401, back=back
    )
    if "retry_after" in refusal.more:
        response.headers["Retry-After"] = str(refusal.more["retry_after"])
    return response


def _description(gates: Sequence[Gate]) -> Gate:
    described: dict[str, Any] = openapi(gates, __version__)

    async def answer(_: Request) -> Response:
        return JSONResponse(described)

    return Gate("GET", "/api/openapi.json", Need.READ, answer, "This description")
