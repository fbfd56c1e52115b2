"""The first account: made by whoever can read the console, and by nobody who merely came first."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.store.users import PASSWORD_CHARS_MIN
from trueup.web.access import Need
from trueup.web.accounts import Person
from trueup.web.asked import form_of
from trueup.web.entrance import Entrance
from trueup.web.gates import Gate
from trueup.web.refusal import Refusal
from trueup.web.rendering import rendered

_WRONG_WORD: Final = "That isn't the word which trueup printed on its console when it started last."
_SHORT: Final = f"Choose a password of at least {PASSWORD_CHARS_MIN} characters; a few words will do."


def set_up_gates(entrance: Entrance) -> list[Gate]:
    """The page of the first visit, and its form. The store makes sure that the word is good once."""

    async def page(request: Request) -> Response:
        if await entrance.has_people():
            return RedirectResponse("/login", 303)
        return _page(request, 200, None, "")

    async def make(request: Request) -> Response:
        form = await form_of(request)
        entrance.hear(request, "set-up")
        if await entrance.has_people():
            hint = "sign in, or: trueup user set-password NAME"
            raise Refusal(409, "somebody has an account already", hint)
        name, password = form.get("name", "").strip(), form.get("password", "")
        if len(password) < PASSWORD_CHARS_MIN:
            return _page(request, 400, _SHORT, name)

        def set_up() -> Person | None:
            return entrance.accounts.set_up(form.get("word", "").strip(), name, password, entrance.now())

        try:
            person = await entrance.aside(set_up)
        except ValueError as error:
            return _page(request, 400, f"{error}", name)
        if person is None:
            return _page(request, 400, _WRONG_WORD, name)
        return await entrance.enter(request, person, "/welcome")

    says = "Set up the first account"
    return [
        Gate("GET", "/setup", Need.NOTHING, page, says, gives="text/html"),
        Gate("POST", "/setup", Need.NOTHING, make, says, gives="text/html"),
    ]


def _page(request: Request, status: int, problem: str | None, name: str) -> Response:
    return rendered(request, "setup.html", status, problem=problem, least=PASSWORD_CHARS_MIN, name=name)
