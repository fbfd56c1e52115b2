"""What the status of an HTTP response means, where nothing else is expected."""

from typing import Any, Final

from trueup.conversation import Answer, fails, ready
from trueup.domain.causes import Cause
from trueup.probes.http_message import Response

STATUSES: Final[dict[int, tuple[Cause | None, str]]] = {
    # RFC 9110, 15.5 and 15.6, and what proxies mean by them.
    400: (Cause.WRONG_ANSWER, "it can't make sense of the request"),
    401: (None, "it asks for a login"),
    403: (None, "it forbids this; a login is demanded"),
    404: (Cause.WRONG_ANSWER, "there is no such page: another site or another application may answer here"),
    405: (Cause.WRONG_ANSWER, "it doesn't take this method here"),
    406: (Cause.WRONG_ANSWER, "it has no form of this page that we accept"),
    407: (Cause.WRONG_ANSWER, "a proxy asks for a login of its own"),
    408: (Cause.WRONG_ANSWER, "it lost patience before the request was there"),
    410: (Cause.WRONG_ANSWER, "the page is gone for good"),
    421: (Cause.WRONG_ANSWER, "it doesn't serve this name: the request was misdirected"),
    426: (Cause.WRONG_ANSWER, "it wants another protocol"),
    429: (Cause.OVERLOADED, "it limits the rate of requests"),
    500: (Cause.ERROR_ANSWER, "the application failed"),
    501: (Cause.ERROR_ANSWER, "it can't do that at all"),
    502: (Cause.BAD_UPSTREAM, "a gateway whose backend is gone or talks nonsense"),
    503: (Cause.BAD_UPSTREAM, "a gateway without a backend that's ready"),
    504: (Cause.BAD_UPSTREAM, "a gateway whose backend doesn't answer in time"),
    505: (Cause.ERROR_ANSWER, "it doesn't speak HTTP/1.1"),
    507: (Cause.ERROR_ANSWER, "it has no space left to do that"),
    511: (Cause.ERROR_ANSWER, "the network between asks for a login (a captive portal)"),
}
BUSY: Final = (Cause.OVERLOADED, "it has no room now and says when to come back")
"""503 with Retry-After (RFC 9110, 10.2.3)."""


def meaning_of(response: Response) -> tuple[Cause | None, str]:
    """The rule for a status, where nothing else is expected; None: it's no failure."""
    status = response.status
    if status == 503 and b"retry-after" in response.headers:
        return BUSY
    if status in STATUSES:
        return STATUSES[status]
    if status < 400:
        return None, ""
    if status < 500:
        return Cause.WRONG_ANSWER, "it refuses the request"
    return Cause.ERROR_ANSWER, "it failed"


def judge_status(response: Response) -> Answer | None:
    """The failure that a response is by itself: broken, or by its status. 401 and 403 pass."""
    if response.broken is not None:
        return fails(*response.broken, status=response.status or None)
    cause, words = meaning_of(response)
    if cause is None:
        return None
    retry = response.header(b"retry-after") or None
    return fails(
        cause, f"{response.line}: {words}", status=response.status, retry_after=retry, **product(response)
    )


def login_demanded(response: Response) -> Answer:
    """Alive, and nothing that's configured needs the login that it asks for."""
    words = STATUSES[response.status][1]
    return ready(
        f"alive: {response.line}: {words}", status=response.status, login="demanded", **product(response)
    )


def product(response: Response) -> dict[str, Any]:
    """The fact of what the server calls itself, where it does."""
    return {"server": name} if (name := response.server) else {}
