"""An API over HTTP, as the probes of Elasticsearch, Docker and their like ask it.

The login is sent only when the probe says so: after it has seen who answers.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import Answer, Step, fails, stranger
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.http_content import Unreadable, content_of
from trueup.probes.http_message import Response
from trueup.probes.http_page import wants_tls
from trueup.probes.http_peer import Peer, basic, origin_of
from trueup.probes.http_status import judge_status, product

GATEWAY: Final = frozenset({502, 503, 504})
"""Statuses that a proxy in front says when the service itself doesn't answer."""

MESSAGE_CHARS_MAX: Final = 160


@dataclass(slots=True)
class Api:
    """``login`` is what the probe may use, and ``name`` the scheme that is expected."""

    name: str
    peer: Peer
    login: Login | None

    def ask(
        self, target: str, *, method: str = "GET", document: Any = None, with_login: bool = False
    ) -> Generator[Step, bytes, Response]:
        """Ask for ``target``, with the login if there is one and ``with_login`` says so.

        Raises:
            Garbled: it doesn't speak HTTP.
        """
        headers = basic(self.login) if with_login and self.login is not None else {}
        body = b""
        if document is not None:
            body = json.dumps(document).encode()
            headers["Content-Type"] = "application/json"
        secret = "Authorization" in headers
        return (yield from self.peer.ask(method, target, headers, body, secret=secret, keep=True))

    def stranger(self, response: Response) -> Answer:
        """It speaks HTTP, and isn't who we expected."""
        server = response.header(b"server")
        said = response.line + (f", {server}" if server else "")
        return stranger(self.name, f"{said}: {printable(response.body, 80)}".encode())

    def judge_gateway(self, response: Response) -> Answer | None:
        """What a response says that isn't of the service itself: broken, TLS wanted, a gateway's word."""
        if response.broken is not None or response.status in GATEWAY:
            return judge_status(response)
        if wants_tls(response):
            words = f"it wants TLS here ({response.line}); configure tls:"
            return fails(Cause.WRONG_SERVICE, words, expected=self.name, found="https", status=400)
        return None

    def refused(self, response: Response) -> Answer:
        """401 or 403 to the login."""
        words = "the login isn't accepted" if response.status == 401 else "this user may not ask that"
        said = message_of(response)
        return fails(
            Cause.LOGIN_REFUSED,
            f"{response.line}: {words}" + (f": {said}" if said else ""),
            status=response.status,
            **product(response),
        )


def api_at(
    name: str, address: Address, port: int, login: Login | None, tls: TlsSettings | None
) -> Generator[Step, bytes, Api]:
    """The API at ``address``, TLS begun where that is configured."""
    api = Api(name, Peer(origin_of(address, port, tls=tls is not None), tls), login_of(address, login))
    if tls is not None:
        yield from api.peer.secure()
    return api


def document_of(response: Response) -> dict[str, Any] | None:
    """The object that the response is, None where it's none."""
    try:
        content, whole = content_of(response)
        document = json.loads(content) if whole else None
    except (Unreadable, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def message_of(response: Response) -> str:
    """The sentence in an error, wherever these APIs put it."""
    document = document_of(response) or {}
    error = document.get("error")
    nested = error if isinstance(error, dict) else {}
    for word in (
        nested.get("reason"),
        nested.get("msg"),
        document.get("reason"),
        document.get("message"),
        error,
    ):
        if isinstance(word, str) and word:
            return printable(word, MESSAGE_CHARS_MAX)
    return ""


def number_in(document: dict[str, Any], name: str) -> int | None:
    """A whole number by its name, None where it is none."""
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text_in(document: dict[str, Any], name: str) -> str | None:
    """A text by its name, made safe to show; None where it is none."""
    value = document.get(name)
    return printable(value, MESSAGE_CHARS_MAX) if isinstance(value, str) else None


def object_in(document: dict[str, Any], name: str) -> dict[str, Any]:
    """An object by its name, empty where it is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}
