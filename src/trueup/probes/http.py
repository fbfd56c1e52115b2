"""HTTP and HTTPS: a page and its status, or a health endpoint and what it says.

Asks for the address's path and follows up to 5 redirects within http(s). ``expect`` says what the answer
must be; without it a status below 400 is up, and so are 401 and 403: alive, and a login is demanded.
A login, a body and headers that hold secrets are sent after the server has shown that it speaks HTTP,
and to no other host that it may lead to.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trueup.conversation import Answer, Conversation, Dial, Garbled, Step, fails, stranger
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.http_settings import HttpSettings
from trueup.domain.states import Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.http_expect import Expect, unmet
from trueup.probes.http_message import Response
from trueup.probes.http_page import WANTS_TLS, default_page, wants_tls
from trueup.probes.http_peer import ALPN, Peer, Proxy, ProxyRefused, basic, origin_of
from trueup.probes.http_redirect import REDIRECTS_MAX, Redirect, redirect_of
from trueup.probes.http_request import Request, Send, request_of, require_headers
from trueup.probes.http_status import judge_status, login_demanded, meaning_of, product
from trueup.probes.probe import Probe, Scheme

NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.BAD_UPSTREAM: (
        (
            "{on}, read the gateway's error log, which names the backend and how it failed; nginx's: "
            "tail -n 20 /var/log/nginx/error.log"
        ),
    ),
    Cause.ERROR_ANSWER: ("Read the application's log at the time of the check",),
    Cause.WRONG_ANSWER: ("See the whole answer: trueup check --transcript '{address}'",),
}
PROXY_PORT: Final = 3128
_PASS: Final = Outcome.PASS  # looking a member up costs in Python 3.11
BY_PROXY: Final[dict[int, Cause]] = {
    # What a proxy says instead of making a connection for us (RFC 9110, 9.3.6).
    407: Cause.LOGIN_REFUSED,
    502: Cause.BAD_UPSTREAM,
    503: Cause.BAD_UPSTREAM,
    504: Cause.BAD_UPSTREAM,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for HTTP. ``login`` is sent as HTTP's own (Basic)."""

    address: Address
    login: Login | None = None
    send: Send = field(default_factory=Send)
    expect: Expect = field(default_factory=Expect)
    tls: TlsSettings | None = None
    http: HttpSettings | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: settings by which HTTP can't be spoken."""
        if self.http is None:
            return
        require_headers({name: value.reveal() for name, value in self.http.headers.items()})
        if self.http.proxy is not None and self.http.proxy.scheme != "http":
            raise ValueError(f"{self.http.proxy} is no proxy that can be used; write it as http://HOST:PORT")


def conversation(options: Options) -> Conversation:
    """Ask, follow where it leads, and judge what came of it."""
    address, settings = options.address, options.http
    peer = Peer(origin_of(address), options.tls, proxy=None if settings is None else proxy_of(settings))
    login = login_of(address, options.login)
    request = request_of(options.send, address.path, login, settings.headers if settings else None)
    try:
        if settings is not None and settings.oauth2 is not None:
            from trueup.probes.http_token import fetch_token

            token = yield from fetch_token(settings.oauth2, for_others(options.tls), peer.proxy)
            if isinstance(token, Answer):
                return token
            request, peer.open = request.with_token(token), False
        elif peer.origin.scheme == "https":
            yield from peer.begin()
        return (yield from _follow(peer, request, options))
    except Garbled as garbled:
        return stranger(address.scheme, garbled.received)
    except ProxyRefused as refused:
        return no_way_through(refused.response)


def proxy_of(settings: HttpSettings) -> Proxy | None:
    """The proxy that is to be used, with its login."""
    proxy = settings.proxy
    return None if proxy is None else Proxy(origin_of(proxy, PROXY_PORT), login_of(proxy, None))


def for_others(tls: TlsSettings | None) -> TlsSettings | None:
    """What holds for other hosts too: not our certificate, and not a name to expect."""
    return tls and replace(tls, cert=None, key=None, server_name=None)


def no_way_through(response: Response) -> Answer:
    """The proxy makes no connection to the target."""
    words = f"the proxy makes no connection to it: {response.line}"
    return fails(BY_PROXY.get(response.status, Cause.ERROR_ANSWER), words, status=response.status or None)


def door(options: Options) -> Dial | None:
    """The proxy, where there is one: that is whom we connect to."""
    proxy = options.http and proxy_of(options.http)
    return proxy.origin.dial(None) if proxy else None


def _follow(peer: Peer, request: Request, options: Options) -> Generator[Step, bytes, Answer]:
    """The answer at the end of the redirects."""
    home, count = peer.origin, 0
    facts: dict[str, Any] = {}
    while True:
        if request.secret:
            response = yield from _ask_with_secrets(peer, request)
        else:
            response = yield from peer.ask(request.method, request.target, request.headers, request.body)
        redirect = None
        if 300 < response.status < 400 and not is_stuck(response):
            redirect = redirect_of(peer.origin, request.target, response)
        if redirect is None or options.expect.names_redirect:
            return judge(response, request, options, facts)
        if isinstance(redirect, str):
            return fails(Cause.ERROR_ANSWER, f"{response.line}: {redirect}", status=response.status, **facts)
        if not redirect.may_follow(peer.origin, request.body):
            return judge(response, request, options, {**facts, "redirects_to": redirect.text})
        count += 1
        facts = {"redirected_to": redirect.text, "redirects": count}
        if count > REDIRECTS_MAX:
            words = f"{response.line}: more than {REDIRECTS_MAX} redirects; the last leads to {redirect.text}"
            return fails(Cause.WRONG_ANSWER, words, status=response.status, **facts)
        request = request.redirected(redirect)
        if redirect.origin != peer.origin:
            if not home.trusts(redirect.origin):
                request = request.for_stranger()
            yield from peer.move(redirect.origin)


def is_stuck(response: Response) -> bool:
    """Whether it took all our time, so that nothing more can be asked."""
    return response.broken is not None and response.broken[0] is Cause.SILENT


def _ask_with_secrets(peer: Peer, request: Request) -> Generator[Step, bytes, Response]:
    """Ask, after it has answered a request without them."""
    harmless = request.method if request.method in ("GET", "HEAD") else "OPTIONS"
    response = yield from peer.ask(harmless, request.target, request.harmless(), keep=True)
    if response.broken is not None:
        return response
    if 300 < response.status < 400:
        redirect = redirect_of(peer.origin, request.target, response)
        if isinstance(redirect, Redirect) and redirect.origin != peer.origin:
            return response  # our secrets would go the long way round, and perhaps in clear text
    headers = {**(basic(request.login) if request.login else {}), **request.headers}
    return (yield from peer.ask(request.method, request.target, headers, request.body, secret=True))


def judge(response: Response, request: Request, options: Options, facts: dict[str, Any]) -> Answer:
    """What a response comes to by its status, and by what is expected. ``facts`` go into the answer."""
    answer = _judge_status(response, request, options) or _judge_content(response, options)
    return answer._replace(facts={**answer.facts, **facts}) if facts else answer


def _judge_status(response: Response, request: Request, options: Options) -> Answer | None:
    """What the status alone settles."""
    status, expect = response.status, options.expect
    if response.broken is not None:
        return judge_status(response)
    if expect.status != ():
        return None if expect.accepts(status) else _unexpected(response, request, options)
    if status < 400:
        return None
    if status in (401, 403):
        return _refused(response, request, options) or login_demanded(response)
    return _wants_tls(response, options) or judge_status(response)


def _unexpected(response: Response, request: Request, options: Options) -> Answer:
    """Another status than the expected. What it means by itself says more than that."""
    if (answer := _refused(response, request, options) or _wants_tls(response, options)) is not None:
        return answer
    cause, meaning = meaning_of(response)
    wanted = " or ".join(
        str(first) if first == last else f"{first}-{last}" for first, last in options.expect.statuses()
    )
    words = f"{response.line} where {wanted} is expected" + (f": {meaning}" if meaning else "")
    return fails(cause or Cause.WRONG_ANSWER, words, **_facts(response))


def _refused(response: Response, request: Request, options: Options) -> Answer | None:
    """401 and 403 to one who has a login, or needs one for what is expected."""
    status, expect = response.status, options.expect
    if status not in (401, 403):
        return None
    if request.credentials:
        cause = Cause.LOGIN_REFUSED
        words = "the login isn't accepted" if status == 401 else "this user may not see the page"
    elif login_of(options.address, options.login) is not None:
        cause, words = Cause.LOGIN_REFUSED, "it leads to another host, which isn't given the login"
    elif expect.status == () and not expect.of_content:
        return None
    elif status == 401:
        cause, words = Cause.LOGIN_REFUSED, "it asks for a login, and none is configured"
    else:
        cause, words = Cause.WRONG_ANSWER, "it forbids what is expected here"
    return fails(cause, f"{response.line}: {words}", status=status, login="demanded", **product(response))


def _wants_tls(response: Response, options: Options) -> Answer | None:
    """A port for HTTPS that was spoken to in plain HTTP, and says so in plain HTTP."""
    if not wants_tls(response):
        return None
    words = f"https answers where {options.address.scheme} is expected: {response.line}, it wants TLS"
    return fails(
        Cause.WRONG_SERVICE,
        words,
        expected=options.address.scheme,
        found="https",
        status=400,
        **product(response),
    )


def _judge_content(response: Response, options: Options) -> Answer:
    facts = _facts(response)
    line, page = response.line, facts.get("default_page")
    problem = unmet(options.expect, response) if options.expect.of_content else None
    if problem is not None:
        words = f"{line}, but {problem}" + (f" ({page})" if page else "")
        return Answer(Outcome.FAIL, Cause.WRONG_ANSWER, words, facts)
    if response.status in (401, 403):
        facts["login"] = "demanded"
    return Answer(_PASS, None, f"{line}, {page}" if page else line, facts)


def _facts(response: Response) -> dict[str, Any]:
    facts: dict[str, Any] = {"status": response.status}
    if server := response.server:
        facts["server"] = server
    if (page := default_page(response)) is not None:
        facts["default_page"] = page
    return facts


def recognise(said: bytes) -> bool:
    """A status line that no protocol over HTTP knows as its own, and that doesn't ask for TLS."""
    if not said.startswith(b"HTTP/1.") or any(words in said for words in WANTS_TLS):
        return False
    from trueup.probes.registry import all_probes

    return not any(probe.recognise(said) for probe in all_probes() if probe.name != "http")


PROBE = Probe(
    name="http",
    title="HTTP",
    schemes={"http": Scheme(80), "https": Scheme(443, tls=True, alpn=ALPN)},
    options=Options,
    conversation=conversation,
    door=door,
    recognise=recognise,
    next_steps=NEXT,
)
