"""Gates: what can be asked, by whom, and how that is described. From them come the routes, the guard of
each, the OpenAPI document, and the test that no route is without an owner.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from trueup.domain.printable import printable
from trueup.store.failure import StoreFailed
from trueup.web.access import CSRF_HEADER, NOBODY, Asker, Doorman, Need, bearer
from trueup.web.asked import form_of, is_form, queried
from trueup.web.refusal import Refusal

_LOG = logging.getLogger("trueup")
Answer = Callable[[Request], Awaitable[Response]]
ShowRefusal = Callable[[Request, Refusal], Response]
API: Final = "/api/v1/"
STRICT: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer that doesn't say otherwise itself."""


@dataclass(frozen=True, slots=True)
class Gate:
    """``method`` and ``path`` as Starlette writes them. ``says``: one line for the reader of the API.

    ``query``: names of what may stand behind the question mark, and what each means. ``body``: the same for
    a body of JSON, or of a form. ``gives``: the content type of the answer. ``statuses``: those that come
    with it.
    """

    method: str
    path: str
    need: Need
    answer: Answer
    says: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)
    gives: str = "application/json"
    statuses: tuple[int, ...] = (200,)

    @property
    def is_page(self) -> bool:
        return self.gives == "text/html"


def asker_of(request: Request) -> Asker:
    """Who asks; known behind a gate."""
    found: Asker = request.scope.get("trueup.asker", NOBODY)
    return found


def routes(gates: Iterable[Gate], doorman: Doorman, show_refusal: ShowRefusal) -> list[Route]:
    """A route for each path, in the order in which the paths come first."""
    by_path: dict[str, dict[str, Gate]] = {}
    for gate in gates:
        methods = by_path.setdefault(gate.path, {})
        assert gate.method not in methods, f"two gates for {gate.method} {gate.path}"
        methods[gate.method] = gate
    return [
        Route(path, _guarded(methods, doorman, show_refusal), methods=None)
        for path, methods in by_path.items()
    ]


class _guarded:  # noqa: N801 - Starlette takes a function by GET and HEAD alone, an ASGI application by all
    def __init__(self, methods: Mapping[str, Gate], doorman: Doorman, show: ShowRefusal) -> None:
        self._methods = methods
        self._doorman = doorman
        self._show = show

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive, send)
        gate = self._methods.get("GET" if request.method == "HEAD" else request.method)
        try:
            response = await self._passed(gate, request)
        except Refusal as refusal:
            if refusal.status == 401 and is_of_page(request):
                with contextlib.suppress(Refusal):
                    await form_of(request)  # it says where to go back to, once signed in
            response = self._refused(gate, request, refusal)
        except StoreFailed as error:
            _LOG.error("%s %s: %s", request.method, request.url.path, error)
            unusable = Refusal(503, "the monitor can't use its data now", "ask again later; its log says why")
            response = self._refused(gate, request, unusable)
        except Exception:  # noqa: BLE001 - whatever it was, who asked gets an answer, and the log the rest
            _LOG.exception("%s %s failed", request.method, request.url.path)
            failed = Refusal(500, "trueup failed to answer", "its log says why")
            response = self._refused(gate, request, failed)
        for name, value in STRICT.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _passed(self, gate: Gate | None, request: Request) -> Response:
        if gate is None:
            allowed = ", ".join(sorted(self._methods))
            raise Refusal(405, f"{request.method} isn't done here", f"do {allowed}")
        if gate.need in (Need.OWN, Need.NOTHING) and not gate.is_page:
            return await gate.answer(request)
        asker = await self._doorman.asker(request)
        request.scope["trueup.asker"] = asker
        self._doorman.admit(request, asker, gate.need)
        said = request.headers.get(CSRF_HEADER)
        if said is None and is_form(request):
            said = (await form_of(request)).get("csrf")
        self._doorman.check_origin(request, asker, said)
        if gate.path.startswith(API):
            _only_known(gate, request)
        response = await gate.answer(request)
        if gate.need in (Need.WRITE, Need.ADMIN) and request.method not in ("GET", "HEAD"):
            path = printable(request.url.path, 300)
            _LOG.info("%s %s by %s: %d", request.method, path, printable(asker.name), response.status_code)
        return response

    def _refused(self, gate: Gate | None, request: Request, refusal: Refusal) -> Response:
        page = gate is not None and (gate.is_page or (gate.need is not Need.OWN and is_of_page(request)))
        response = self._show(request, refusal) if page else refusal.response()
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if refusal.status == 405:
            response.headers["Allow"] = ", ".join(sorted(self._methods))
        return response


def _only_known(gate: Gate, request: Request) -> None:
    """A misspelt word would be answered with everything. Gates of ``own`` are spared: no job is missed for a
    word too many. So are words that begin with ``_``, which clients add to get past caches.

    Raises:
        Refusal: 400, a word behind the question mark isn't known.
    """
    asked = queried(request)
    asked.only(*gate.query, *(name for name in asked.words if name.startswith("_")))
    asked.finish()


def answered(request: Request, document: Any, status: int = 200) -> Response:
    """A document; whoever sent a form goes back to the page that it stood on."""
    if is_of_page(request):
        return RedirectResponse(back_of(request), 303)
    return JSONResponse(document, status)


def back_of(request: Request) -> str:
    """The page on which the form stood that was sent."""
    return local(request.scope.get("trueup.form", {}).get("back", "/"))


def is_of_page(request: Request) -> bool:
    """Whether a page's form was sent; a program may send a form too, and has a token."""
    return is_form(request) and bearer(request) is None


def local(path: str) -> str:
    """``path`` if it's one of this site, else the front page."""
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and "\\" not in path else "/"
