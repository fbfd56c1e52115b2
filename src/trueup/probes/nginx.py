"""nginx by its stub_status page: alive, and how many connections it has.

Asks for the address's path, else where the page usually is. The counters are facts: ``dropped`` is how
many connections nginx accepted and could not handle since its start (worker_connections reached).
https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
"""

import re
from dataclasses import dataclass
from typing import Final

from trueup.conversation import Answer, Conversation, Garbled, fails, ready, stranger
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_api import Api, api_at
from trueup.probes.http_message import Response, target_of
from trueup.probes.http_status import judge_status, login_demanded, product
from trueup.probes.probe import Probe, Scheme

PLACES: Final = ("/nginx_status", "/stub_status", "/basic_status")
"""Where the page usually is, for an address without a path."""

NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.WRONG_ANSWER: ("See where the page is: nginx -T | grep -B3 stub_status",),
    Cause.BLOCKED: ("See whom it admits (allow, deny): nginx -T | grep -A5 stub_status",),
}
_STATUS: Final = re.compile(
    rb"Active connections: (\d{1,20}) \nserver accepts handled requests[^\n]*\n"
    rb" (\d{1,20}) (\d{1,20}) (\d{1,20})[^\n]*\nReading: (\d{1,20}) Writing: (\d{1,20}) Waiting: (\d{1,20})"
)


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for nginx's status page."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None


def conversation(options: Options) -> Conversation:
    """Ask for the page where it is, or where it usually is."""
    address = options.address
    try:
        api = yield from api_at("nginx", address, 80, options.login, options.tls)
        places = (target_of(address.path),) if address.path else PLACES
        for place in places:
            response = yield from api.ask(place)
            if response.status == 401 and api.login is not None and _is_nginx(response):
                response = yield from api.ask(place, with_login=True)
            if response.status != 404:
                break
    except Garbled as garbled:
        return stranger("nginx", garbled.received)
    return _judge(api, response, place)


def _is_nginx(response: Response) -> bool:
    server = response.headers.get(b"server", b"").lower()
    return server.startswith((b"nginx", b"openresty", b"tengine", b"angie", b"freenginx"))


def _judge(api: Api, response: Response, place: str) -> Answer:
    if (answer := api.judge_gateway(response)) is not None:
        return answer
    match = _STATUS.match(response.body) if response.status == 200 else None
    if match is not None:
        return _counted(match, response)
    if not _is_nginx(response):
        return api.stranger(response)
    if response.status == 401:
        return login_demanded(response) if api.login is None else api.refused(response)
    if response.status == 403:
        words = f"alive, and {place} isn't for this client ({response.line})"
        return fails(Cause.BLOCKED, words, status=403, **product(response))
    if response.status in (200, 404):
        words = f"alive, and its status page isn't at {place} ({response.line})"
        return fails(Cause.WRONG_ANSWER, words, status=response.status, **product(response))
    words = f"alive, and answers {response.line} for {place}"
    return judge_status(response) or fails(Cause.WRONG_ANSWER, words, status=response.status)


def _counted(match: re.Match[bytes], response: Response) -> Answer:
    active, accepts, handled, requests, reading, writing, waiting = map(int, match.groups())
    words = f"{active} connections: {reading} reading, {writing} writing, {waiting} waiting"
    return ready(
        words,
        active=active,
        requests=requests,
        reading=reading,
        writing=writing,
        waiting=waiting,
        dropped=max(0, accepts - handled) or None,
        **product(response),
    )


def recognise(said: bytes) -> bool:
    """The status page; nginx itself is told by its Server header, and is HTTP."""
    return said.startswith(b"HTTP/1.") and _STATUS.search(said) is not None


PROBE = Probe(
    name="nginx",
    title="nginx",
    schemes={"nginx": Scheme(80)},
    options=Options,
    conversation=conversation,
    over_http=True,
    recognise=recognise,
    next_steps=NEXT,
)
