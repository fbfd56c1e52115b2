"""How trueup speaks HTTP to a target, whatever it asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from trueup.domain.address import Address
from trueup.domain.limits import Schemes
from trueup.domain.secret import Secret

WEB: Final = Schemes(("http", "https"))


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Client credentials (RFC 6749, 4.4): a token is fetched from ``token_url`` and sent as Bearer."""

    token_url: Annotated[Address, WEB]
    client_id: str
    client_secret: Secret
    scope: str = ""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """``proxy``: the address of a forward proxy. ``headers``: sent with each request, values hidden."""

    proxy: Annotated[Address, WEB] | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    oauth2: OAuth2 | None = None
