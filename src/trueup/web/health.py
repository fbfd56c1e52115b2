"""Health in one answer, for monitors that reach only HTTP; badges; metrics. The first two are open to all."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from trueup.domain.states import State
from trueup.web.access import Need
from trueup.web.badge import badge
from trueup.web.gates import Gate
from trueup.web.prometheus import CONTENT_TYPE, written
from trueup.web.shown import Shown

_WELL: Final = frozenset({State.UP, State.DEGRADED})


def health_gates(shown: Shown) -> list[Gate]:
    """None of them says more of a target than its last hard state."""

    async def health(request: Request) -> Response:
        name = request.path_params["name"]
        state = shown.hard_state(name)
        return JSONResponse({"name": name, "state": state.value}, 200 if state in _WELL else 503)

    async def own_health(_: Request) -> Response:
        said = shown.own_health()
        return JSONResponse({"state": said["state"]}, 200 if State(said["state"]) in _WELL else 503)

    async def a_badge(request: Request) -> Response:
        name = request.path_params["name"]
        svg = badge(name, shown.hard_state(name))
        return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=30"})

    async def metrics(_: Request) -> Response:
        return PlainTextResponse("".join(written(shown.metrics())), media_type=CONTENT_TYPE)

    return [
        Gate(
            "GET",
            "/health",
            Need.NOTHING,
            own_health,
            "Whether trueup itself is well: 200 where up or degraded, else 503",
            statuses=(200, 503),
        ),
        Gate(
            "GET",
            "/health/{name:path}",
            Need.NOTHING,
            health,
            "The last hard state: 200 where up or degraded, else 503",
            statuses=(200, 503),
        ),
        Gate(
            "GET",
            "/badge/{name:path}.svg",
            Need.NOTHING,
            a_badge,
            "The last hard state as a picture",
            gives="image/svg+xml",
        ),
        Gate("GET", "/metrics", Need.READ, metrics, "Metrics as Prometheus reads them", gives="text/plain"),
    ]
