"""An OpenID provider as a client sees it: OpenID Connect Core 1.0 with PKCE (RFC 7636), no socket of its own.

What the provider says is believed only as far as its signature, its audience, its time and our nonce go.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from trueup.domain.oidc import Oidc
from trueup.domain.printable import printable
from trueup.web.accounts import Person, Role
from trueup.web.refusal import Refusal

TIMEOUT_S: Final = 10.0
METADATA_KEPT_S: Final = 3600.0
LEEWAY_S: Final = 60
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_NAME_CHARS_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class Errand:
    """One sign-in under way. ``state`` comes back, ``nonce`` in the token; ``verifier`` is PKCE's."""

    to: str
    redirect_uri: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Provider:
    """Asks the provider over HTTP. Its description and keys are kept for an hour."""

    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        self.issuer = oidc.issuer.text.rstrip("/")
        self._metadata: dict[str, Any] | None = None
        self._metadata_s = 0.0

    async def authorize_url(self, errand: Errand) -> str:
        """Where the browser is sent.

        Raises:
            Refusal: the provider can't be asked.
        """
        query = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": errand.redirect_uri,
            "scope": "openid email profile groups",
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": errand.challenge,
            "code_challenge_method": "S256",
        }
        base = (await self._described())["authorization_endpoint"]
        return f"{base}{'&' if '?' in base else '?'}{urlencode(query)}"

    async def person(self, errand: Errand, code: str) -> Person:
        """Who signed in there, and as what here.

        Raises:
            Refusal: the provider can't be asked, its word isn't good, or they may not come in.
        """
        described = await self._described()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": errand.redirect_uri,
            "client_id": self._oidc.client_id,
            "code_verifier": errand.verifier,
        }
        if self._oidc.client_secret is not None:
            form["client_secret"] = self._oidc.client_secret.reveal()
        answer = await self._ask("POST", described["token_endpoint"], form)
        keys = await self._ask("GET", described["jwks_uri"])
        claims = claims_of(answer.get("id_token"), keys, self.issuer, self._oidc.client_id, errand.nonce)
        return person_of(claims, self._oidc)

    async def _described(self) -> dict[str, Any]:
        """Its metadata (OpenID Connect Discovery 1.0, 4)."""
        if self._metadata is None or time.monotonic() - self._metadata_s > METADATA_KEPT_S:
            found = await self._ask("GET", f"{self.issuer}/.well-known/openid-configuration")
            wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if str(found.get("issuer")).rstrip("/") != self.issuer or not all(
                isinstance(found.get(name), str) for name in wanted
            ):
                raise _failed("it describes itself as another")
            self._metadata, self._metadata_s = found, time.monotonic()
        return self._metadata

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
                answer = await client.request(method, url, data=dict(form) if form is not None else None)
            said = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _failed(f"{type(error).__name__}") from error
        if answer.status_code != 200 or not isinstance(said, dict):
            raise _failed(f"it answers {answer.status_code}")
        return said


def claims_of(
    token: object, keys: Mapping[str, Any], issuer: str, audience: str, nonce: str
) -> dict[str, Any]:
    """What an ID token claims (OpenID Connect Core 1.0, 3.1.3.7).

    Raises:
        Refusal: it's not signed by one of the keys, of another issuer, for another client, too old, or an
            answer to somebody else's question.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    wanted = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "values": [issuer, f"{issuer}/"]},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        nonce={"essential": True, "value": nonce},
        sub={"essential": True},
    )
    try:
        if not isinstance(token, str):
            raise _failed("it gives no ID token")
        found = jwt.decode(token, KeySet.import_key_set(dict(keys)), algorithms=list(_ALGORITHMS))  # type: ignore[arg-type]  # a shape that it checks itself
        wanted.validate(found.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _failed(f"its ID token isn't good ({type(error).__name__})") from error
    return dict(found.claims)


def person_of(claims: Mapping[str, Any], oidc: Oidc) -> Person:
    """Raises:
    Refusal: nobody lets them in.
    """
    said, groups = claims.get("email"), claims.get("groups")
    email = said.lower() if isinstance(said, str) and claims.get("email_verified") is True else None
    words = {"*", *(one for one in groups if isinstance(one, str))} if isinstance(groups, list) else {"*"}
    for role, let_in in ((Role.ADMIN, oidc.admins), (Role.EDITOR, oidc.editors), (Role.VIEWER, oidc.viewers)):
        if any(one in words or one.lower() == email for one in let_in):
            return Person(printable(email or str(claims["sub"]), _NAME_CHARS_MAX), role)
    raise Refusal(403, "you aren't let in here", "ask for a role: monitor.oidc in the configuration says who")


def _failed(why: str) -> Refusal:
    return Refusal(502, f"signing in by the provider failed: {why}", "try again, or sign in with a password")
