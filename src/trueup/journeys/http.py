"""A step over HTTP: one request as a browser would make it, with the cookies of those before it.

Its redirects are followed, and what comes at their end is judged as the HTTP probe judges. A session's
cookie is a login too: where it isn't accepted (401, 403), the step fails.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

from trueup.checks.check import Check
from trueup.conversation import Answer, Conversation, Garbled, fails, stranger
from trueup.conversation import Step as Turn
from trueup.domain.causes import Cause
from trueup.domain.journey import HttpRequest, Save, SaveFrom, Step
from trueup.domain.printable import printable
from trueup.domain.secret import Secret
from trueup.domain.states import Outcome
from trueup.domain.target import Target
from trueup.journeys.looks import expectation, look_as_step
from trueup.journeys.saves import NothingToSaveError, from_text, missing, values_of
from trueup.journeys.walk import SEEN_CHARS_MAX, StepResult, Walk, unable
from trueup.probes.credentials import login_of
from trueup.probes.http import PROBE, Options, for_others, is_stuck, judge, no_way_through, proxy_of
from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_expect import Expect
from trueup.probes.http_message import Response, target_of
from trueup.probes.http_peer import Peer, ProxyRefused, basic, origin_of
from trueup.probes.http_redirect import REDIRECTS_MAX, Redirect, redirect_of
from trueup.probes.http_request import Request, harmless, hold_secrets, require_headers
from trueup.probes.http_token import fetch_token

ANY_PAGE: Final = "a status below 400"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Errand:
    """One request and what it leads to. ``response`` is the last that came.

    ``met_s`` is how long it took to see that HTTP is spoken there, which is no part of the request.
    """

    walk: Walk
    action: HttpRequest
    options: Options
    request: Request
    peer: Peer
    response: Response | None = None
    met_s: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    def conversation(self) -> Conversation:
        """Ask, follow where it leads, and judge what came of it."""
        try:
            if (refused := (yield from self._fetch_token())) is not None:
                return refused
            if self.peer.open:
                yield from self.peer.begin()
            return self._judged((yield from self._follow()))
        except Garbled as garbled:
            return stranger(self.options.address.scheme, garbled.received)
        except ProxyRefused as refused_by_proxy:
            return no_way_through(refused_by_proxy.response)

    def _fetch_token(self) -> Generator[Turn, bytes, Answer | None]:
        """Once for all steps of a journey."""
        settings = self.walk.http
        if settings is None or settings.oauth2 is None:
            return None
        if self.walk.token is None:
            token = yield from fetch_token(settings.oauth2, for_others(self.options.tls), self.peer.proxy)
            if isinstance(token, Answer):
                return token
            self.walk.token = token
            self.walk.fresh.add(token)
            self.peer.open = False
        self.request = self.request.with_token(self.walk.token)
        return None

    def _follow(self) -> Generator[Turn, bytes, Response | Answer]:
        """The response at the end of the redirects."""
        home, request, count = self.peer.origin, self.request, 0
        while True:
            credentials = request.credentials or bool(self._cookies(request))
            response = yield from self._ask(request)
            self.request, self.response = request._replace(credentials=credentials), response
            redirect = None
            if 300 < response.status < 400 and self._follows and not is_stuck(response):
                redirect = redirect_of(self.peer.origin, request.target, response)
            if redirect is None:
                return response
            if isinstance(redirect, str):
                return fails(Cause.ERROR_ANSWER, f"{response.line}: {redirect}", status=response.status)
            if not redirect.may_follow(self.peer.origin, request.body):
                self.facts["redirects_to"] = redirect.text
                return response
            count += 1
            self.facts |= {"redirected_to": redirect.text, "redirects": count}
            if count > REDIRECTS_MAX:
                words = f"more than {REDIRECTS_MAX} redirects; the last leads to {redirect.text}"
                return fails(Cause.WRONG_ANSWER, f"{response.line}: {words}", status=response.status)
            request = request.redirected(redirect)
            if redirect.origin != self.peer.origin:
                if not home.trusts(redirect.origin):
                    request = request.for_stranger()
                yield from self.peer.move(redirect.origin)

    @property
    def _follows(self) -> bool:
        return self.action.redirects and not self.options.expect.names_redirect

    def _ask(self, request: Request) -> Generator[Turn, bytes, Response]:
        """Ask; with secrets, only whom has shown already that it speaks HTTP."""
        walk, peer = self.walk, self.peer
        headers = dict(request.headers)
        cookies = self._cookies(request)
        if cookies and not any(name.lower() == "cookie" for name in headers):
            headers["Cookie"] = cookies
        secret = request.secret or bool(cookies)
        if secret and peer.origin not in walk.acquainted:
            # What isn't to be done twice goes over a connection of its own: nothing repeats it there.
            again = request.method not in ("POST", "PATCH")
            began_s = walk.clock.monotonic_s()
            met = yield from peer.ask("OPTIONS", request.target, request.harmless(), keep=again)
            self.met_s += walk.clock.monotonic_s() - began_s
            if met.broken is not None or self._leads_away(request, met):
                return met
            walk.acquainted.add(peer.origin)
        if request.login is not None:
            headers = {**basic(request.login), **headers}
        response = yield from peer.ask(request.method, request.target, headers, request.body, secret=secret)
        walk.acquainted.add(peer.origin)
        self._keep_cookies(request.target, response)
        return response

    def _cookies(self, request: Request) -> str:
        return self.walk.cookies.header_for(self.peer.origin, request.target)

    def _leads_away(self, request: Request, met: Response) -> bool:
        """Whether what we mean to send would go the long way round, and perhaps in clear text."""
        redirect = redirect_of(self.peer.origin, request.target, met) if self._follows else None
        return isinstance(redirect, Redirect) and redirect.origin != self.peer.origin

    def _keep_cookies(self, target: str, response: Response) -> None:
        cookies = self.walk.cookies
        cookies.take(self.peer.origin, target, response.cookies, self.walk.clock.now())
        self.walk.fresh |= {Secret(value) for value in cookies.values()}

    def _judged(self, came: Response | Answer) -> Answer:
        if isinstance(came, Answer):
            return came._replace(facts={**came.facts, **self.facts})
        return judge(came, self.request, self.options, self.facts)


async def perform_http(walk: Walk, step: Step, timeout_s: float) -> StepResult:
    """One request, and what of its answer is to be kept."""
    action = step.action
    assert isinstance(action, HttpRequest)
    expect = step.expect if isinstance(step.expect, Expect) else Expect()
    try:
        options = Options(action.url, expect=expect, tls=walk.tls, http=walk.http)
    except ValueError as mistake:  # settings by which we can't speak
        return unable(str(mistake))
    try:
        request = _request(walk, action)
        require_headers(request.headers)
    except ValueError as mistake:  # a saved value that can't stand where it's written
        words = str(mistake)
        return StepResult(
            Outcome.FAIL, words, Cause.WRONG_ANSWER, expected="a request that can be sent", seen=words
        )
    errands: list[Errand] = []

    def conversation(_options: Any) -> Conversation:
        proxy = None if walk.http is None else proxy_of(walk.http)
        peer = Peer(origin_of(action.url), options.tls, proxy=proxy)
        errands.append(Errand(walk, action, options, request, peer))
        return errands[-1].conversation()

    check = Check(
        Target(action.url.text, at=(action.url,)),
        action.url,
        replace(PROBE, conversation=conversation),
        options,
        walk.tls,
        timeout_s,
    )
    result = await look_as_step(walk, check, expectation(expect, ANY_PAGE))
    result = replace(result, about=f"{action.method} {action.url.text}", address=action.url)
    response = errands[-1].response if errands else None
    if response is None:
        return result
    if result.took_ms is not None:
        result = replace(result, took_ms=round(max(0.0, result.took_ms - errands[-1].met_s * 1000), 3))
    if result.outcome is Outcome.FAIL:
        return replace(result, seen=_seen(response))
    return _with_saved(result, step, errands[-1], response)


def _request(walk: Walk, action: HttpRequest) -> Request:
    """What to send. Everything is a secret that anybody might not see: a body, a login, most headers."""
    headers = {name: value.reveal() for name, value in action.headers.items()}
    if walk.http is not None:
        headers = {**{name: value.reveal() for name, value in walk.http.headers.items()}, **headers}
    kind, body = _body(action)
    if kind and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    login = login_of(action.url, None)
    said = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    credentials = login is not None or bool(body) or hold_secrets(said)
    secret = credentials or said != harmless(said)
    return Request(action.method, target_of(action.url.path), headers, body, login, credentials, secret)


def _body(action: HttpRequest) -> tuple[str, bytes]:
    """Its type and its bytes."""
    if action.json is not None:
        return "application/json", json.dumps(action.json).encode()
    if action.form is not None:
        return _FORM, urlencode({name: value.reveal() for name, value in action.form.items()}).encode()
    return "", action.body.reveal().encode() if action.body is not None else b""


def _seen(response: Response) -> str:
    try:
        content, _ = content_of(response)
    except Unreadable:
        content = b""
    words = f"{response.line}: {printable(content, SEEN_CHARS_MAX)}" if content else response.line
    return printable(words, SEEN_CHARS_MAX)


def _with_saved(result: StepResult, step: Step, errand: Errand, response: Response) -> StepResult:
    try:
        saved = values_of(step.save, lambda save: _value(save, errand, response))
    except NothingToSaveError as nothing:
        return replace(
            result,
            outcome=Outcome.FAIL,
            cause=Cause.WRONG_ANSWER,
            detail=f"{result.detail}, but {nothing}",
            expected=", ".join(f"{save.source}.{save.what}" for save in step.save),
            seen=_seen(response),
        )
    return replace(result, saved=saved)


def _value(save: Save, errand: Errand, response: Response) -> str:
    if save.source is SaveFrom.HEADER:
        value = response.headers.get(save.what.lower().encode())
        if value is None:
            raise missing(save, f"it has {_names(response)}")
        return value.decode("latin-1")
    if save.source is SaveFrom.COOKIE:
        cookie = errand.walk.cookies.value(save.what)
        if cookie is None:
            raise missing(save, f"{response.line} sets none of that name")
        return cookie
    try:
        content, _ = content_of(response)
    except Unreadable as problem:
        raise missing(save, str(problem)) from None
    return from_text(save, content.decode("utf-8", "replace"))


def _names(response: Response) -> str:
    return printable(", ".join(name.decode("latin-1") for name in response.headers), 120)
