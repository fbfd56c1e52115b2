"""Signing in and out."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.web.access import SESSION_COOKIE, Need
from trueup.web.asked import form_of
from trueup.web.entrance import NAME_CHARS_MAX, PASSWORD_CHARS_MAX, Entrance
from trueup.web.gates import Gate, local
from trueup.web.rendering import rendered


def session_gates(entrance: Entrance, provider: str | None = None) -> list[Gate]:
    """The gates of people. ``provider`` is the name of where they may sign in instead."""

    async def login_page(request: Request) -> Response:
        if provider is None and not await entrance.has_people():
            return RedirectResponse("/setup", 303)
        to = local(request.query_params.get("next") or "/")
        return rendered(request, "login.html", next=to, problem=None, provider=provider)

    async def login(request: Request) -> Response:
        form = await form_of(request)
        name, password = form.get("name", "").strip(), form.get("password", "")
        to = local(form.get("next") or "/")
        entrance.hear(request, name)
        person = None
        if len(name) <= NAME_CHARS_MAX and len(password) <= PASSWORD_CHARS_MAX:
            person = await entrance.aside(lambda: entrance.accounts.verify(name, password))
        if person is None:
            problem = "This name and this password don't fit."
            return rendered(request, "login.html", 401, next=to, problem=problem, provider=provider)
        return await entrance.enter(request, person, to)

    async def logout(request: Request) -> Response:
        word = request.cookies.get(SESSION_COOKIE)
        if word:
            await asyncio.to_thread(entrance.accounts.end_session, word)
        response = RedirectResponse("/", 303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    page = "text/html"
    return [
        Gate("GET", "/login", Need.NOTHING, login_page, "Sign in", gives=page),
        Gate("POST", "/login", Need.NOTHING, login, "Sign in", gives=page),
        Gate("POST", "/logout", Need.NOTHING, logout, "Sign out", gives=page),
    ]
