"""Who asks, and what they may: the only place where that is decided."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from trueup.web.accounts import Accounts, Person, Role
from trueup.web.refusal import Refusal

Network = IPv4Network | IPv6Network
SESSION_COOKIE: Final = "trueup_session"
CSRF_HEADER: Final = "x-trueup-csrf"
_FORWARDED: Final = frozenset(
    {
        "forwarded",
        "forwarded-for",
        "via",
        "x-forwarded",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-forwarded-for",
        "x-original-host",
        "x-envoy-external-address",
        "x-azure-clientip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
    }
)
_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Need(StrEnum):
    """What a gate asks of who goes through it.

    ``own``: the gate looks itself, at a signature or at the word in its address.
    """

    NOTHING = "nothing"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. ``is_near``: by the loopback address, named as such and not forwarded.

    ``scope`` is that of a good token, ``person`` who has a good session; of both at most one is set.
    ``csrf`` is what a form of that session must say.
    """

    is_near: bool = False
    scope: str | None = None
    token_id: str | None = None
    person: Person | None = None
    csrf: str = ""

    def may(self, need: Need) -> bool:
        """Whether a gate that needs that is open to them."""
        role = self.person.role if self.person else 0
        if need is Need.READ:
            return self.is_near or self.scope in ("read", "write") or role >= Role.VIEWER
        if need is Need.WRITE:
            return self.scope == "write" or role >= Role.EDITOR
        if need is Need.ADMIN:
            return role >= Role.ADMIN
        return True

    @property
    def is_known(self) -> bool:
        return self.scope is not None or self.person is not None

    @property
    def name(self) -> str:
        """How it's written beside what they did."""
        if self.person is not None:
            return self.person.name
        return f"token {self.token_id}" if self.token_id else "nobody"


NOBODY: Final = Asker()


@dataclass(frozen=True, slots=True)
class Doorman:
    """``is_own_host``: whether a Host header names this monitor's loopback address; never, where it listens
    on another one too. ``trusted_proxies``: whose forwarding headers are believed.
    """

    is_own_host: Callable[[str], bool]
    accounts: Accounts
    trusted_proxies: Sequence[Network] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def asker(self, request: HTTPConnection) -> Asker:
        """Who asks; a token or session that's worth nothing makes nobody of them."""
        is_near = is_unforwarded(request) and self.is_own_host(request.headers.get("host", ""))
        word = bearer(request)
        if word is not None:
            token = await run_in_threadpool(self.accounts.token, word)
            if token is not None and token.is_good:
                return Asker(is_near, scope=token.scope, token_id=token.id)
            return Asker(is_near)
        session = request.cookies.get(SESSION_COOKIE)
        person = await run_in_threadpool(self.accounts.session, session, self.now()) if session else None
        if session is None or person is None:
            return Asker(is_near)
        return Asker(is_near, person=person, csrf=csrf_of(session))

    def admit(self, request: HTTPConnection, asker: Asker, need: Need) -> None:
        """Raises:
        Refusal: they may not.
        """
        if asker.may(need):
            return
        if asker.is_known:
            hint = "ask with a token of scope write, or as an editor"
            if need is Need.ADMIN:
                hint = "sign in as an admin"
            elif need is Need.READ:
                hint = "this token only reports; ask with one of scope read"
            raise Refusal(403, f"that needs the right to {_DOES[need]}", hint)
        if need is Need.READ:
            raise Refusal(
                401,
                "reading needs a token here",
                "ask with a token, or sign in; only where it listens on loopback alone this machine may read",
            )
        raise Refusal(401, "that needs a token or a session", "make one: trueup token create --scope write")

    def check_origin(self, request: HTTPConnection, asker: Asker, said: str | None) -> None:
        """What changes something by a session comes from our own page, and proves it by ``said``.

        Raises:
            Refusal: it doesn't.
        """
        if request.scope["method"] not in _UNSAFE or asker.scope is not None:
            return
        if self.is_foreign(request):
            hint = "open trueup's own page and do it there"
            if not is_unforwarded(request) and not self._is_proxied(request):
                hint = "if your proxy passed it on, name that: monitor: {trusted_proxies: [ADDRESS]}"
            raise Refusal(403, "another site asks for this", hint)
        if asker.person is not None and not hmac.compare_digest((said or "").encode(), asker.csrf.encode()):
            raise Refusal(403, "the form is too old, or not ours", "load the page again, and repeat it")

    def is_foreign(self, request: HTTPConnection) -> bool:
        """Whether a browser says that another site's page asks."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", "null")
        if site not in ("same-origin", "none"):
            return True
        return origin != "null" and urlsplit(origin).netloc.lower() != self.host(request).lower()

    # ---- behind a proxy ------------------------------------------------------------------------------------

    def host(self, request: HTTPConnection) -> str:
        """The name that the browser asked."""
        said = request.headers.get("x-forwarded-host") if self._is_proxied(request) else None
        return said or request.headers.get("host", "")

    def is_secure(self, request: HTTPConnection) -> bool:
        """Whether the browser speaks TLS."""
        said = request.headers.get("x-forwarded-proto") if self._is_proxied(request) else None
        return (said or request.url.scheme) == "https"

    def address(self, request: HTTPConnection) -> str:
        """Whose request it is: the last one in the row of proxies that isn't a proxy of ours."""
        peer = request.client.host if request.client else ""
        if not self._trusts(peer):
            return peer
        row = [one.strip() for one in request.headers.get("x-forwarded-for", "").split(",") if one.strip()]
        return next((one for one in reversed(row) if not self._trusts(one)), peer)

    def _is_proxied(self, request: HTTPConnection) -> bool:
        return self._trusts(request.client.host if request.client else "")

    def _trusts(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.trusted_proxies)


_DOES: Final = {Need.READ: "read", Need.WRITE: "write", Need.ADMIN: "administrate"}


def is_unforwarded(request: HTTPConnection) -> bool:
    """Whether no header says that somebody else passed it on."""
    return not any(name in _FORWARDED or name.startswith("x-forwarded-") for name in request.headers)


def bearer(request: HTTPConnection) -> str | None:
    """The token that was sent along."""
    kind, _, word = request.headers.get("authorization", "").partition(" ")
    return word.strip() or None if kind.lower() == "bearer" else None


def csrf_of(session: str) -> str:
    """What only a page of that session can say."""
    return hmac.new(session.encode(), b"trueup form", hashlib.sha256).hexdigest()
