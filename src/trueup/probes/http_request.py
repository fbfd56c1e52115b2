"""The request that is configured: what of it is secret, and what becomes of it on the way."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from trueup.domain.printable import printable
from trueup.domain.secret import Secret
from trueup.domain.target import Login
from trueup.probes.http_message import target_of
from trueup.probes.http_redirect import Redirect

_METHOD: Final = re.compile(r"[A-Z]{3,16}", re.ASCII)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HARMLESS: Final = frozenset({"accept", "accept-language", "accept-encoding", "cache-control", "user-agent"})
"""Headers that may follow a redirect to a stranger."""
_SECRET_NAME: Final = re.compile(
    "auth|cookie|token|key|secret|session|passw|credential|signature", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Send:
    """The request. ``json`` is a body too, and says so in its header. With a body the method is POST."""

    method: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    json: Any = None

    def __post_init__(self) -> None:
        """Raises: ValueError: what would be no valid request."""
        if self.method is not None and (self.method == "CONNECT" or not _METHOD.fullmatch(self.method)):
            raise ValueError(f"{self.method!r} is no method; write one as GET, HEAD, POST, PUT or DELETE")
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name) or printable(value, len(value) + 1) != value:
                raise ValueError(
                    f"header {printable(name)!r} has characters that HTTP forbids; leave them out"
                )
        if self.body is not None and self.json is not None:
            raise ValueError("body and json are both given; one of them is the body")

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The values of headers that sound like secrets, also without their scheme: a peer may echo them."""
        values = [value for name, value in self.headers.items() if _SECRET_NAME.search(name)]
        return tuple(Secret(word) for value in values for word in (value, value.rpartition(" ")[2]))


class Request(NamedTuple):
    """``headers`` and ``body`` as configured; ``login`` to go with them.

    ``credentials``: it says who we are, by login or header. ``secret``: it isn't for strangers.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    login: Login | None
    credentials: bool
    secret: bool

    def with_token(self, token: Secret) -> "Request":
        """With a token, unless it says by itself who we are."""
        bearer = {"Authorization": f"Bearer {token.reveal()}"}
        return self._replace(headers={**bearer, **self.headers}, credentials=True, secret=True)

    def for_stranger(self) -> "Request":
        """Without anything that could be a secret."""
        return self._replace(headers=self.harmless(), body=b"", login=None, credentials=False, secret=False)

    def harmless(self) -> dict[str, str]:
        """The headers that anybody may see."""
        return harmless(self.headers)

    def redirected(self, redirect: Redirect) -> "Request":
        """As browsers go on: with GET and no body, unless the status says otherwise (RFC 9110, 15.4)."""
        if redirect.keeps_method:
            return self._replace(target=redirect.target)
        headers = {name: value for name, value in self.headers.items() if not _is_of_body(name)}
        method = "HEAD" if self.method == "HEAD" else "GET"
        return self._replace(method=method, target=redirect.target, headers=headers, body=b"")


def request_of(
    send: Send, path: str, login: Login | None, others: Mapping[str, Secret] | None = None
) -> Request:
    """What to ask for the ``path`` of an address. ``others`` are headers whose values nobody may see."""
    headers, body = send.headers, b""
    if others:
        headers = {**{name: value.reveal() for name, value in others.items()}, **headers}
    if send.json is not None:
        import json

        body = json.dumps(send.json).encode()
        if not any(name.lower() == "content-type" for name in headers):
            headers = {**headers, "Content-Type": "application/json"}
    elif send.body is not None:
        body = send.body.encode()
    method = send.method or ("POST" if body else "GET")
    credentials = login is not None or (bool(headers) and hold_secrets(headers))
    secret = credentials or bool(body) or bool(others)
    return Request(method, target_of(path), headers, body, login, credentials, secret)


def require_headers(headers: Mapping[str, str]) -> None:
    """Raises: ValueError: a header that can't be sent."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or printable(value, len(value) + 1) != value:
            raise ValueError(f"header {printable(name)!r} has characters that HTTP forbids; leave them out")


def hold_secrets(headers: Mapping[str, str]) -> bool:
    """Whether the name of one of them sounds like a secret."""
    return any(map(_SECRET_NAME.search, headers))


def harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that anybody may see."""
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}


def _is_of_body(name: str) -> bool:
    return name.lower().startswith("content-")
