"""Signing in by an OpenID provider: out to it, and back with a code."""

import hmac
import time
from collections import OrderedDict
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.web.access import Need
from trueup.web.entrance import Entrance
from trueup.web.gates import Gate, local
from trueup.web.openid import Errand, Provider
from trueup.web.refusal import Refusal

ERRAND_S: Final = 600.0
_ERRANDS_MAX: Final = 1000
_COOKIE: Final = "trueup_errand"
BACK: Final = "/login/provider/back"


def openid_gates(entrance: Entrance, provider: Provider) -> list[Gate]:
    """Two gates. The state of an errand is in a cookie too: it comes back by the browser that it left by."""
    errands: OrderedDict[str, tuple[Errand, float]] = OrderedDict()
    doorman = entrance.doorman

    async def out(request: Request) -> Response:
        entrance.hear(request, "provider")
        scheme = "https" if doorman.is_secure(request) else "http"
        to = local(request.query_params.get("next") or "/")
        errand = Errand(to, f"{scheme}://{doorman.host(request)}{BACK}")
        response = RedirectResponse(await provider.authorize_url(errand), 303)
        errands[errand.state] = errand, time.monotonic()
        while len(errands) > _ERRANDS_MAX:
            errands.popitem(last=False)
        response.set_cookie(
            _COOKIE,
            errand.state,
            max_age=round(ERRAND_S),
            httponly=True,
            samesite="lax",
            secure=scheme == "https",
            path="/login",
        )
        return response

    async def back(request: Request) -> Response:
        state = request.query_params.get("state", "")
        known = errands.pop(state, None)
        own = request.cookies.get(_COOKIE, "")
        if (
            known is None
            or not hmac.compare_digest(own.encode(), state.encode())
            or time.monotonic() - known[1] > ERRAND_S
        ):
            raise Refusal(400, "this sign-in wasn't begun here, or too long ago", "sign in again")
        code = request.query_params.get("code")
        if not code:
            raise Refusal(403, "the provider let nobody in", "sign in again")
        person = await provider.person(known[0], code)
        response = await entrance.enter(request, person, known[0].to)
        response.delete_cookie(_COOKIE, path="/login")
        return response

    page = "text/html"
    return [
        Gate("GET", "/login/provider", Need.NOTHING, out, "Sign in by the provider", gives=page),
        Gate("GET", BACK, Need.NOTHING, back, "Back from the provider", gives=page),
    ]
